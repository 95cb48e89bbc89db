use super::super::fixture::{OWNER, ZONE, wanted, zone_of};
use super::*;
use crate::plan::{Attributes, Kind};

fn change(id: &str, before: Option<Attributes>, after: Option<Attributes>) -> Change {
    Change::between(Id::new(Kind::Record, id), before, after).unwrap()
}

fn simple(value: &str, owner: Option<&str>) -> Attributes {
    let all = Attributes::new()
        .text("ttl", "60")
        .list("values", vec![value.to_owned()]);
    owner
        .iter()
        .fold(all, |all, owner| all.text("owner", *owner))
}

fn batch(world: &World, change: Change) -> Result<Vec<(Action, String, Vec<String>)>, Error> {
    let checks = CheckNames::new();
    let ground = Ground {
        world,
        zone: ZONE,
        checks: &checks,
        owner: OWNER,
    };
    let batch = build(ground, &[change], &Handles::new())?;
    let shown = batch.into_iter().map(|change| {
        let values = change.set.values().into_iter().map(str::to_owned).collect();
        (
            change.action,
            format!("{} {}", change.set.name, change.set.kind),
            values,
        )
    });
    Ok(shown.collect())
}

fn foreign() -> World {
    let mut world = World::default();
    let mut set = text("us.yourapp.com", 60, vec!["203.0.113.10".to_owned()]);
    set.kind = "A".to_owned();
    world.add(set);
    world
}

#[test]
fn adopting_what_is_as_wanted_writes_the_mark_alone_and_the_mark_names_the_type() {
    let adopt = change(
        "us.yourapp.com A",
        Some(simple("203.0.113.10", None)),
        Some(simple("203.0.113.10", Some(OWNER))),
    );
    let place = "_geodeploy.us.yourapp.com. TXT".to_owned();
    let mark = "\"geodeploy:yourapp A\"".to_owned();
    assert_eq!(
        batch(&foreign(), adopt).unwrap(),
        [(Action::Create, place, vec![mark])]
    );
}

#[test]
fn a_mark_of_one_type_stays_when_the_other_goes() {
    let world = zone_of(&wanted(1, 1, "us NA=us"));
    let gone = change(
        "us.yourapp.com AAAA",
        Some(simple("2001:db8::10", Some(OWNER))),
        None,
    );
    let batch = batch(&world, gone).unwrap();
    let left = batch
        .iter()
        .find(|(action, _, _)| *action == Action::Create)
        .unwrap();
    assert_eq!(left.2, ["\"geodeploy:yourapp A\""]);
    assert_eq!(batch.len(), 3, "{batch:?}");
}

#[test]
fn what_is_not_as_it_was_planned_from_is_left_alone() {
    let moved = change(
        "us.yourapp.com A",
        Some(simple("203.0.113.11", None)),
        Some(simple("203.0.113.10", Some(OWNER))),
    );
    assert_eq!(batch(&foreign(), moved).unwrap_err().kind, ErrorKind::Stale);
    let gone = change(
        "us.yourapp.com A",
        None,
        Some(simple("203.0.113.10", Some(OWNER))),
    );
    assert_eq!(batch(&foreign(), gone).unwrap_err().kind, ErrorKind::Stale);
}
