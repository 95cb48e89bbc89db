//! The journal of a growth, on the operator's machine: when it began and how far it came.
//!
//! It is told, and decides nothing: each step looks at the hosts first, so that a growth goes on without its journal too.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorContext, ErrorKind};
use crate::state::{State, write_private};

/// A growth that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    /// When it was begun.
    pub(super) begun: Timestamp,
    /// The steps that ended well, in their order.
    pub(super) steps: Vec<String>,
    #[serde(skip)]
    path: PathBuf,
}

impl Journal {
    /// The journal of the growth that is under way, or a new one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn open(state: &State) -> Result<Self, Error> {
        let path = state.file("grow.json");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(error).context(ErrorKind::Failed, || {
                    format!("cannot read {}", path.display())
                });
            }
        };
        // A journal that was cut off tells nothing.
        let found = serde_json::from_str::<Self>(&text).ok();
        Ok(found.map_or_else(
            || Self {
                begun: Timestamp::now(),
                steps: Vec::new(),
                path: path.clone(),
            },
            |found| Self {
                path: path.clone(),
                ..found
            },
        ))
    }

    /// Notes a step that ended well.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn ended(&mut self, step: &str) -> Result<(), Error> {
        if !self.steps.iter().any(|known| known == step) {
            self.steps.push(step.to_owned());
        }
        let text = serde_json::to_string(self)
            .context(ErrorKind::Failed, || "cannot write the journal".to_owned())?;
        write_private(&self.path, text.as_bytes())
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be taken away.
    pub(super) fn close(self) -> Result<(), Error> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error)
                .context(ErrorKind::Failed, || {
                    format!("cannot remove {}", self.path.display())
                }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growth_that_was_killed_is_told_where_it_was_and_one_that_ended_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let state = State::open(home.path(), "yourapp").unwrap();
        let mut journal = Journal::open(&state).unwrap();
        assert!(journal.steps.is_empty());
        journal.ended("backup").unwrap();
        journal.ended("backup").unwrap();
        let again = Journal::open(&state).unwrap();
        assert_eq!(again, journal);
        assert_eq!(again.steps, ["backup"]);
        again.close().unwrap();
        assert!(Journal::open(&state).unwrap().steps.is_empty());
    }
}
