//! In which order changes are made, and which of them together. Pure.

use super::batch::name_and_type;
use super::names::is_pair_name;
use super::spec::specs;
use crate::dns::Step;
use crate::plan::{Attributes, Change, Kind, Verb};

/// When a step is made: nothing is referred to before it is there, or gone before nothing refers to it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Health checks that pairs depend on.
    Checks,
    /// Names that others may stand for.
    Records,
    /// Names that stand for others.
    Aliases,
    /// Names that nothing stands for any more.
    Leftovers,
    /// Health checks that nothing depends on any more.
    LeftoverChecks,
}

/// The changes as calls: one batch for a name, one call for a health check.
pub(super) fn steps(changes: &[Change]) -> Vec<Step> {
    let mut groups: Vec<(Stage, String, Vec<Change>)> = Vec::new();
    for change in changes {
        let (name, _) = match change.id.kind {
            Kind::Record => name_and_type(&change.id),
            _ => (change.id.name.as_str(), ""),
        };
        let stage = stage(change, changes);
        let same = groups
            .iter_mut()
            .find(|(other, group, _)| *other == stage && group == name);
        match same {
            Some((_, _, group)) => group.push(change.clone()),
            None => groups.push((stage, name.to_owned(), vec![change.clone()])),
        }
    }
    groups.sort_by_key(|(stage, _, _)| *stage);
    groups
        .into_iter()
        .map(|(_, name, changes)| Step {
            what: what(&name, &changes),
            changes,
        })
        .collect()
}

fn stage(change: &Change, all: &[Change]) -> Stage {
    let deletes = change.verb() == Verb::Delete;
    if change.id.kind == Kind::HealthCheck {
        return if deletes {
            Stage::LeftoverChecks
        } else {
            Stage::Checks
        };
    }
    let (name, _) = name_and_type(&change.id);
    if deletes && is_pair_name(name) {
        return Stage::Leftovers;
    }
    let same_name = all
        .iter()
        .filter(|other| other.id.kind == Kind::Record && name_and_type(&other.id).0 == name);
    let mut sides = same_name.flat_map(|other| {
        let sides = [&other.before, &other.after];
        sides.into_iter().flatten().map(move |side| (other, side))
    });
    if sides.any(|(other, side)| has_alias(other, side)) {
        Stage::Aliases
    } else {
        Stage::Records
    }
}

fn has_alias(change: &Change, side: &Attributes) -> bool {
    specs(&change.id, side).is_ok_and(|(specs, _)| specs.iter().any(|spec| spec.alias.is_some()))
}

fn what(name: &str, changes: &[Change]) -> String {
    let verb = match changes {
        [one] => match one.verb() {
            Verb::Create => "create",
            Verb::Update => "change",
            Verb::Delete => "delete",
        },
        _ => "change",
    };
    if changes
        .iter()
        .any(|change| change.id.kind == Kind::HealthCheck)
    {
        return format!("{verb} health check {name}");
    }
    let kinds: Vec<&str> = changes
        .iter()
        .map(|change| name_and_type(&change.id).1)
        .collect();
    format!("{verb} {name} {}", kinds.join(" and "))
}

#[cfg(test)]
mod tests;
