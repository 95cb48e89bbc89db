use super::super::compile::desired;
use super::super::fixture::{creations, wanted, written, zone_of};
use super::*;

fn names(steps: &[Step]) -> Vec<&str> {
    steps.iter().map(|step| step.what.as_str()).collect()
}

/// The way back from everything to nothing.
fn deletions() -> Vec<Change> {
    let desired = desired(&wanted(2, 0, "us AS=cn"), false);
    let changes = creations(&desired).into_iter();
    changes
        .map(|change| Change {
            before: change.after,
            after: None,
            ..change
        })
        .collect()
}

#[test]
fn health_checks_come_first_and_the_geo_name_after_what_it_stands_for() {
    let steps = steps(&creations(&desired(&wanted(2, 0, "us AS=cn"), false)));
    assert_eq!(
        names(&steps),
        [
            "create health check us.yourapp.com IPv4",
            "create health check cn.yourapp.com IPv4",
            "create us.yourapp.com A",
            "create cn.yourapp.com A",
            "create _gd-us.api.yourapp.com A",
            "create _gd-cn.api.yourapp.com A",
            "create api.yourapp.com A",
        ]
    );
}

#[test]
fn on_the_way_back_the_geo_name_goes_before_what_it_stood_for() {
    let steps = steps(&deletions());
    let at = |what: &str| steps.iter().position(|step| step.what == what).unwrap();
    assert!(at("delete api.yourapp.com A") < at("delete _gd-us.api.yourapp.com A"));
    assert!(at("delete _gd-us.api.yourapp.com A") < at("delete health check us.yourapp.com IPv4"));
}

#[test]
fn a_family_that_comes_or_goes_is_one_batch_a_name_and_each_is_valid() {
    let (with, without) = (wanted(2, 2, "us AS=cn"), wanted(2, 0, "us AS=cn"));
    let change = |before: &crate::dns::Wanted, after: &crate::dns::Wanted| {
        let (before, after) = (
            desired(before, false).objects,
            desired(after, false).objects,
        );
        let side = |objects: &[crate::dns::Object], id: &crate::plan::Id| {
            let same = objects.iter().find(|object| object.id == *id);
            same.map(|object| object.attributes.clone())
        };
        let ids = before.iter().chain(&after).map(|object| object.id.clone());
        let ids: std::collections::BTreeSet<crate::plan::Id> = ids.collect();
        let changes = ids
            .into_iter()
            .filter_map(|id| Change::between(id.clone(), side(&before, &id), side(&after, &id)));
        changes.collect::<Vec<Change>>()
    };
    let more = written(zone_of(&without), &change(&without, &with));
    assert_eq!(more.group("api.yourapp.com", "AAAA").len(), 2);
    let fewer = written(zone_of(&with), &change(&with, &without));
    assert!(fewer.group("_gd-us.api.yourapp.com", "AAAA").is_empty());
}
