//! What a batch must keep, said before it is sent. Pure.
//!
//! Route 53 rejects most of this itself, one thing at a time, in words of its own. It takes a name that answers nobody
//! outside of the listed places, and a target that is slower to change than its health.

use std::collections::BTreeSet;

use super::compile::{LONGEST_TTL, NOT_LOCATED};
use super::text::canonical;
use super::wire::{Action, GeoLocation, RecordSet, SetChange};
use super::world::{World, key};
use crate::error::{Error, ErrorKind};
use crate::geography::{Continent, Country};

/// How many changes Route 53 takes at once.
const LARGEST_BATCH: usize = 1000;

/// Checks a batch against the zone that it is for.
///
/// # Errors
/// Everything that is wrong with it, a cause each.
pub(super) fn check(world: &World, batch: &[SetChange], zone: &Zone<'_>) -> Result<(), Error> {
    let mut wrong = Vec::new();
    if batch.len() > LARGEST_BATCH {
        wrong.push(format!(
            "it makes {} changes, and Route 53 takes {LARGEST_BATCH} at once",
            batch.len()
        ));
    }
    for change in batch {
        stored(world, change, zone, &mut wrong);
    }
    twice(world, batch, &mut wrong);
    let after = world.after(batch);
    let names: BTreeSet<String> = batch
        .iter()
        .map(|change| canonical(&change.set.name))
        .collect();
    for name in &names {
        let sets: Vec<&RecordSet> = after.named(name).collect();
        alias_alone(name, &sets, &mut wrong);
        let kinds: BTreeSet<&str> = sets.iter().map(|set| set.kind.as_str()).collect();
        for kind in kinds {
            group(name, kind, &after.group(name, kind), &mut wrong);
        }
    }
    targets(&after, &names, zone, &mut wrong);
    if wrong.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let what = format!("the change of {} is not sent", names.join(", "));
    let error = Error::new(ErrorKind::Failed, what);
    let error = wrong.into_iter().fold(error, Error::cause);
    Err(error.hint("nothing was written by it; look at `geodeploy dns plan`"))
}

/// A zone by id and name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zone<'z> {
    pub(super) id: &'z str,
    pub(super) name: &'z str,
}

fn stored(world: &World, change: &SetChange, zone: &Zone<'_>, wrong: &mut Vec<String>) {
    let set = &change.set;
    let name = canonical(&set.name);
    let which = format!(
        "{name} {}{}",
        set.kind,
        set.set_identifier
            .as_ref()
            .map(|id| format!(" ({id})"))
            .unwrap_or_default()
    );
    if name != zone.name && !name.ends_with(&format!(".{}", zone.name)) {
        wrong.push(format!("{which} does not lie in the zone {}", zone.name));
    }
    match (change.action, world.get(&key(set))) {
        (Action::Delete, None) => wrong.push(format!("{which} is not there to be deleted")),
        (Action::Delete, Some(found)) if found != set => {
            wrong.push(format!(
                "{which} is not deleted with the values that are stored"
            ));
        }
        (Action::Create, _) => addresses(&which, set, wrong),
        (Action::Delete, Some(_)) => {}
    }
}

/// What is created may be there only if the same batch deletes it.
fn twice(world: &World, batch: &[SetChange], wrong: &mut Vec<String>) {
    let keys = |action| {
        let of_action = batch.iter().filter(move |change| change.action == action);
        of_action.map(|change| key(&change.set))
    };
    let deleted: BTreeSet<_> = keys(Action::Delete).collect();
    let mut created = BTreeSet::new();
    for key in keys(Action::Create) {
        let there = world.get(&key).is_some() && !deleted.contains(&key);
        let (name, kind, _) = &key;
        if there || created.contains(&key) {
            wrong.push(format!("{name} {kind} is there already, or created twice"));
        }
        created.insert(key);
    }
}

fn addresses(which: &str, set: &RecordSet, wrong: &mut Vec<String>) {
    let is_address = |value: &str| match set.kind.as_str() {
        "A" => value.parse::<std::net::Ipv4Addr>().is_ok(),
        "AAAA" => value.parse::<std::net::Ipv6Addr>().is_ok(),
        _ => true,
    };
    let values = set.values();
    let bad = values.iter().filter(|value| !is_address(value));
    wrong.extend(bad.map(|value| format!("{which}: `{value}` is no address of that type")));
    let alias = set.alias_target.is_some();
    let whole = !values.is_empty() && set.ttl.is_some();
    let bare = values.is_empty() && set.ttl.is_none();
    if !(if alias { bare } else { whole }) {
        wrong.push(format!(
            "{which} must have either a TTL and values, or an alias"
        ));
    }
    if set.health_check_id.is_some() && set.ttl.is_some_and(|ttl| ttl > LONGEST_TTL) {
        wrong.push(format!(
            "{which} depends on health and would be kept for {} s; {LONGEST_TTL} are the most",
            set.ttl.unwrap_or_default()
        ));
    }
}

fn alias_alone(name: &str, sets: &[&RecordSet], wrong: &mut Vec<String>) {
    let kinds: BTreeSet<&str> = sets.iter().map(|set| set.kind.as_str()).collect();
    if kinds.len() > 1 && kinds.contains("CNAME") {
        wrong.push(format!("{name} is a CNAME, beside which nothing may be"));
    }
}

/// How a set is chosen among those of its name and type.
fn policy(set: &RecordSet) -> &'static str {
    if set.geo_location.is_some() {
        "geolocation"
    } else if set.failover.is_some() {
        "failover"
    } else if set.weight.is_some() {
        "weighted"
    } else if set.region.is_some() {
        "latency"
    } else if set.multi_value_answer.is_some() {
        "multivalue"
    } else if set.cidr_routing_config.is_some() {
        "CIDR"
    } else if set.geo_proximity_location.is_some() {
        "geoproximity"
    } else {
        "simple"
    }
}

fn group(name: &str, kind: &str, sets: &[&RecordSet], wrong: &mut Vec<String>) {
    let policies: BTreeSet<&str> = sets.iter().map(|set| policy(set)).collect();
    if policies.len() > 1 {
        let policies: Vec<&str> = policies.into_iter().collect();
        wrong.push(format!(
            "{name} {kind} mixes {} sets",
            policies.join(" and ")
        ));
        return;
    }
    for set in sets {
        if (policy(set) == "simple") != set.set_identifier.is_none() {
            wrong.push(format!(
                "{name} {kind}: a routed set has an identifier, a simple one has none"
            ));
        }
    }
    if policies.contains("geolocation") {
        geolocation(name, kind, sets, wrong);
    }
    if policies.contains("failover") {
        for half in ["PRIMARY", "SECONDARY"] {
            let count = sets
                .iter()
                .filter(|set| set.failover.as_deref() == Some(half))
                .count();
            if count != 1 {
                wrong.push(format!(
                    "{name} {kind} has {count} {half} sets instead of one"
                ));
            }
        }
    }
}

fn geolocation(name: &str, kind: &str, sets: &[&RecordSet], wrong: &mut Vec<String>) {
    let mut seen: BTreeSet<&GeoLocation> = BTreeSet::new();
    for place in sets.iter().filter_map(|set| set.geo_location.as_ref()) {
        if !seen.insert(place) {
            wrong.push(format!(
                "{name} {kind} has two sets for {}",
                place_name(place)
            ));
        }
        let valid = match (&place.continent_code, &place.country_code) {
            (Some(continent), None) => continent.parse::<Continent>().is_ok(),
            (None, Some(country)) => {
                country == "*"
                    || country.parse::<Country>().is_ok()
                        && !NOT_LOCATED.contains(&country.as_str())
            }
            _ => false,
        };
        if !valid {
            wrong.push(format!(
                "{name} {kind}: Route 53 has no place {}",
                place_name(place)
            ));
        }
    }
    if !seen
        .iter()
        .any(|place| place.country_code.as_deref() == Some("*"))
    {
        wrong.push(format!("{name} {kind} has no set for everywhere else, `*`"));
    }
}

fn place_name(place: &GeoLocation) -> String {
    let parts = [
        &place.continent_code,
        &place.country_code,
        &place.subdivision_code,
    ];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    parts.join("-")
}

/// Every alias within the zone has its target: those that are written, and those whose target goes.
fn targets(after: &World, names: &BTreeSet<String>, zone: &Zone<'_>, wrong: &mut Vec<String>) {
    for set in after.all() {
        let Some(alias) = set
            .alias_target
            .as_ref()
            .filter(|alias| alias.hosted_zone_id == zone.id)
        else {
            continue;
        };
        let (name, target) = (canonical(&set.name), canonical(&alias.dns_name));
        let touched = names.contains(&name) || names.contains(&target);
        if touched && after.group(&target, &set.kind).is_empty() {
            wrong.push(format!(
                "{name} {} stands for {target}, which has no {}",
                set.kind, set.kind
            ));
        }
    }
}

#[cfg(test)]
mod tests;
