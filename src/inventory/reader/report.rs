//! How a table reports what is wrong with it.

use std::ops::Range;

use toml::Spanned;

use super::Table;
use crate::inventory::mistake::{Wrong, did_you_mean};

impl Table<'_> {
    /// Reports a key that must be there, at the table's own line.
    pub(in crate::inventory) fn missing(&self, key: &str, write: &str) {
        let below = if self.name.is_empty() {
            "at the top".to_owned()
        } else {
            format!("below [{}]", self.name)
        };
        self.note(
            self.span.clone(),
            Wrong::new(
                format!("{} has no `{key}`", self.shown()),
                format!("write {write} {below}"),
            ),
        );
    }

    /// Reports a mistake at a key, or at the table's own line where the key is absent.
    pub(in crate::inventory) fn wrong(&self, key: &str, wrong: Wrong) {
        let span = self
            .entries
            .and_then(|entries| entries.get(key))
            .map_or(self.span.clone(), Spanned::span);
        self.note(span, wrong);
    }

    pub(in crate::inventory) fn note(&self, span: Range<usize>, wrong: Wrong) {
        self.document.note(span, wrong);
    }

    /// Reports every key that nobody asked for.
    pub(in crate::inventory) fn finish(self) {
        let asked = self.asked.take();
        for (key, span, _) in self.entries() {
            if asked.contains(&key) {
                continue;
            }
            let remedy = match did_you_mean(key, asked.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("remove it, or write one of: {}", known_keys(&asked)),
            };
            self.note(
                span,
                Wrong::new(format!("{} knows no `{key}`", self.shown()), remedy),
            );
        }
    }

    fn shown(&self) -> String {
        if self.name.is_empty() {
            "the inventory".to_owned()
        } else {
            format!("[{}]", self.name)
        }
    }
}

fn known_keys(asked: &[&str]) -> String {
    let mut known = asked.to_vec();
    known.sort_unstable();
    known.dedup();
    known.join(", ")
}
