//! Answers that are not the inventory's.

use super::*;

#[test]
fn an_address_that_nobody_in_the_inventory_has_is_an_alarm() {
    let found = of_changed(|exchange| {
        if is_cn(exchange) && exchange.subnet() == "49.96.0.0/24".parse().ok() {
            for record in &mut reply(exchange).answers {
                record.data = Data::Address("8.7.198.45".parse().unwrap());
            }
        }
    });
    let alarm = "Differs foreign: api.yourapp.com A is answered with 8.7.198.45, which nobody in the inventory has";
    assert!(found.contains(&alarm.to_owned()), "{found:?}");
}

#[test]
fn a_client_that_gets_the_wrong_region_is_named_and_so_is_the_disagreement_of_servers() {
    let expected = expected("embedded");
    let us = expected.wanted.hosts[0].addresses.ipv4.into();
    let seen = world(&expected, |exchange| {
        if is_cn(exchange) && exchange.subnet() == "49.96.0.0/24".parse().ok() {
            for record in &mut reply(exchange).answers {
                record.data = Data::Address(us);
            }
        }
    });
    let findings = judge(&expected, &seen);
    let geo = findings
        .iter()
        .find(|finding| finding.check == Check::Geo)
        .unwrap();
    assert_eq!(geo.word, Word::Differs);
    assert!(
        geo.told
            .contains("is answered with us (203.0.113.10) instead of cn (198.51.100.20)"),
        "{geo:?}"
    );
    assert_eq!(geo.clients, BTreeSet::from(["49.96.0.0/24 JP".to_owned()]));
    assert_eq!(
        geo.servers,
        BTreeSet::from(["cn.yourapp.com (198.51.100.20)".to_owned()])
    );
    let agreement = findings
        .iter()
        .find(|finding| finding.check == Check::Agreement)
        .unwrap();
    assert!(
        agreement.told.contains("has several answers"),
        "{agreement:?}"
    );
    let well = "api.yourapp.com: 29 clients get their region";
    assert!(findings.iter().any(|finding| finding.told == well));
}

#[test]
fn a_ttl_of_zero_or_longer_than_wanted_differs_and_what_a_plan_forces_is_a_warning() {
    for (ttl, word) in [(0, "Differs"), (3600, "Differs"), (30, "")] {
        let found = of_changed(|exchange| {
            let addresses = reply(exchange).answers.iter_mut();
            addresses.for_each(|record| record.ttl = ttl);
        });
        let told = format!("{word} ttl: api.yourapp.com A: TTL {ttl} s instead of 60 s");
        assert_eq!(found.contains(&told), !word.is_empty(), "{found:?}");
    }
    let mut expected = expected("embedded");
    expected.longest_ttl = std::time::Duration::from_secs(600);
    let seen = world(&expected, |exchange| {
        reply(exchange)
            .answers
            .iter_mut()
            .for_each(|record| record.ttl = 600);
    });
    assert_eq!(worst(&judge(&expected, &seen)), Word::Warning);
    let tencent =
        "provider = \"dnspod\"\nsecret_id = { env = \"A\" }\nsecret_key = { env = \"B\" }";
    let text = format!("{EXAMPLE}\n[dns]\n{tencent}\n{ROUTING}");
    let dns = Inventory::parse(&text, "x").unwrap().dns.unwrap();
    assert!(matches!(dns.provider, DnsProvider::Dnspod { .. }));
    let forced = Expected::new(expected.wanted, &dns.provider);
    assert_eq!(
        (forced.longest_ttl.as_secs(), forced.delegated_to),
        (600, None)
    );
}

#[test]
fn an_ipv6_answer_where_the_region_has_no_such_address_differs() {
    let mut expected = expected("embedded");
    let geo = expected.wanted.geo.as_mut().unwrap();
    let six = geo
        .answers
        .iter()
        .find_map(|answer| answer.addresses.ipv6)
        .unwrap();
    let seen = world(&expected, |_| {});
    let geo = expected.wanted.geo.as_mut().unwrap();
    geo.answers
        .iter_mut()
        .filter(|answer| answer.region.as_str() == "us")
        .for_each(|answer| answer.addresses.ipv6 = None);
    let found = bad(&expected, &seen);
    let told = format!("({six}) instead of nothing, as us has no IPv6 address");
    assert!(found.iter().any(|line| line.contains(&told)), "{found:?}");
}

#[test]
fn a_server_that_ignores_the_clients_network_is_a_warning_and_its_answers_say_nothing() {
    let expected = expected("embedded");
    let us = expected.wanted.hosts[0].addresses;
    let found = of_changed(|exchange| {
        if is_cn(exchange) && exchange.subnet().is_some() {
            let kind = exchange.question.kind;
            let name = exchange.question.name.clone();
            let reply = reply(exchange);
            reply.scope = Some(0);
            let line = |address| record(&name, 60, Data::Address(address));
            reply.answers = of(us, kind).into_iter().map(line).collect();
        }
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(
        "Warning client subnet: api.yourapp.com is answered by the resolver's own address"
    ));
}
