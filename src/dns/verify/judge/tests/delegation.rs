//! Delegations that are not as they should be.

use super::*;

fn names(names: &[&str]) -> Vec<Data> {
    names
        .iter()
        .map(|name| Data::Ns((*name).to_owned()))
        .collect()
}

/// The first zone's delegation as the zone above says it, from that many servers of it.
fn above(seen: &mut Seen, says: &[&[&str]]) -> String {
    let zone = &mut seen.zones[0];
    let name = zone.zone.clone();
    let delegation = zone.delegation.as_mut().unwrap();
    let model = delegation.asked[0].clone();
    let each = says.iter().enumerate().map(|(index, says)| {
        let mut exchange = model.clone();
        exchange.server = server(&format!("ns{index}.above"), &format!("192.0.2.{index}"));
        let reply = exchange.answer.as_mut().unwrap();
        reply.answers.clear();
        let lines = names(says).into_iter();
        reply.authorities = lines.map(|data| record(&name, 3600, data)).collect();
        exchange
    });
    delegation.asked = each.collect();
    name
}

const OURS: [&str; 2] = ["us.yourapp.com", "cn.yourapp.com"];

#[test]
fn a_zone_above_that_names_other_servers_than_the_zone_itself_is_stale() {
    let expected = expected("embedded");
    let mut seen = world(&expected, |_| {});
    above(&mut seen, &[&["us.yourapp.com", "old.yourapp.com"]]);
    let found = bad(&expected, &seen);
    let told = "above delegates api.yourapp.com to old.yourapp.com and us.yourapp.com instead of cn.yourapp.com and us.yourapp.com";
    assert!(found.iter().any(|line| line.ends_with(told)), "{found:?}");
    let stale = "the delegation of api.yourapp.com is stale: above names old.yourapp.com and us.yourapp.com, the zone itself cn.yourapp.com and us.yourapp.com";
    assert!(found.iter().any(|line| line.ends_with(stale)), "{found:?}");
    assert!(
        found
            .iter()
            .all(|line| line.starts_with("Differs delegation")),
        "{found:?}"
    );
}

#[test]
fn a_zone_above_that_has_moved_in_part_is_told_with_who_says_what() {
    let expected = expected("embedded");
    let mut seen = world(&expected, |_| {});
    above(&mut seen, &[&OURS, &["ns.elsewhere.example"]]);
    let found = bad(&expected, &seen);
    let told = "the servers of above do not agree on who answers for api.yourapp.com";
    assert!(found.iter().any(|line| line.contains(told)), "{found:?}");
}

#[test]
fn a_name_that_is_not_delegated_is_told_with_where_to_enter_it() {
    let expected = expected("embedded");
    let mut seen = world(&expected, |_| {});
    above(&mut seen, &[&[]]);
    seen.zones[0].asked.clear();
    let findings = judge(&expected, &seen);
    let first = &findings[0];
    assert_eq!(first.told, "above does not delegate api.yourapp.com");
    assert!(first.hint.unwrap().contains("zone above"), "{first:?}");
    assert_eq!(worst(&findings), Word::Differs);
}

#[test]
fn glue_that_is_not_the_hosts_address_and_a_server_without_one_differ() {
    let expected = expected("embedded");
    let mut seen = world(&expected, |_| {});
    above(&mut seen, &[&OURS]);
    let delegation = seen.zones[0].delegation.as_mut().unwrap();
    let glue = Data::Address("192.0.2.99".parse().unwrap());
    let reply = delegation.asked[0].answer.as_mut().unwrap();
    reply.additional = vec![record("us.yourapp.com", 3600, glue)];
    delegation
        .without_address
        .insert("cn.yourapp.com".to_owned());
    let found = bad(&expected, &seen);
    assert_eq!(
        found,
        [
            "Differs delegation: api.yourapp.com has a server cn.yourapp.com, which has no address",
            "Differs delegation: above says that us.yourapp.com is at 192.0.2.99",
        ]
    );
}

#[test]
fn servers_of_a_zone_that_name_different_servers_are_told() {
    let expected = expected("embedded");
    let found = bad(
        &expected,
        &world(&expected, |exchange| {
            if is_cn(exchange) && exchange.question.kind == Kind::Ns {
                reply(exchange).answers.truncate(1);
            }
        }),
    );
    let told = "its own servers do not agree on who answers for api.yourapp.com";
    assert!(found.iter().any(|line| line.contains(told)), "{found:?}");
}
