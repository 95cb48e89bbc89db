use super::super::lines::tests::lines;
use super::*;
use crate::dns::HostName;
use crate::inventory::Routing;

fn context() -> Context {
    Context {
        zone: "yourapp.com".to_owned(),
        owner: "geodeploy:yourapp".to_owned(),
        names: Vec::new(),
        grade: "DP_ULTRA".to_owned(),
        least_ttl: 1,
        lines: lines(&[
            ("0", "默认", true),
            ("7=0", "境内", true),
            ("a", "亚洲", true),
        ]),
        notes: vec!["yourapp.com is not delegated".to_owned()],
    }
}

/// Two regions, of which only us has an IPv6 address unless `both`.
fn wanted(both: bool) -> Wanted {
    let answer = |name: &str, last: u8, has_ipv6: bool| Answer {
        region: name.parse().unwrap(),
        domain: format!("{name}.yourapp.com").parse().unwrap(),
        addresses: Addresses {
            ipv4: [192, 0, 2, last].into(),
            ipv6: has_ipv6.then(|| [0x2001, 0xdb8, 0, 0, 0, 0, 0, last.into()].into()),
        },
    };
    let answers = vec![answer("us", 1, true), answer("cn", 2, both)];
    Wanted {
        zone: "yourapp.com".parse().unwrap(),
        owner: "geodeploy:yourapp".to_owned(),
        ttl: Duration::from_secs(60),
        hosts: answers
            .iter()
            .map(|answer| HostName {
                name: answer.domain.clone(),
                region: answer.region.clone(),
                addresses: answer.addresses,
            })
            .collect(),
        geo: Some(GeoName {
            name: "api.yourapp.com".parse().unwrap(),
            answers,
            routing: Routing {
                default: "us".parse().unwrap(),
                continents: [("AS".parse().unwrap(), "cn".parse().unwrap())].into(),
                countries: Default::default(),
            },
        }),
    }
}

fn names(desired: &Desired) -> Vec<&str> {
    let objects = desired.objects.iter();
    objects.map(|object| object.id.name.as_str()).collect()
}

#[test]
fn the_default_line_comes_first_in_both_families() {
    let desired = desired(&wanted(true), &context());
    assert_eq!(
        names(&desired),
        [
            "us.yourapp.com A",
            "us.yourapp.com AAAA",
            "cn.yourapp.com A",
            "cn.yourapp.com AAAA",
            "api.yourapp.com A",
            "api.yourapp.com A 亚洲 a",
            "api.yourapp.com A 境内 7=0",
            "api.yourapp.com AAAA",
            "api.yourapp.com AAAA 亚洲 a",
            "api.yourapp.com AAAA 境内 7=0",
        ]
    );
    assert_eq!(desired.notes[0], "yourapp.com is not delegated");
    assert!(desired.degraded.is_empty());
}

#[test]
fn a_client_gets_no_other_regions_ipv6_address_where_its_own_has_none() {
    let desired = desired(&wanted(false), &context());
    assert!(names(&desired).contains(&"us.yourapp.com AAAA"));
    assert!(
        !names(&desired)
            .iter()
            .any(|name| name.starts_with("api.yourapp.com AAAA"))
    );
    let note = desired
        .notes
        .iter()
        .find(|note| note.contains("AAAA"))
        .unwrap();
    assert!(note.contains("because cn has no IPv6 address"), "{note}");
}

#[test]
fn without_a_name_by_geography_there_are_the_hosts_alone() {
    let mut hosts = wanted(true);
    hosts.geo = None;
    let desired = desired(&hosts, &context());
    assert_eq!(desired.objects.len(), 4);
    assert_eq!(desired.notes.len(), 1);
}
