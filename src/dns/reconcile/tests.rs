use super::*;
use crate::plan::Verb;

fn record(name: &str, value: &str) -> Object {
    Object {
        id: Id::new(Kind::Record, name),
        attributes: Attributes::new().text("value", value),
    }
}

fn found(object: Object, mark: Mark) -> Found {
    Found {
        object,
        mark,
        handle: "4711".to_owned(),
    }
}

fn listing(objects: Vec<Found>) -> Listing<()> {
    Listing {
        objects,
        context: (),
    }
}

fn verbs(reconciled: &Reconciled) -> Vec<(Verb, &str)> {
    let changes = reconciled.plan.changes.iter();
    changes
        .map(|change| (change.verb(), change.id.name.as_str()))
        .collect()
}

fn consent(adopt: &[&str], delete: &[&str]) -> Consent {
    let own = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Consent {
        adopt: own(adopt),
        delete: own(delete),
        degraded: false,
    }
}

fn go(desired: &[Object], there: Vec<Found>, consent: &Consent) -> Reconciled {
    let goal = Goal {
        objects: desired,
        released: &[],
    };
    reconcile("yourapp.com", goal, &listing(there), consent)
}

#[test]
fn what_is_there_as_wanted_is_no_change_in_whatever_order() {
    let desired = [record("us.x.com A", "1"), record("cn.x.com A", "2")];
    let there = desired.iter().rev().cloned();
    let there = there.map(|object| found(object, Mark::Ours)).collect();
    assert!(go(&desired, there, &Consent::default()).is_empty());
}

#[test]
fn what_is_missing_is_made_and_what_differs_is_changed_in_the_order_of_what_is_wanted() {
    let desired = [record("us.x.com A", "1"), record("cn.x.com A", "2")];
    let there = vec![found(record("cn.x.com A", "9"), Mark::Ours)];
    let done = go(&desired, there, &Consent::default());
    assert_eq!(
        verbs(&done),
        [(Verb::Create, "us.x.com A"), (Verb::Update, "cn.x.com A")]
    );
    assert_eq!(
        done.plan.summary(),
        "yourapp.com: 2 resources, 1 to create, 1 to change, 0 to delete"
    );
}

#[test]
fn ours_that_is_no_longer_wanted_goes_last_and_only_by_name() {
    let there = || vec![found(record("eu.x.com A", "3"), Mark::Ours)];
    let desired = [record("us.x.com A", "1")];
    let done = go(&desired, there(), &Consent::default());
    assert_eq!(
        verbs(&done),
        [(Verb::Create, "us.x.com A"), (Verb::Delete, "eu.x.com A")]
    );
    assert_eq!(done.unconsented, [Id::new(Kind::Record, "eu.x.com A")]);
    for name in ["eu.x.com", "eu.x.com A"] {
        let done = go(&desired, there(), &consent(&[], &[name]));
        assert_eq!(done.unconsented, []);
    }
    let other = go(&desired, there(), &consent(&["eu.x.com"], &["x.com"]));
    assert_eq!(other.unconsented.len(), 1);
}

#[test]
fn a_foreign_object_of_a_wanted_name_is_a_conflict_even_if_it_is_just_what_is_wanted() {
    let desired = [record("us.x.com A", "1"), record("cn.x.com A", "2")];
    let there = vec![found(record("us.x.com A", "1"), Mark::Foreign)];
    let done = go(&desired, there, &Consent::default());
    assert_eq!(verbs(&done), [(Verb::Create, "cn.x.com A")]);
    assert_eq!(done.conflicts.len(), 1);
    assert_eq!(done.conflicts[0].handle, "4711");
    assert!(!done.is_empty());
}

#[test]
fn adoption_changes_the_named_object_and_no_other() {
    let desired = [record("us.x.com A", "1"), record("cn.x.com A", "2")];
    let there = vec![
        found(record("us.x.com A", "8"), Mark::Foreign),
        found(record("cn.x.com A", "9"), Mark::Foreign),
    ];
    let done = go(&desired, there, &consent(&["us.x.com"], &[]));
    assert_eq!(verbs(&done), [(Verb::Update, "us.x.com A")]);
    assert_eq!(done.adopted, [Id::new(Kind::Record, "us.x.com A")]);
    assert_eq!(done.conflicts.len(), 1);
    assert_eq!(done.conflicts[0].id.name, "cn.x.com A");
}

#[test]
fn a_plain_record_in_the_place_of_a_geographic_one_is_a_conflict_and_goes_once_it_is_adopted() {
    let desired = [
        record("api.x.com A geo NA", "1"),
        record("api.x.com A geo *", "2"),
    ];
    let there = || vec![found(record("api.x.com A", "8"), Mark::Foreign)];
    let done = go(&desired, there(), &Consent::default());
    assert_eq!(verbs(&done), []);
    assert_eq!(done.conflicts.len(), 1);

    let done = go(&desired, there(), &consent(&["api.x.com"], &[]));
    assert_eq!(done.conflicts, []);
    assert_eq!(done.unconsented, []);
    assert_eq!(
        verbs(&done),
        [
            (Verb::Create, "api.x.com A geo NA"),
            (Verb::Create, "api.x.com A geo *"),
            (Verb::Delete, "api.x.com A")
        ]
    );
}

#[test]
fn an_alias_of_somebody_elses_at_a_wanted_name_is_a_conflict() {
    let desired = [record("us.x.com A", "1")];
    let there = vec![found(record("us.x.com CNAME", "other.com"), Mark::Foreign)];
    assert_eq!(go(&desired, there, &Consent::default()).conflicts.len(), 1);
}

#[test]
fn what_is_foreign_and_in_nobodys_way_is_left_alone_and_is_no_difference() {
    let desired = [record("us.x.com A", "1")];
    let there = vec![
        found(record("us.x.com A", "1"), Mark::Ours),
        found(record("us.x.com MX", "mail"), Mark::Foreign),
        found(record("www.x.com A", "7"), Mark::Foreign),
        found(
            record("b.x.com A", "7"),
            Mark::OtherProject("geodeploy:blog".to_owned()),
        ),
    ];
    let everything = consent(
        &["us.x.com", "www.x.com"],
        &["www.x.com", "b.x.com", "us.x.com"],
    );
    assert!(go(&desired, there.clone(), &Consent::default()).is_empty());
    assert!(go(&desired, there, &everything).is_empty());
}

#[test]
fn what_belongs_to_another_project_cannot_be_adopted() {
    let desired = [record("us.x.com A", "1")];
    let mark = Mark::OtherProject("geodeploy:blog".to_owned());
    let there = vec![found(record("us.x.com A", "7"), mark.clone())];
    let done = go(&desired, there, &consent(&["us.x.com"], &["us.x.com"]));
    assert!(done.plan.is_empty());
    assert_eq!(done.conflicts[0].mark, mark);
}
