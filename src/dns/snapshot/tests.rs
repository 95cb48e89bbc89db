use std::time::Duration;

use super::*;
use crate::dns::{Consent, Goal, reconcile};
use crate::plan::Kind;

fn wanted() -> Wanted {
    Wanted {
        zone: "yourapp.com".parse().unwrap(),
        owner: "geodeploy:yourapp".to_owned(),
        ttl: Duration::from_secs(60),
        hosts: Vec::new(),
        geo: None,
    }
}

fn record(name: &str, value: &str) -> Object {
    Object {
        id: Id::new(Kind::Record, name),
        attributes: Attributes::new().text("value", value),
    }
}

fn listing(objects: &[(&str, &str, Mark)]) -> Listing<()> {
    let objects = objects.iter().map(|(name, value, mark)| Found {
        object: record(name, value),
        mark: mark.clone(),
        handle: "4711".to_owned(),
    });
    Listing {
        objects: objects.collect(),
        context: (),
    }
}

/// A run towards `us A 1` and `cn A 2`, from a zone where `us A` is somebody else's and `old A` is ours.
fn snapshot() -> Snapshot {
    let before = listing(&[
        ("us A", "9", Mark::Foreign),
        ("old A", "3", Mark::Ours),
        ("www A", "7", Mark::Foreign),
    ]);
    let objects = [
        record("us A", "1"),
        record("cn A", "2"),
        record("old A", "3"),
    ];
    let goal = Goal {
        objects: &objects,
        released: &[],
    };
    let consent = Consent {
        adopt: vec!["us".to_owned()],
        ..Consent::default()
    };
    let reconciled = reconcile("yourapp.com", goal, &before, &consent);
    Snapshot::of(
        "fake",
        &wanted(),
        Timestamp::UNIX_EPOCH,
        &before,
        &reconciled,
    )
}

/// The way back of [`snapshot`] from that zone, and what somebody else changed since.
fn back(now: &[(&str, &str, Mark)]) -> (Reconciled, Vec<String>) {
    let (snapshot, now) = (snapshot(), listing(now));
    let (objects, released) = (snapshot.wanted_objects(), snapshot.released());
    let goal = Goal {
        objects: &objects,
        released: &released,
    };
    let consent = Consent {
        delete: vec!["cn".to_owned()],
        ..Consent::default()
    };
    let reconciled = reconcile("yourapp.com", goal, &now, &consent);
    let moved = snapshot.moved(&now, &reconciled);
    let moved = moved.into_iter().map(|id| id.name).collect();
    (reconciled, moved)
}

#[test]
fn it_keeps_what_is_ours_or_becomes_ours_and_nothing_else() {
    let snapshot = snapshot();
    let kept: Vec<(&str, bool)> = snapshot
        .objects
        .iter()
        .map(|kept| (kept.object.id.name.as_str(), kept.foreign))
        .collect();
    assert_eq!(kept, [("us A", true), ("old A", false)]);
    assert_eq!(snapshot.planned.len(), 2);
    let text = snapshot.to_json().unwrap();
    assert_eq!(Snapshot::parse(&text, "x.json").unwrap(), snapshot);
}

#[test]
fn the_way_back_hands_over_what_was_adopted_and_ends_there() {
    let (reconciled, moved) = back(&[
        ("us A", "1", Mark::Ours),
        ("cn A", "2", Mark::Ours),
        ("old A", "3", Mark::Ours),
    ]);
    assert_eq!(reconciled.plan.counts(), (0, 1, 1));
    assert_eq!(moved, Vec::<String>::new());

    let (reconciled, _) = back(&[("us A", "9", Mark::Foreign), ("old A", "3", Mark::Ours)]);
    assert!(reconciled.is_empty(), "{reconciled:?}");
}

#[test]
fn a_run_that_was_killed_before_it_did_all_is_led_back_too() {
    let (reconciled, moved) = back(&[("us A", "1", Mark::Ours), ("old A", "3", Mark::Ours)]);
    assert_eq!(reconciled.plan.counts(), (0, 1, 0));
    assert_eq!(moved, Vec::<String>::new());
}

#[test]
fn what_somebody_else_changed_since_is_named() {
    for (zone, expected) in [
        (
            vec![("us A", "5", Mark::Ours), ("old A", "3", Mark::Ours)],
            "us A",
        ),
        (
            vec![("us A", "1", Mark::Ours), ("old A", "4", Mark::Ours)],
            "old A",
        ),
        (vec![("us A", "9", Mark::Foreign)], "old A"),
        (
            vec![("us A", "6", Mark::Foreign), ("old A", "3", Mark::Ours)],
            "us A",
        ),
    ] {
        let (_, moved) = back(&zone);
        assert_eq!(moved, [expected], "{zone:?}");
    }
}

#[test]
fn a_snapshot_of_something_else_or_of_a_newer_form_is_refused() {
    let snapshot = snapshot();
    assert_eq!(snapshot.check("fake", &wanted(), "x.json"), Ok(()));
    let error = snapshot.check("route53", &wanted(), "x.json").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input);
    assert!(error.what.contains("yourapp.com at fake"), "{error}");
    let error = Snapshot::parse("{\"version\":2}", "x.json").unwrap_err();
    assert!(error.what.contains("version 2"), "{error}");
    let error = Snapshot::parse("[", "x.json").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input);
}
