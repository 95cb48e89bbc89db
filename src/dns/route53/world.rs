//! The record sets of a zone, and what a batch makes of them. Pure.

use std::collections::BTreeMap;

use super::text::canonical;
use super::wire::{Action, RecordSet, SetChange};

/// Name, type, identifier: what no two sets of a zone share.
pub(super) type Key = (String, String, Option<String>);

/// The key of a set.
pub(super) fn key(set: &RecordSet) -> Key {
    (
        canonical(&set.name),
        set.kind.clone(),
        set.set_identifier.clone(),
    )
}

/// The sets of a zone as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct World(BTreeMap<Key, RecordSet>);

impl World {
    /// Adds a set as it was listed.
    pub(super) fn add(&mut self, set: RecordSet) {
        self.0.insert(key(&set), set);
    }

    /// The set of that key.
    pub(super) fn get(&self, key: &Key) -> Option<&RecordSet> {
        self.0.get(key)
    }

    /// All sets.
    pub(super) fn all(&self) -> impl Iterator<Item = &RecordSet> {
        self.0.values()
    }

    /// The sets of one name.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &RecordSet> {
        self.0
            .iter()
            .filter(move |((own, _, _), _)| own == name)
            .map(|(_, set)| set)
    }

    /// The sets of one name and type.
    pub(super) fn group(&self, name: &str, kind: &str) -> Vec<&RecordSet> {
        self.named(name).filter(|set| set.kind == kind).collect()
    }

    /// How the zone is after a batch, whatever Route 53 would say to it.
    pub(super) fn after(&self, batch: &[SetChange]) -> Self {
        let mut after = self.clone();
        // A batch is one change: the order of what is in it does not matter.
        for change in batch
            .iter()
            .filter(|change| change.action == Action::Delete)
        {
            after.0.remove(&key(&change.set));
        }
        for change in batch
            .iter()
            .filter(|change| change.action == Action::Create)
        {
            after.add(change.set.clone());
        }
        after
    }
}
