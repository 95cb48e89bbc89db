//! Where conversations live.

use std::path::PathBuf;

/// A database as the server sees it.
pub trait Store: Send + Sync + 'static {
    /// What is known of the database now. Answers at once: an implementation that must ask over the
    /// network does so in the background.
    fn health(&self) -> DatabaseHealth;
}

/// What the health answer says about the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseHealth {
    /// It answers.
    Ok,
    /// It does not.
    Error,
}

/// The store inside the server, for a region without MongoDB.
pub struct EmbeddedStore {
    folder: Option<PathBuf>,
}

impl EmbeddedStore {
    /// A store in `folder` (systemd's `STATE_DIRECTORY`), or in memory.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }
}

impl Store for EmbeddedStore {
    fn health(&self) -> DatabaseHealth {
        match &self.folder {
            Some(folder) if !folder.is_dir() => DatabaseHealth::Error,
            _ => DatabaseHealth::Ok,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DatabaseHealth, EmbeddedStore, Store};

    #[test]
    fn a_folder_that_went_away_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::new(Some(folder.path().to_owned()));
        assert_eq!(store.health(), DatabaseHealth::Ok);
        drop(folder);
        assert_eq!(store.health(), DatabaseHealth::Error);
        assert_eq!(EmbeddedStore::new(None).health(), DatabaseHealth::Ok);
    }
}
