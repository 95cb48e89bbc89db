//! What Route 53 rejects and moto takes, by Route 53's documentation.

use std::collections::BTreeSet;

use crate::xml::{Change, Set};

/// Why a batch would be rejected, each reason in Route 53's words.
pub(crate) fn rejections(stored: &[Set], changes: &[Change], checks: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut after: Vec<Set> = stored.to_vec();
    for change in changes.iter().filter(|change| change.action == "DELETE") {
        let set = change.set.clone().compared();
        let (name, kind, _) = set.key();
        let which = format!("Tried to delete resource record set [name='{name}.', type='{kind}']");
        match after.iter().position(|other| other.key() == set.key()) {
            None => found.push(format!("{which} but it was not found")),
            Some(at) if after[at] == set => drop(after.remove(at)),
            Some(_) => found.push(format!(
                "{which} but the values provided do not match the current values"
            )),
        }
    }
    for change in changes.iter().filter(|change| change.action == "CREATE") {
        let set = change.set.clone().compared();
        let (name, kind, _) = set.key();
        if after.iter().any(|other| other.key() == set.key()) {
            found.push(format!(
                "Tried to create resource record set [name='{name}.', type='{kind}'] but it already exists"
            ));
        }
        if set
            .health_check_id
            .as_ref()
            .is_some_and(|id| !checks.contains(id))
        {
            found.push("Health check does not exist".to_owned());
        }
        after.push(set);
    }
    found.extend(contradictions(&after));
    found
}

/// What cannot be in one zone.
pub(crate) fn contradictions(sets: &[Set]) -> Vec<String> {
    let mut found = Vec::new();
    let mut groups: BTreeSet<(String, String)> = BTreeSet::new();
    for set in sets {
        let (name, kind, _) = set.key();
        groups.insert((name, kind));
        let Some(alias) = &set.alias_target else {
            continue;
        };
        let target = alias.dns_name.trim_end_matches('.');
        let is_target = |other: &Set| other.key().0 == target && other.kind == set.kind;
        if !sets.iter().any(is_target) {
            found.push(format!("Tried to create an alias that targets {target}., but the alias target name was not found"));
        }
    }
    for (name, kind) in &groups {
        let group: Vec<&Set> = sets
            .iter()
            .filter(|set| (&set.key().0, &set.kind) == (name, kind))
            .collect();
        if kind == "CNAME"
            && groups
                .iter()
                .any(|(other, of)| other == name && of != "CNAME")
        {
            found.push(format!("RRSet of type CNAME with DNS name {name}. is not permitted as it conflicts with other records"));
        }
        let routed = |set: &Set| {
            (
                set.geo_location.is_some(),
                set.failover.is_some(),
                set.weight.is_some(),
            )
        };
        let policies: BTreeSet<_> = group.iter().map(|set| routed(set)).collect();
        let places: Vec<_> = group
            .iter()
            .filter_map(|set| set.geo_location.as_ref())
            .collect();
        let distinct: BTreeSet<_> = places.iter().collect();
        if policies.len() > 1 || distinct.len() < places.len() {
            found.push(format!("RRSet with DNS name {name}., type {kind} cannot be created as other RRSets exist with the same name and type"));
        }
    }
    found
}
