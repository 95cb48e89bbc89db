use super::super::fixture::{answer, wanted, zone_of};
use super::*;

const API: &str = "api.yourapp.com";

fn country(code: &str) -> Country {
    code.parse().unwrap()
}

#[test]
fn the_compiled_sets_give_every_country_the_tables_answer() {
    for routing in [
        "us NA=us AS=cn",
        "eu NA=us AS=cn SA=us JP=us RU=cn NA!=cn",
        "cn NA=us CA=eu MX=eu GB=us OC=us",
    ] {
        let wanted = wanted(3, 3, routing);
        let world = zone_of(&wanted);
        let table = &wanted.geo.as_ref().unwrap().routing;
        let answers = &wanted.geo.as_ref().unwrap().answers;
        for country in Country::all() {
            let region = table
                .countries
                .get(&country)
                .or_else(|| table.continents.get(&country.continent()))
                .unwrap_or(&table.default);
            let region = answers
                .iter()
                .find(|answer| answer.region == *region)
                .unwrap();
            let everyone = |_: &str| true;
            assert_eq!(
                answer(&world, API, "A", Some(country), &everyone),
                [region.addresses.ipv4.to_string()],
                "{country} by {routing}"
            );
            assert_eq!(
                answer(&world, API, "AAAA", Some(country), &everyone),
                [region.addresses.ipv6.unwrap().to_string()],
                "{country} by {routing}"
            );
        }
    }
}

#[test]
fn clients_that_no_place_is_known_of_get_the_declared_default() {
    for (routing, default) in [
        ("us NA=us AS=cn", "203.0.113.10"),
        ("cn NA=us", "203.0.113.20"),
    ] {
        let world = zone_of(&wanted(2, 0, routing));
        assert_eq!(answer(&world, API, "A", None, &|_| true), [default]);
    }
}

#[test]
fn losing_a_regions_server_gives_the_other_regions_and_never_nothing() {
    let world = zone_of(&wanted(2, 2, "us NA=us AS=cn"));
    let down = |region: &'static str| move |check: &str| !check.starts_with(region);
    for (lost, client, four, six) in [
        ("us", Some("US"), "203.0.113.20", "2001:db8::20"),
        ("us", Some("CN"), "203.0.113.20", "2001:db8::20"),
        ("us", Some("FR"), "203.0.113.20", "2001:db8::20"),
        ("us", None, "203.0.113.20", "2001:db8::20"),
        ("cn", Some("CN"), "203.0.113.10", "2001:db8::10"),
        ("cn", Some("US"), "203.0.113.10", "2001:db8::10"),
        ("both", Some("US"), "203.0.113.10", "2001:db8::10"),
    ] {
        let client = client.map(country);
        let health = down(lost);
        assert_eq!(
            answer(&world, API, "A", client, &health),
            [four],
            "{lost} {client:?}"
        );
        assert_eq!(
            answer(&world, API, "AAAA", client, &health),
            [six],
            "{lost} {client:?}"
        );
    }
}

#[test]
fn where_everything_is_down_the_answer_is_that_of_the_place() {
    let world = zone_of(&wanted(2, 0, "us NA=us AS=cn"));
    for (client, address) in [
        (Some("US"), "203.0.113.10"),
        (Some("CN"), "203.0.113.20"),
        (Some("FR"), "203.0.113.10"),
        (None, "203.0.113.10"),
    ] {
        let client = client.map(country);
        assert_eq!(
            answer(&world, API, "A", client, &|_| false),
            [address],
            "{client:?}"
        );
    }
}

#[test]
fn of_three_regions_a_place_falls_back_to_the_next_region_and_then_to_the_defaults() {
    let world = zone_of(&wanted(3, 0, "eu NA=us AS=cn"));
    for (well, client, address) in [
        ("cn", "US", "203.0.113.20"),
        ("eu", "US", "203.0.113.30"),
        ("eu", "CN", "203.0.113.30"),
        ("us", "CN", "203.0.113.10"),
        ("us", "FR", "203.0.113.10"),
    ] {
        let alone = |check: &str| check.starts_with(well);
        let client = Some(country(client));
        assert_eq!(
            answer(&world, API, "A", client, &alone),
            [address],
            "{well} {client:?}"
        );
    }
}

#[test]
fn there_is_no_aaaa_at_the_geo_name_while_a_region_has_no_ipv6_and_a_note_says_so() {
    let wanted = wanted(2, 1, "us NA=us AS=cn");
    let desired = desired(&wanted, false);
    let world = zone_of(&wanted);
    assert!(world.group(API, "AAAA").is_empty());
    assert_eq!(world.group("us.yourapp.com", "AAAA").len(), 1);
    assert!(
        desired
            .notes
            .iter()
            .any(|note| note.contains("cn has no IPv6")),
        "{:?}",
        desired.notes
    );
}

#[test]
fn what_differs_from_the_inventory_is_said() {
    let mut wanted = wanted(2, 2, "us AS=cn BV=cn");
    wanted.ttl = std::time::Duration::from_secs(300);
    let desired = desired(&wanted, false);
    for words in [
        "60 s instead of 300",
        "cn: Route 53 asks for its health from outside",
        "Bouvet Island (BV)",
    ] {
        assert!(
            desired.notes.iter().any(|note| note.contains(words)),
            "{:?}",
            desired.notes
        );
    }
    assert!(desired.degraded.is_empty());
    let world = zone_of(&wanted);
    assert_eq!(
        world.group("us.yourapp.com", "A")[0].ttl,
        Some(300),
        "no health, no limit"
    );
    assert_eq!(world.group("_gd-us.api.yourapp.com", "A")[0].ttl, Some(60));
}

#[test]
fn the_region_that_serves_china_is_given_up_after_more_failures() {
    for (routing, patient) in [
        ("us AS=cn", "cn"),
        ("us AS=us CN=cn", "cn"),
        ("us NA=cn", "us"),
    ] {
        let desired = desired(&wanted(2, 0, routing), false);
        for object in desired
            .objects
            .iter()
            .filter(|object| object.id.kind == Kind::HealthCheck)
        {
            let failures = object.attributes.get("failures").unwrap();
            let expected = if object.id.name.starts_with(patient) {
                "10"
            } else {
                "3"
            };
            assert_eq!(
                *failures,
                crate::plan::Value::Text(expected.to_owned()),
                "{routing}"
            );
        }
    }
}

#[test]
fn one_region_alone_is_a_plain_record_without_a_check() {
    let desired = desired(&wanted(1, 1, "us NA=us"), false);
    let ids: Vec<&str> = desired
        .objects
        .iter()
        .map(|object| object.id.name.as_str())
        .collect();
    assert_eq!(
        ids,
        [
            "us.yourapp.com A",
            "us.yourapp.com AAAA",
            "api.yourapp.com A",
            "api.yourapp.com AAAA"
        ]
    );
}

#[test]
fn regions_that_serve_https_are_asked_there() {
    let desired = desired(&wanted(2, 0, "us AS=cn"), true);
    let check = desired
        .objects
        .iter()
        .find(|object| object.id.kind == Kind::HealthCheck)
        .unwrap();
    assert_eq!(check.id.name, "us.yourapp.com IPv4 HTTPS");
    assert_eq!(
        check.attributes.get("port"),
        Some(&crate::plan::Value::Text("443".to_owned()))
    );
}
