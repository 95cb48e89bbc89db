//! From the changes of one name to the batch that makes them, wholly or not at all. Pure.

use std::collections::BTreeSet;

use super::names::{mark_name, mark_of, mark_value};
use super::spec::{CheckNames, Spec, attributes, specs};
use super::validate::Zone;
use super::wire::{Action, RecordSet, Records, ResourceRecord, SetChange};
use super::world::{World, key};
use crate::dns::Handles;
use crate::error::{Error, ErrorKind};
use crate::plan::{Attributes, Change, Id};

/// For how long a mark may be kept, in seconds. Nobody asks for it but people who look.
const MARK_TTL: u64 = 300;

/// What a batch is built from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground<'g> {
    /// The zone as it is stored.
    pub(super) world: &'g World,
    /// Which zone.
    pub(super) zone: Zone<'g>,
    /// The health checks that were there.
    pub(super) checks: &'g CheckNames,
    /// The mark of this project.
    pub(super) owner: &'g str,
}

/// The name and type of a record's object.
pub(super) fn name_and_type(id: &Id) -> (&str, &str) {
    let mut words = id.name.split(' ');
    (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    )
}

/// The batch that makes the changes, deletions first; empty where nothing is left to do.
///
/// # Errors
/// What is stored is not what the changes were planned from, or a health check that is needed is not there.
pub(super) fn build(
    ground: Ground<'_>,
    changes: &[Change],
    handles: &Handles,
) -> Result<Vec<SetChange>, Error> {
    let mut batch = Vec::new();
    let mut marks = Marks::default();
    for change in changes {
        let (name, kind) = name_and_type(&change.id);
        let stored = ground.world.group(name, kind);
        unmoved(ground, change, &stored)?;
        let (wanted, owner) = match &change.after {
            Some(after) => specs(&change.id, after)?,
            None => (Vec::new(), None),
        };
        let wanted: Result<Vec<RecordSet>, Error> = wanted
            .iter()
            .map(|spec| spec.record_set(name, kind, ground.zone.id, handles))
            .collect();
        let wanted = wanted?;
        let simple = wanted.iter().any(|set| set.set_identifier.is_none());
        marks.note(name, kind, simple && owner.is_some());
        difference(ground, &stored, &wanted, &mut batch);
    }
    marks.add_to(&mut batch, ground);
    batch.sort_by_key(|change| change.action == Action::Create);
    Ok(batch)
}

fn unmoved(ground: Ground<'_>, change: &Change, stored: &[&RecordSet]) -> Result<(), Error> {
    let found = (!stored.is_empty()).then(|| found_attributes(ground, stored));
    let without_owner = |attributes: &Attributes| {
        let others = attributes.iter().filter(|(name, _)| *name != "owner");
        others.fold(Attributes::new(), |all, (name, value)| {
            all.with(name, value.clone())
        })
    };
    if found.as_ref().map(without_owner) == change.before.as_ref().map(without_owner) {
        return Ok(());
    }
    let what = format!("{} is not what it was when the plan was made", change.id);
    Err(Error::new(ErrorKind::Stale, what).hint("run `geodeploy dns plan` again"))
}

fn found_attributes(ground: Ground<'_>, stored: &[&RecordSet]) -> Attributes {
    let specs: Vec<Spec> = stored
        .iter()
        .map(|set| Spec::of(set, ground.zone.id, ground.checks))
        .collect();
    attributes(&specs, None)
}

/// Deletions of what is stored and not wanted so, with the values that are stored, and creations of what is wanted.
fn difference(
    ground: Ground<'_>,
    stored: &[&RecordSet],
    wanted: &[RecordSet],
    batch: &mut Vec<SetChange>,
) {
    let same = |one: &RecordSet, other: &RecordSet| {
        key(one) == key(other)
            && one.health_check_id == other.health_check_id
            && Spec::of(one, ground.zone.id, ground.checks)
                == Spec::of(other, ground.zone.id, ground.checks)
    };
    for set in stored {
        if !wanted.iter().any(|other| same(set, other)) {
            batch.push(SetChange {
                action: Action::Delete,
                set: (*set).clone(),
            });
        }
    }
    for set in wanted {
        if !stored.iter().any(|other| same(set, other)) {
            batch.push(SetChange {
                action: Action::Create,
                set: set.clone(),
            });
        }
    }
}

/// Which simple sets of which names are to be marked as ours, and which are not.
#[derive(Debug, Default)]
struct Marks(Vec<(String, String, bool)>);

impl Marks {
    fn note(&mut self, name: &str, kind: &str, ours: bool) {
        self.0.push((name.to_owned(), kind.to_owned(), ours));
    }

    /// Adds the change of each name's mark, which is one set with a value for each type.
    fn add_to(&self, batch: &mut Vec<SetChange>, ground: Ground<'_>) {
        let names: BTreeSet<&str> = self.0.iter().map(|(name, _, _)| name.as_str()).collect();
        for name in names {
            let place = mark_name(name);
            let stored = ground.world.group(&place, "TXT");
            let stored = stored.iter().find(|set| set.set_identifier.is_none());
            let before: Vec<String> = stored
                .iter()
                .flat_map(|set| set.values())
                .map(str::to_owned)
                .collect();
            let mut after = before.clone();
            for (_, kind, ours) in self.0.iter().filter(|(own, _, _)| own == name) {
                let own = |value: &String| {
                    mark_of(value).is_some_and(|(owner, of)| owner == ground.owner && of == *kind)
                };
                if !ours {
                    after.retain(|value| !own(value));
                } else if !after.iter().any(own) {
                    after.push(mark_value(ground.owner, kind));
                }
            }
            if after == before {
                continue;
            }
            if let Some(set) = stored {
                batch.push(SetChange {
                    action: Action::Delete,
                    set: (*set).clone(),
                });
            }
            if !after.is_empty() {
                batch.push(SetChange {
                    action: Action::Create,
                    set: text(&place, MARK_TTL, after),
                });
            }
        }
    }
}

/// A simple set of TXT records.
pub(super) fn text(name: &str, ttl: u64, values: Vec<String>) -> RecordSet {
    let list = values.into_iter().map(|value| ResourceRecord { value });
    RecordSet {
        name: format!("{name}."),
        kind: "TXT".to_owned(),
        ttl: Some(ttl),
        resource_records: Some(Records {
            list: list.collect(),
        }),
        ..RecordSet::default()
    }
}

#[cfg(test)]
mod tests;
