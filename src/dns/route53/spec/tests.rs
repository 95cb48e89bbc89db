use super::*;

fn id(name: &str) -> Id {
    Id::new(Kind::Record, name)
}

fn base() -> RecordSet {
    let value = |value: &str| ResourceRecord {
        value: value.to_owned(),
    };
    RecordSet {
        name: "a.yourapp.com.".to_owned(),
        kind: "A".to_owned(),
        set_identifier: Some("x".to_owned()),
        ttl: Some(60),
        resource_records: Some(Records {
            list: vec![value("203.0.113.1"), value("203.0.113.2")],
        }),
        ..RecordSet::default()
    }
}

fn place(
    continent: Option<&str>,
    country: Option<&str>,
    state: Option<&str>,
) -> Option<GeoLocation> {
    Some(GeoLocation {
        continent_code: continent.map(str::to_owned),
        country_code: country.map(str::to_owned),
        subdivision_code: state.map(str::to_owned),
    })
}

/// One set of every policy, with values.
fn with_values() -> Vec<RecordSet> {
    vec![
        RecordSet {
            set_identifier: None,
            ..base()
        },
        RecordSet {
            weight: Some(0),
            health_check_id: Some("id-1".to_owned()),
            ..base()
        },
        RecordSet {
            region: Some("us-east-1".to_owned()),
            health_check_id: Some("foreign".to_owned()),
            ..base()
        },
        RecordSet {
            geo_location: place(None, Some("US"), Some("CA")),
            ..base()
        },
        RecordSet {
            multi_value_answer: Some(true),
            ..base()
        },
        RecordSet {
            cidr_routing_config: Some(CidrRouting {
                collection_id: "c".to_owned(),
                location_name: "l".to_owned(),
            }),
            ..base()
        },
    ]
}

/// Aliases within the zone and out of it.
fn aliases() -> Vec<RecordSet> {
    let alias = |zone: &str| RecordSet {
        ttl: None,
        resource_records: None,
        alias_target: Some(AliasTarget {
            hosted_zone_id: zone.to_owned(),
            dns_name: "b.yourapp.com.".to_owned(),
            evaluate_target_health: true,
        }),
        ..base()
    };
    vec![
        RecordSet {
            geo_location: place(Some("AS"), None, None),
            ..alias("Z0")
        },
        RecordSet {
            failover: Some("PRIMARY".to_owned()),
            ..alias("Z9")
        },
    ]
}

#[test]
fn every_kind_of_set_survives_as_attributes_but_what_route_53_manages_itself() {
    let names = CheckNames::from([("id-1".to_owned(), "us.yourapp.com IPv4".to_owned())]);
    let check = Id::new(Kind::HealthCheck, "us.yourapp.com IPv4");
    let handles = Handles::from([(check, "id-1".to_owned())]);
    for set in with_values().into_iter().chain(aliases()) {
        let shown = attributes(&[Spec::of(&set, "Z0", &names)], None);
        let (back, owner) = specs(&id("a.yourapp.com A"), &shown).unwrap();
        assert_eq!(owner, None);
        let made = back[0].record_set("a.yourapp.com", "A", "Z0", &handles);
        assert_eq!(made.unwrap(), set);
    }
    let managed = RecordSet {
        traffic_policy_instance_id: Some("t".to_owned()),
        ..base()
    };
    let spec = Spec::of(&managed, "Z0", &names);
    let error = spec
        .record_set("a.yourapp.com", "A", "Z0", &handles)
        .unwrap_err();
    assert!(error.what.contains("traffic policy t"), "{error}");
}

#[test]
fn order_case_and_form_make_no_difference() {
    let set = |values: [&str; 2]| RecordSet {
        kind: "AAAA".to_owned(),
        resource_records: Some(Records {
            list: values
                .map(|value| ResourceRecord {
                    value: value.to_owned(),
                })
                .to_vec(),
        }),
        ..RecordSet::default()
    };
    let names = CheckNames::new();
    let one = Spec::of(&set(["2001:db8::1", "2001:DB8:0::2"]), "Z0", &names);
    let other = Spec::of(&set(["2001:db8::2", "2001:db8::1"]), "Z0", &names);
    assert_eq!(one, other);
    let pair = |first: &Spec, second: &Spec| attributes(&[first.clone(), second.clone()], None);
    let two = Spec {
        set: Some("b".to_owned()),
        ..one.clone()
    };
    assert_eq!(pair(&one, &two), pair(&two, &one));
}

#[test]
fn what_is_no_description_of_ours_is_refused() {
    let attributes = Attributes::new().text("content", "203.0.113.1");
    let error = specs(&id("us.yourapp.com A"), &attributes).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input);
}
