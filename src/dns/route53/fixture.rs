//! What the tests of these modules begin with: a wanted zone, and Route 53's own way of answering.

use std::collections::BTreeMap;

use super::batch::{Ground, build};
use super::compile::desired;
use super::names::wanted_names;
use super::spec::CheckNames;
use super::steps::steps;
use super::text::canonical;
use super::validate::{Zone, check};
use super::wire::RecordSet;
use super::world::World;
use crate::dns::{Answer, Desired, GeoName, Handles, HostName, Wanted};
use crate::geography::Country;
use crate::inventory::{Addresses, Routing};
use crate::plan::{Change, Kind};

pub(super) const ZONE: Zone<'static> = Zone {
    id: "Z0",
    name: "yourapp.com",
};
pub(super) const OWNER: &str = "geodeploy:yourapp";

/// Regions as hosts and answers: `us`, `cn` and `eu`, as many as are asked for, the first ones with IPv6.
pub(super) fn wanted(regions: usize, with_six: usize, routing: &str) -> Wanted {
    let names = ["us", "cn", "eu"];
    let mut hosts = Vec::new();
    let mut answers = Vec::new();
    for (index, name) in names.into_iter().take(regions).enumerate() {
        let number = (index + 1) * 10;
        let addresses = Addresses {
            ipv4: format!("203.0.113.{number}").parse().unwrap(),
            ipv6: (index < with_six).then(|| format!("2001:db8::{number}").parse().unwrap()),
        };
        let domain: crate::inventory::DomainName = format!("{name}.yourapp.com").parse().unwrap();
        hosts.push(HostName {
            name: domain.clone(),
            region: name.parse().unwrap(),
            addresses,
        });
        answers.push(Answer {
            region: name.parse().unwrap(),
            domain,
            addresses,
        });
    }
    Wanted {
        zone: "yourapp.com".parse().unwrap(),
        owner: OWNER.to_owned(),
        ttl: std::time::Duration::from_secs(60),
        hosts,
        geo: Some(GeoName {
            name: "api.yourapp.com".parse().unwrap(),
            answers,
            routing: self::routing(routing),
        }),
    }
}

/// `us NA=us AS=cn JP=us`: the default, then continents and countries.
fn routing(text: &str) -> Routing {
    let mut words = text.split(' ');
    let mut routing = Routing {
        default: words.next().unwrap().parse().unwrap(),
        continents: BTreeMap::new(),
        countries: BTreeMap::new(),
    };
    for word in words {
        let (place, region) = word.split_once('=').unwrap();
        let region: crate::inventory::RegionName = region.parse().unwrap();
        // NA is a continent and Namibia: a country is written with an exclamation mark where both are codes.
        if let Some(country) = place.strip_suffix('!') {
            routing.countries.insert(country.parse().unwrap(), region);
        } else if let Ok(continent) = place.parse() {
            routing.continents.insert(continent, region);
        } else {
            routing.countries.insert(place.parse().unwrap(), region);
        }
    }
    routing
}

/// The changes that make an empty zone as desired.
pub(super) fn creations(desired: &Desired) -> Vec<Change> {
    let objects = desired.objects.iter();
    objects
        .filter_map(|object| {
            Change::between(object.id.clone(), None, Some(object.attributes.clone()))
        })
        .collect()
}

/// The zone after everything that is wanted was written to `world`, step by step, each checked.
pub(super) fn written(mut world: World, changes: &[Change]) -> World {
    // A check's id is its name here.
    let mut handles = Handles::new();
    for step in steps(changes) {
        let id = &step.changes[0].id;
        if id.kind == Kind::HealthCheck {
            handles.insert(id.clone(), id.name.clone());
            continue;
        }
        let ids = world.all().filter_map(|set| set.health_check_id.clone());
        let checks: CheckNames = ids.map(|id| (id.clone(), id)).collect();
        let ground = Ground {
            world: &world,
            zone: ZONE,
            checks: &checks,
            owner: OWNER,
        };
        let batch = build(ground, &step.changes, &handles).unwrap();
        check(&world, &batch, &ZONE).unwrap_or_else(|error| panic!("{}: {error}", step.what));
        world = world.after(&batch);
    }
    world
}

/// An empty zone made as wanted.
pub(super) fn zone_of(wanted: &Wanted) -> World {
    assert!(!wanted_names(wanted).is_empty());
    written(World::default(), &creations(&desired(wanted, false)))
}

/// What Route 53 answers, by its documentation: the smallest place that is well, then wider ones; a failover pair's primary
/// unless the secondary alone is well; and where everything is ill, as if everything were well.
pub(super) fn answer(
    world: &World,
    name: &str,
    kind: &str,
    client: Option<Country>,
    is_well: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let sets = world.group(name, kind);
    if sets.iter().all(|set| set.geo_location.is_none()) {
        let chosen = sets
            .iter()
            .find(|set| set.failover.as_deref() == Some("PRIMARY") && well(world, set, is_well))
            .or_else(|| {
                sets.iter().find(|set| {
                    set.failover.as_deref() == Some("SECONDARY") && well(world, set, is_well)
                })
            })
            .or_else(|| {
                sets.iter()
                    .find(|set| set.failover.as_deref() != Some("SECONDARY"))
            });
        return chosen
            .map(|set| told(world, set, client, is_well))
            .unwrap_or_default();
    }
    let place = |set: &&&RecordSet, continent: Option<&str>, country: Option<&str>| {
        let geo = set.geo_location.clone().unwrap();
        geo.continent_code.as_deref() == continent && geo.country_code.as_deref() == country
    };
    let mut candidates: Vec<&&RecordSet> = Vec::new();
    if let Some(client) = client {
        candidates.extend(
            sets.iter()
                .find(|set| place(set, None, Some(client.code()))),
        );
        candidates.extend(
            sets.iter()
                .find(|set| place(set, Some(client.continent().code()), None)),
        );
    }
    candidates.extend(sets.iter().find(|set| place(set, None, Some("*"))));
    let chosen = candidates
        .iter()
        .find(|set| well(world, set, is_well))
        .or(candidates.first());
    chosen
        .map(|set| told(world, set, client, is_well))
        .unwrap_or_default()
}

fn told(
    world: &World,
    set: &RecordSet,
    client: Option<Country>,
    is_well: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    match &set.alias_target {
        Some(alias) => answer(
            world,
            &canonical(&alias.dns_name),
            &set.kind,
            client,
            is_well,
        ),
        None => set.values().into_iter().map(str::to_owned).collect(),
    }
}

fn well(world: &World, set: &RecordSet, is_well: &dyn Fn(&str) -> bool) -> bool {
    match &set.alias_target {
        Some(alias) if alias.evaluate_target_health => world
            .group(&canonical(&alias.dns_name), &set.kind)
            .iter()
            .any(|target| well(world, target, is_well)),
        _ => set.health_check_id.as_deref().is_none_or(is_well),
    }
}
