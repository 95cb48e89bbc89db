use super::super::lines::tests::lines;
use super::*;

const OWNER: &str = "geodeploy:yourapp";

fn record(record_id: u64, kind: &str, value: &str, remark: &str) -> RecordItem {
    RecordItem {
        record_id,
        name: "US".to_owned(),
        kind: kind.to_owned(),
        line_id: "7=0".to_owned(),
        value: value.to_owned(),
        status: "ENABLE".to_owned(),
        ttl: 600,
        weight: Some(0),
        remark: Some(remark.to_owned()),
    }
}

fn one(records: &[RecordItem]) -> Found {
    let lines = lines(&[("7=0", "境内", true)]);
    let found = sets(records, "yourapp.com", OWNER, &lines);
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_record_of_ours_is_found_as_it_is_wanted_however_it_is_written() {
    let found = one(&[record(7, "AAAA", "2001:DB8:0:0::A", OWNER)]);
    assert_eq!(found.object.id.name, "us.yourapp.com AAAA 境内 7=0");
    assert_eq!(
        found.object.attributes,
        wanted("2001:db8::a".to_owned(), "7=0", 600, OWNER)
    );
    assert_eq!((found.mark, found.handle.as_str()), (Mark::Ours, "7"));
    assert_eq!(name_and_type(&found.object.id), ("us.yourapp.com", "AAAA"));
}

#[test]
fn all_records_of_a_name_type_and_line_are_one_set_in_an_order_of_its_own() {
    let mut paused = record(3, "A", "192.0.2.2", OWNER);
    paused.status = "DISABLE".to_owned();
    let records = [record(9, "A", "192.0.2.9", OWNER), paused];
    let found = one(&records);
    assert_eq!(found.handle, "3,9");
    let shown: Vec<(String, bool)> = entries(&found.object.attributes)
        .into_iter()
        .map(|entry| (entry.value, entry.paused))
        .collect();
    assert_eq!(
        shown,
        [
            ("192.0.2.2".to_owned(), true),
            ("192.0.2.9".to_owned(), false)
        ]
    );
}

#[test]
fn a_set_is_ours_only_as_a_whole_and_another_projects_as_soon_as_it_is_in_it() {
    let mark = |remarks: [&str; 2]| {
        one(&[
            record(1, "A", "192.0.2.1", remarks[0]),
            record(2, "A", "192.0.2.2", remarks[1]),
        ])
        .mark
    };
    assert_eq!(mark([OWNER, OWNER]), Mark::Ours);
    assert_eq!(mark([OWNER, ""]), Mark::Foreign);
    assert_eq!(mark(["手工", ""]), Mark::Foreign);
    let other = "geodeploy:blog";
    assert_eq!(mark([other, OWNER]), Mark::OtherProject(other.to_owned()));
}

#[test]
fn what_would_be_overwritten_of_a_foreign_record_is_shown() {
    let mut foreign = record(1, "CNAME", "Old.Example.net.", "手工添加");
    foreign.weight = Some(30);
    let attributes = one(&[foreign]).object.attributes;
    assert_eq!(text(&attributes, "remark"), Some("手工添加"));
    assert_eq!(text(&attributes, "weight"), Some("30"));
    assert_eq!(text(&attributes, "owner"), None);
    assert_eq!(entries(&attributes)[0].value, "old.example.net");
}

#[test]
fn a_name_and_its_label_are_told_from_each_other() {
    for (name, expected) in [
        ("yourapp.com", "@"),
        ("api.yourapp.com", "api"),
        ("a.b.yourapp.com", "a.b"),
        ("notyourapp.com", "notyourapp.com"),
    ] {
        assert_eq!(label(name, "yourapp.com"), expected);
    }
    assert_eq!(full_name("@", "yourapp.com"), "yourapp.com");
    assert_eq!(full_name("API", "yourapp.com"), "api.yourapp.com");
}
