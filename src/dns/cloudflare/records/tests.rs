use super::*;
use crate::dns::cloudflare::tests::{context, wanted};

fn listed(id: &str, name: &str, kind: &str, content: &str, comment: &str) -> Listed<Record> {
    Listed {
        id: id.to_owned(),
        object: Record {
            name: name.to_owned(),
            kind: kind.to_owned(),
            content: content.to_owned(),
            ttl: 300,
            proxied: false,
            comment: comment.to_owned(),
        },
    }
}

fn side(values: &[&str]) -> Attributes {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Attributes::new()
        .list("values", values)
        .text("ttl", "60 s")
        .text("proxied", "no")
        .text(OWNER, "geodeploy:yourapp")
}

fn made(before: Option<Attributes>, after: Option<Attributes>, ids: &str) -> Batch {
    let id = id("us.yourapp.com", "A");
    let handles = Handles::from([(id.clone(), ids.to_owned())]);
    let change = Change::between(id, before, after).unwrap();
    batch(&[change], &handles, &context()).unwrap()
}

#[test]
fn an_alias_at_a_wanted_name_and_our_own_elsewhere_are_seen_and_nothing_else_is() {
    let wanted = wanted();
    let owner = wanted.owner.as_str();
    let records = [
        listed("1", "us.yourapp.com", "CNAME", "example.net", ""),
        listed("2", "old.yourapp.com", "AAAA", "2001:db8::1", owner),
        listed("3", "www.yourapp.com", "A", "192.0.2.1", ""),
        listed("4", "us.yourapp.com", "MX", "mx.example.net", ""),
        listed("5", "cn.yourapp.com", "A", "192.0.2.1", "geodeploy:other"),
    ];
    let found: Vec<(String, Mark)> = found(&records, &wanted)
        .into_iter()
        .map(|found| (found.object.id.name, found.mark))
        .collect();
    let other = Mark::OtherProject("geodeploy:other".to_owned());
    assert_eq!(
        found,
        [
            ("us.yourapp.com CNAME".to_owned(), Mark::Foreign),
            ("old.yourapp.com AAAA".to_owned(), Mark::Ours),
            ("cn.yourapp.com A".to_owned(), other),
        ]
    );
}

#[test]
fn a_set_of_which_one_record_is_foreign_is_foreign() {
    let records = [
        listed(
            "1",
            "us.yourapp.com",
            "A",
            "203.0.113.10",
            "geodeploy:yourapp",
        ),
        listed("2", "us.yourapp.com", "A", "192.0.2.1", ""),
    ];
    let found = found(&records, &wanted());
    assert_eq!(
        (&found[0].mark, found[0].handle.as_str()),
        (&Mark::Foreign, "2,1")
    );
}

#[test]
fn a_record_of_the_same_value_keeps_its_id_and_the_rest_goes() {
    let batch = made(Some(side(&["a", "b", "c"])), Some(side(&["c"])), "1,2,3");
    assert_eq!(batch.puts.len(), 1);
    assert_eq!(
        (
            batch.puts[0].id.as_str(),
            batch.puts[0].record.content.as_str()
        ),
        ("3", "c")
    );
    let deleted: Vec<&str> = batch.deletes.iter().map(|by| by.id.as_str()).collect();
    assert_eq!(deleted, ["1", "2"]);
    assert!(batch.posts.is_empty());
}

#[test]
fn another_value_is_put_under_the_id_that_there_is() {
    let batch = made(Some(side(&["a"])), Some(side(&["b", "c"])), "1");
    assert_eq!(
        (
            batch.puts[0].id.as_str(),
            batch.puts[0].record.content.as_str()
        ),
        ("1", "b")
    );
    assert_eq!(batch.posts[0].content, "c");
    assert_eq!(batch.posts[0].comment, "geodeploy:yourapp");
    let batch = made(Some(side(&["a"])), None, "1");
    assert_eq!(
        (batch.deletes.len(), batch.puts.len(), batch.posts.len()),
        (1, 0, 0)
    );
}
