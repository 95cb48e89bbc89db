//! The store inside the server, for a region without MongoDB: one redb file.
//!
//! During a switch two generations have the file open at once. redb's multi-writer mode is made for that (its
//! `docs/design.md`, "Multi-process concurrency"): write transactions take turns by a byte-range lock that the kernel frees
//! with the process, and each transaction sees what the other process committed. Every commit is two-phase with quick
//! repair, so a killed process costs the other one nothing.

#[cfg(test)]
mod tests;
mod transactions;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use jiff::Timestamp;
use redb::backends::InMemoryBackend;
use redb::{Builder, ConcurrencyMode, Database, DatabaseError};

use super::{
    AgentSession, Answer, Conversation, DatabaseHealth, Message, Part, Store, StoreError, Write,
};

/// The file's name in the state directory.
pub const FILE: &str = "conversations.redb";
/// redb's default of 1 GiB is more than a small server has.
const CACHE_BYTES: usize = 32 << 20;

/// The store inside the server.
pub struct EmbeddedStore {
    inner: Arc<Inner>,
}

struct Inner {
    folder: Option<PathBuf>,
    /// Opened when it is first needed, and again after opening failed.
    database: Mutex<Option<Arc<Database>>>,
    failed: AtomicBool,
}

impl EmbeddedStore {
    /// A store in `folder` (systemd's `STATE_DIRECTORY`), or in memory. A file that cannot be opened shows in
    /// [`Store::health`], and is tried again with every request.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        let inner = Arc::new(Inner {
            folder,
            database: Mutex::default(),
            failed: AtomicBool::new(false),
        });
        if let Err(error) = inner.database() {
            inner.note(&error);
        }
        Self { inner }
    }

    /// Does blocking work beside the runtime's threads.
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error> + Send + 'static,
    ) -> Answer<T> {
        let inner = Arc::clone(&self.inner);
        let task = tokio::task::spawn_blocking(move || {
            let result = inner.database().and_then(|database| work(&database));
            match &result {
                Ok(_) => inner.failed.store(false, Ordering::Relaxed),
                Err(error) => inner.note(error),
            }
            result.map_err(|error| StoreError::Unavailable(error.to_string()))
        });
        task.map(|joined| joined.unwrap_or_else(|error| Err(stopped(&error))))
            .boxed()
    }
}

fn stopped(error: &tokio::task::JoinError) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

impl Inner {
    fn database(&self) -> Result<Arc<Database>, redb::Error> {
        let mut open = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = &*open {
            return Ok(Arc::clone(database));
        }
        let database = Arc::new(self.open()?);
        transactions::make_tables(&database)?;
        Ok(Arc::clone(open.insert(database)))
    }

    fn open(&self) -> Result<Database, DatabaseError> {
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES);
        match &self.folder {
            Some(folder) => builder
                .set_concurrency_mode(ConcurrencyMode::MultiWriter)
                .create(folder.join(FILE)),
            None => builder.create_with_backend(InMemoryBackend::new()),
        }
    }

    fn note(&self, error: &redb::Error) {
        self.failed.store(true, Ordering::Relaxed);
        tracing::error!(%error, folder = ?self.folder, "embedded store failed");
    }
}

impl Store for EmbeddedStore {
    fn health(&self) -> DatabaseHealth {
        let gone = |folder: &PathBuf| !folder.is_dir();
        if self.inner.folder.as_ref().is_some_and(gone) || self.inner.failed.load(Ordering::Relaxed)
        {
            return DatabaseHealth::Error;
        }
        DatabaseHealth::Ok
    }

    fn write(&self, batch: Vec<Write>) -> Answer<()> {
        self.ask(move |database| transactions::write(database, &batch))
    }

    fn conversations(
        &self,
        user: &str,
        before: Option<Timestamp>,
        limit: NonZeroU32,
    ) -> Answer<Vec<Conversation>> {
        let user = user.to_owned();
        self.ask(move |database| transactions::conversations(database, &user, before, limit))
    }

    fn messages(&self, user: &str, session: &str, part: Part) -> Answer<Option<Vec<Message>>> {
        let (user, session) = (user.to_owned(), session.to_owned());
        self.ask(move |database| transactions::messages(database, &user, &session, &part))
    }

    fn agent_session(
        &self,
        user: &str,
        session: &str,
        now: Timestamp,
    ) -> Answer<Option<AgentSession>> {
        let (user, session) = (user.to_owned(), session.to_owned());
        self.ask(move |database| transactions::agent_session(database, &user, &session, now))
    }
}
