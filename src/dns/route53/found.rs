//! What was listed, as objects. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::checks;
use super::listing::Check;
use super::names::{mark, mark_name, mark_of, wanted_names};
use super::spec::{CheckNames, Spec, attributes};
use super::wire::RecordSet;
use super::world::{World, key};
use crate::dns::{Found, Mark, Object, Wanted};
use crate::plan::{Id, Kind};

/// The types that a wanted name has, or that cannot be beside it.
const KINDS: [&str; 3] = ["A", "AAAA", "CNAME"];

/// Health checks as objects. A second one of the same name, left by a run that died, is one to be deleted.
pub(super) fn health_checks(all: &[Check]) -> (Vec<Found>, CheckNames) {
    let (mut found, mut names) = (Vec::new(), CheckNames::new());
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for Check { check, tags } in all {
        let mut name = checks::name_of(&check.health_check_config);
        let count = count.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            name = format!("{name} #{count}");
        }
        let tag = |key: &str| tags.get(key).map(String::as_str);
        let attributes = checks::attributes(
            &check.health_check_config,
            tag(checks::OWNER_TAG),
            tag(checks::NAME_TAG),
        );
        names.insert(check.id.clone(), name.clone());
        found.push(Found {
            object: Object {
                id: Id::new(Kind::HealthCheck, name),
                attributes,
            },
            mark: Mark::Ours,
            handle: check.id.clone(),
        });
    }
    (found, names)
}

/// Record sets as objects: what is ours wherever it lies, and anybody's at a wanted name.
pub(super) fn records(
    world: &World,
    zone: &str,
    wanted: &Wanted,
    names: &CheckNames,
) -> Vec<Found> {
    let interesting = wanted_names(wanted);
    let groups: BTreeSet<(String, String)> = world
        .all()
        .filter(|set| KINDS.contains(&set.kind.as_str()))
        .map(|set| {
            let (name, kind, _) = key(set);
            (name, kind)
        })
        .collect();
    let mut found = Vec::new();
    for (name, kind) in groups {
        let sets = world.group(&name, &kind);
        let marks = marks(world, &name, &kind);
        let marks: Vec<&str> = marks.iter().map(String::as_str).collect();
        let mark = mark(&wanted.owner, &sets, &marks);
        if mark != Mark::Ours && !interesting.contains(&name) {
            continue;
        }
        let owner = (mark == Mark::Ours).then_some(wanted.owner.as_str());
        let specs: Vec<Spec> = sets.iter().map(|set| Spec::of(set, zone, names)).collect();
        found.push(Found {
            object: Object {
                id: Id::new(Kind::Record, format!("{name} {kind}")),
                attributes: attributes(&specs, owner),
            },
            mark,
            handle: handle(zone, &name, &kind, &sets),
        });
    }
    found
}

/// The owners that a name's marks have for a type.
fn marks(world: &World, name: &str, kind: &str) -> Vec<String> {
    let texts = world.group(&mark_name(name), "TXT");
    texts
        .iter()
        .flat_map(|set| set.values())
        .filter_map(mark_of)
        .filter(|(_, of)| of == kind)
        .map(|(owner, _)| owner)
        .collect()
}

/// Sets have no id of Route 53's: what finds them in its console.
fn handle(zone: &str, name: &str, kind: &str, sets: &[&RecordSet]) -> String {
    let identifiers: Vec<&str> = sets
        .iter()
        .filter_map(|set| set.set_identifier.as_deref())
        .collect();
    if identifiers.is_empty() {
        format!("{zone} {name} {kind}")
    } else {
        format!("{zone} {name} {kind} ({})", identifiers.join(", "))
    }
}
