use super::super::batch::text;
use super::super::fixture::{ZONE, wanted, zone_of};
use super::super::wire::{AliasTarget, Records, ResourceRecord};
use super::*;

/// A set in few words: `api A id=x geo=NA`, `us A 203.0.113.10 ttl=60`.
fn set(words: &str) -> RecordSet {
    let mut words = words.split(' ');
    let mut set = RecordSet {
        name: format!("{}.yourapp.com.", words.next().unwrap()),
        kind: words.next().unwrap().to_owned(),
        ..RecordSet::default()
    };
    let mut values = Vec::new();
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or(("value", word));
        let value = value.to_owned();
        match key {
            "id" => set.set_identifier = Some(value),
            "ttl" => set.ttl = Some(value.parse().unwrap()),
            "check" => set.health_check_id = Some(value),
            "failover" => set.failover = Some(value),
            "weight" => set.weight = Some(value.parse().unwrap()),
            "continent" => {
                set.geo_location = Some(GeoLocation {
                    continent_code: Some(value),
                    ..GeoLocation::default()
                });
            }
            "country" => {
                set.geo_location = Some(GeoLocation {
                    country_code: Some(value),
                    ..GeoLocation::default()
                });
            }
            "alias" => {
                set.alias_target = Some(AliasTarget {
                    hosted_zone_id: ZONE.id.to_owned(),
                    dns_name: format!("{value}.yourapp.com."),
                    evaluate_target_health: true,
                });
            }
            _ => values.push(ResourceRecord { value }),
        }
    }
    set.resource_records = (!values.is_empty()).then_some(Records { list: values });
    set
}

fn change(line: &str) -> SetChange {
    let (action, rest) = line.split_once(' ').unwrap();
    let action = match action {
        "+" => Action::Create,
        _ => Action::Delete,
    };
    SetChange {
        action,
        set: set(rest),
    }
}

/// What is wrong with a batch, or nothing.
fn wrong(world: &World, lines: &[&str]) -> String {
    let batch: Vec<SetChange> = lines.iter().map(|line| change(line)).collect();
    match check(world, &batch, &ZONE) {
        Ok(()) => String::new(),
        Err(error) => error.causes.join("; "),
    }
}

fn world(lines: &[&str]) -> World {
    let mut world = World::default();
    for line in lines {
        world.add(set(line));
    }
    world
}

#[test]
fn what_the_compiler_makes_is_sent() {
    for routing in ["us NA=us AS=cn", "cn NA=us JP=us"] {
        zone_of(&wanted(2, 2, routing));
    }
}

const PAIR: [&str; 2] = [
    "_gd A 203.0.113.1 id=p failover=PRIMARY ttl=60",
    "_gd A 203.0.113.2 id=s failover=SECONDARY ttl=60",
];
const EVERY: &str = "+ api A id=e country=* alias=_gd";

/// Whether the pair is there, a batch, and what is said of it.
const REFUSED: [(bool, &[&str], &str); 18] = [
    (
        true,
        &[
            EVERY,
            "+ api A id=a continent=NA alias=_gd",
            "+ api A id=b continent=NA alias=_gd",
        ],
        "two sets for NA",
    ),
    (
        true,
        &["+ api A id=a continent=NA alias=_gd"],
        "no set for everywhere else, `*`",
    ),
    (
        true,
        &[EVERY, "+ api A 203.0.113.1 ttl=60"],
        "mixes geolocation and simple sets",
    ),
    (
        true,
        &[EVERY, "+ api A id=w weight=1 203.0.113.1 ttl=60"],
        "mixes geolocation and weighted sets",
    ),
    (
        true,
        &[EVERY, "+ api A id=z continent=ZZ alias=_gd"],
        "no place ZZ",
    ),
    (
        true,
        &[EVERY, "+ api A id=z country=UK alias=_gd"],
        "no place UK",
    ),
    (
        true,
        &[EVERY, "+ api A id=z country=BV alias=_gd"],
        "no place BV",
    ),
    (
        false,
        &[EVERY],
        "stands for _gd.yourapp.com, which has no A",
    ),
    (
        false,
        &[
            "+ us CNAME x.yourapp.com. ttl=60",
            "+ us A 203.0.113.1 ttl=60",
        ],
        "beside which nothing may be",
    ),
    (
        false,
        &[
            "+ us A 203.0.113.1 ttl=300 check=1 id=p failover=PRIMARY",
            "+ us A 203.0.113.2 ttl=60 id=s failover=SECONDARY",
        ],
        "would be kept for 300 s; 60 are the most",
    ),
    (
        false,
        &["+ us A 203.0.113.300 ttl=60"],
        "`203.0.113.300` is no address",
    ),
    (
        false,
        &["+ us AAAA 203.0.113.1 ttl=60"],
        "`203.0.113.1` is no address",
    ),
    (
        false,
        &["+ us A ttl=60"],
        "either a TTL and values, or an alias",
    ),
    (
        false,
        &["+ us A 203.0.113.1 ttl=60 id=x"],
        "a simple one has none",
    ),
    (
        false,
        &["+ us A 203.0.113.1 ttl=60 id=p failover=PRIMARY"],
        "0 SECONDARY sets",
    ),
    (
        false,
        &["- us A 203.0.113.1 ttl=60"],
        "not there to be deleted",
    ),
    (
        true,
        &[
            "- _gd A 203.0.113.9 id=p failover=PRIMARY ttl=60",
            "- _gd A 203.0.113.2 id=s failover=SECONDARY ttl=60",
        ],
        "not deleted with the values that are stored",
    ),
    (
        true,
        &["+ _gd A 203.0.113.9 id=p failover=PRIMARY ttl=60"],
        "is there already",
    ),
];

#[test]
fn each_rule_is_enforced_before_anything_is_sent() {
    for (pair, lines, words) in REFUSED {
        let there: &[&str] = if pair { &PAIR } else { &[] };
        let said = wrong(&world(there), lines);
        assert!(said.contains(words), "{lines:?}: {said:?}");
    }
}

#[test]
fn a_target_does_not_go_while_an_alias_stands_for_it() {
    let world = world(&[
        "_gd A 203.0.113.1 id=p failover=PRIMARY ttl=60",
        "_gd A 203.0.113.2 id=s failover=SECONDARY ttl=60",
        "api A id=e country=* alias=_gd",
    ]);
    let lines = [
        "- _gd A 203.0.113.1 id=p failover=PRIMARY ttl=60",
        "- _gd A 203.0.113.2 id=s failover=SECONDARY ttl=60",
    ];
    assert!(wrong(&world, &lines).contains("which has no A"));
    let both = [lines[0], lines[1], "- api A id=e country=* alias=_gd"];
    assert_eq!(wrong(&world, &both), "");
}

#[test]
fn a_name_outside_of_the_zone_is_refused() {
    let set = text(
        "_geodeploy.us.yourapp.com.example",
        60,
        vec!["\"x\"".to_owned()],
    );
    let batch = [SetChange {
        action: Action::Create,
        set,
    }];
    let error = check(&World::default(), &batch, &ZONE).unwrap_err();
    assert!(
        error.causes[0].contains("does not lie in the zone yourapp.com"),
        "{error}"
    );
}

#[test]
fn a_simple_set_is_replaced_by_geolocation_sets_in_one_batch() {
    let world = world(&[
        "_gd A 203.0.113.1 id=p failover=PRIMARY ttl=60",
        "_gd A 203.0.113.2 id=s failover=SECONDARY ttl=60",
        "api A 198.51.100.7 ttl=300",
    ]);
    let lines = [
        "- api A 198.51.100.7 ttl=300",
        "+ api A id=e country=* alias=_gd",
    ];
    assert_eq!(wrong(&world, &lines), "");
    assert!(wrong(&world, &lines[1..]).contains("mixes geolocation and simple"));
}
