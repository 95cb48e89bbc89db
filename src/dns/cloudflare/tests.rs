//! What the unit tests share, and the way of a whole listing's change.

use super::*;
use crate::inventory::{EXAMPLE, Inventory};
use crate::plan::Id;

/// What the example inventory wants of Cloudflare with that routing.
pub(super) fn wanted_with(more: &str, routing: &str) -> Wanted {
    let dns = "\n[dns]\nprovider = \"cloudflare\"\ntoken = { env = \"CLOUDFLARE_API_TOKEN\" }\n";
    let text = format!("{EXAMPLE}{dns}{more}\n[dns.routing]\n{routing}\n");
    let inventory = Inventory::parse(&text, "example.toml").unwrap();
    Wanted::of(&inventory).unwrap().wanted
}

/// North America by us, Asia by cn, the rest by us.
pub(super) fn wanted() -> Wanted {
    wanted_with(
        "",
        "default = \"us\"\ncontinents = { NA = \"us\", AS = \"cn\" }",
    )
}

pub(super) fn context() -> Context {
    Context {
        zone: "yourapp.com".to_owned(),
        place: Place {
            zone: "z".to_owned(),
            account: "a".to_owned(),
        },
        countries: None,
        without_balancing: None,
        notes: Vec::new(),
        shadowing: Vec::new(),
    }
}

/// Ids as if everything wanted were there.
pub(super) fn handles(wanted: &Wanted) -> Handles {
    let desired = compile::desired(wanted, &context()).unwrap();
    let ids = desired.objects.into_iter().map(|object| object.id);
    ids.map(|id: Id| (id.clone(), format!("handle of {id}")))
        .collect()
}

#[test]
fn calls_are_made_in_an_order_in_which_nothing_refers_to_what_is_missing() {
    let wanted = wanted();
    let objects = compile::desired(&wanted, &context()).unwrap().objects;
    let created: Vec<Change> = objects
        .iter()
        .rev()
        .filter_map(|object| {
            Change::between(object.id.clone(), None, Some(object.attributes.clone()))
        })
        .collect();
    let gone: Vec<Change> = objects
        .iter()
        .filter_map(|object| {
            Change::between(object.id.clone(), Some(object.attributes.clone()), None)
        })
        .collect();
    let kinds = |changes: &[Change]| {
        let steps = steps::steps(changes);
        assert_eq!(
            steps.iter().map(|step| step.changes.len()).sum::<usize>(),
            changes.len()
        );
        let mut kinds: Vec<String> = steps
            .iter()
            .map(|step| step.changes[0].id.kind.to_string())
            .collect();
        kinds.dedup();
        kinds.join(" ")
    };
    assert_eq!(kinds(&created), "health-check pool load-balancer record");
    assert_eq!(kinds(&gone), "record load-balancer pool health-check");
}

#[test]
fn every_object_is_read_back_from_its_attributes_as_it_was_compiled() {
    let wanted = wanted();
    let geo = wanted.geo.as_ref().unwrap();
    let (zone, handles) = (wanted.zone.as_str(), handles(&wanted));
    for answer in &geo.answers {
        let monitor = monitor::wanted(&wanted, &answer.domain);
        let id = monitor::id(answer.domain.as_str());
        let attributes = monitor::attributes(&monitor, &wanted.owner);
        assert_eq!(monitor::body(&id, &attributes, zone), Ok(monitor));

        let mut pool = pool::wanted(&wanted, answer, &geo.routing);
        let pool_id = pool::id(&pool.name);
        let attributes = pool::attributes(&pool, Some(&wanted.owner));
        pool.monitor = Some(handles[&id].clone());
        let mut body = pool::body(&pool_id, &attributes, &handles, zone).unwrap();
        body.origins.sort_by_key(|origin| origin.name.clone());
        assert_eq!(body, pool);
    }
}

#[test]
fn a_token_is_in_no_text_of_the_provider_and_goes_over_no_open_line() {
    let token = || Secret::new("hunter2".to_owned());
    let open: HttpUrl = "http://api.example.com/v4".parse().unwrap();
    let error = Cloudflare::new(token(), Some(&open)).err().unwrap();
    assert!(error.what.contains("in clear"), "{error:?}");
    let near: HttpUrl = "http://127.0.0.1:1/v4".parse().unwrap();
    assert!(Cloudflare::new(token(), Some(&near)).is_ok());
}
