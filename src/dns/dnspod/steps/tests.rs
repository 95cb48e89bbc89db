use super::super::lines::tests::lines;
use super::*;
use crate::plan::{Id, Kind};

fn context() -> Context {
    Context {
        zone: "yourapp.com".to_owned(),
        owner: "geodeploy:yourapp".to_owned(),
        names: Vec::new(),
        grade: "DP_FREE".to_owned(),
        least_ttl: 600,
        lines: lines(&[("0", "默认", true), ("7=0", "境内", true)]),
        notes: Vec::new(),
    }
}

fn side(values: &[&str], line: &str) -> Attributes {
    Attributes::new()
        .list("value", values.iter().map(ToString::to_string).collect())
        .text("line", line)
        .text("ttl", "600")
        .text("owner", "geodeploy:yourapp")
}

fn change(name: &str, line: &str, before: &[&str], after: &[&str]) -> Change {
    let side = |values: &[&str]| (!values.is_empty()).then(|| side(values, line));
    Change {
        id: Id::new(Kind::Record, name),
        before: side(before),
        after: side(after),
        consequences: Vec::new(),
    }
}

fn order(changes: &[Change]) -> Vec<String> {
    steps(changes).into_iter().map(|step| step.what).collect()
}

#[test]
fn a_default_line_comes_before_the_others_and_goes_after_them() {
    let changes = [
        change("api.x A 境内 7=0", "7=0", &[], &["192.0.2.1"]),
        change("api.x A", "0", &[], &["192.0.2.2"]),
        change("old.x A", "0", &["192.0.2.3"], &[]),
        change("old.x A 境内 7=0", "7=0", &["192.0.2.4"], &[]),
    ];
    assert_eq!(
        order(&changes),
        [
            "create record api.x A",
            "create record api.x A 境内 7=0",
            "delete record old.x A 境内 7=0",
            "delete record old.x A",
        ]
    );
}

#[test]
fn an_alias_is_turned_into_an_address_in_one_step_and_back() {
    let there = [
        change("api.x A", "0", &[], &["192.0.2.2"]),
        change("api.x AAAA", "0", &[], &["2001:db8::1"]),
        change("api.x CNAME", "0", &["old.net"], &[]),
    ];
    assert_eq!(
        order(&there),
        [
            "turn record api.x CNAME into record api.x A",
            "create record api.x AAAA"
        ]
    );
    let back = [
        change("api.x CNAME", "0", &[], &["old.net"]),
        change("api.x A", "0", &["192.0.2.2"], &[]),
        change("api.x AAAA", "0", &["2001:db8::1"], &[]),
        change("api.x AAAA 境内 7=0", "7=0", &["2001:db8::2"], &[]),
    ];
    assert_eq!(
        order(&back),
        [
            "delete record api.x AAAA",
            "turn record api.x A into record api.x CNAME",
            "delete record api.x AAAA 境内 7=0",
        ]
    );
    let handles = [(back[1].id.clone(), "5".to_owned())].into();
    let calls = calls(&steps(&back)[1], &handles, &context()).unwrap();
    let [Call::Put(body)] = &calls[..] else {
        panic!("{calls:?}")
    };
    assert_eq!(
        (body.record_id, body.record_type.as_str()),
        (Some(5), "CNAME")
    );
}

#[test]
fn every_change_is_in_exactly_one_step() {
    let changes = [
        change("a.x A", "0", &[], &["192.0.2.1"]),
        change("a.x CNAME", "0", &["b"], &[]),
        change("b.x A", "0", &["192.0.2.1"], &["192.0.2.2"]),
        change("c.x A 境内 7=0", "7=0", &["192.0.2.1"], &[]),
    ];
    let mut made: Vec<Change> = steps(&changes)
        .into_iter()
        .flat_map(|step| step.changes)
        .collect();
    made.sort_by_key(|change| change.id.clone());
    assert_eq!(made, changes);
}

fn made(before: &[&str], after: &[&str], handle: &str) -> Vec<String> {
    let change = change("us.yourapp.com A", "0", before, after);
    let handles = [(change.id.clone(), handle.to_owned())].into();
    let calls = calls(&steps(&[change])[0], &handles, &context()).unwrap();
    let show = |call: &Call| match call {
        Call::Put(body) => {
            assert_eq!(body.sub_domain, "us");
            assert_eq!((body.record_line.as_str(), body.ttl), ("默认", Some(600)));
            format!("put {:?} {} {}", body.record_id, body.value, body.status)
        }
        Call::Delete(id) => format!("delete {id}"),
    };
    calls.iter().map(show).collect()
}

#[test]
fn a_record_that_stays_is_modified_in_place_and_one_too_many_goes_last() {
    assert_eq!(made(&[], &["192.0.2.1"], ""), ["put None 192.0.2.1 ENABLE"]);
    assert_eq!(
        made(&["192.0.2.1"], &["192.0.2.2"], "7"),
        ["put Some(7) 192.0.2.2 ENABLE"]
    );
    assert_eq!(
        made(&["192.0.2.1", "192.0.2.2"], &["192.0.2.2"], "7,8"),
        ["delete 7"]
    );
    assert_eq!(
        made(&["192.0.2.1", "192.0.2.2"], &["192.0.2.3"], "7,8"),
        ["put Some(7) 192.0.2.3 ENABLE", "delete 8"]
    );
    // A paused record is the one that goes, and is answered again where it is the one that stays.
    assert_eq!(
        made(&["192.0.2.1 (paused)", "192.0.2.2"], &["192.0.2.3"], "7,8"),
        ["put Some(8) 192.0.2.3 ENABLE", "delete 7"]
    );
    assert_eq!(
        made(&["192.0.2.1 (paused)"], &["192.0.2.1"], "7"),
        ["put Some(7) 192.0.2.1 ENABLE"]
    );
    assert_eq!(
        made(&["192.0.2.1"], &["192.0.2.1", "192.0.2.2 (paused)"], "7"),
        ["put None 192.0.2.2 DISABLE"]
    );
}

#[test]
fn a_record_given_back_loses_the_mark_and_gets_its_remark() {
    let after = Attributes::new()
        .list("value", vec!["192.0.2.1".to_owned()])
        .text("line", "7=0")
        .text("ttl", "300")
        .text("remark", "手工添加")
        .text("weight", "30");
    let mut given = change("us.yourapp.com A 境内 7=0", "7=0", &["192.0.2.1"], &[]);
    given.after = Some(after);
    let handles = [(given.id.clone(), "7".to_owned())].into();
    let calls = calls(&steps(&[given])[0], &handles, &context()).unwrap();
    let [Call::Put(body)] = &calls[..] else {
        panic!("{calls:?}")
    };
    assert_eq!(
        (body.remark.as_str(), body.weight, body.ttl),
        ("手工添加", Some(30), Some(300))
    );
    assert_eq!(
        (body.record_line.as_str(), body.record_line_id.as_str()),
        ("境内", "7=0")
    );
}

#[test]
fn without_dnspods_id_nothing_is_guessed() {
    let change = change("us.yourapp.com A", "0", &["192.0.2.1"], &["192.0.2.2"]);
    let error = calls(&steps(&[change])[0], &Handles::new(), &context()).unwrap_err();
    assert!(
        error
            .what
            .contains("the id of record us.yourapp.com A is not known")
    );
}
