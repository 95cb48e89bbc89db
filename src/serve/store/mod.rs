//! Where conversations live.
//!
//! [`Store`] has two implementations that one contract test holds to the same behaviour: [`EmbeddedStore`], a file on the
//! server's own disk, and [`MongoStore`]. Writes are values, [`Write`], each of which may be repeated without a second
//! effect, so that a batch whose answer was lost is simply sent again. [`queue`] holds them until the store has them.

pub mod embedded;
pub mod mongo;
pub mod queue;
pub mod record;

use std::num::NonZeroU32;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

pub use embedded::EmbeddedStore;
pub use mongo::MongoStore;
pub use record::{AgentSession, Conversation, Message, Status, Write};

/// What a store answers, later.
pub type Answer<T> = BoxFuture<'static, Result<T, StoreError>>;

/// A database as the server sees it. Everything but [`Store::health`] may take as long as the network does.
pub trait Store: Send + Sync + 'static {
    /// What is known of the database now. Answers at once: an implementation that must ask over the
    /// network does so in the background.
    fn health(&self) -> DatabaseHealth;

    /// Carries out the writes in their order. When it fails, some may have been carried out: the same batch may be sent
    /// again as a whole.
    fn write(&self, batch: Vec<Write>) -> Answer<()>;

    /// A user's conversations, the one with the newest message first; with `before` only those that changed before.
    fn conversations(
        &self,
        user: &str,
        before: Option<Timestamp>,
        limit: NonZeroU32,
    ) -> Answer<Vec<Conversation>>;

    /// A user's messages in one conversation in the order in which they were said; `None` when the user has no such
    /// conversation.
    fn messages(&self, user: &str, session: &str, part: Part) -> Answer<Option<Vec<Message>>>;

    /// A user's agent state in one session, unless it expired at or before `now`.
    fn agent_session(
        &self,
        user: &str,
        session: &str,
        now: Timestamp,
    ) -> Answer<Option<AgentSession>>;
}

/// Which messages of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The first ones after the message with this id, or from the beginning.
    After(Option<String>, NonZeroU32),
    /// The last ones. Never from a replica that lags behind: a conversation is continued from them.
    Last(NonZeroU32),
}

/// What the health answer says about the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseHealth {
    /// It answers.
    Ok,
    /// It does not.
    Error,
}

/// Why a store did not do what was asked. The text names no credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or did not answer in time; the same may work later.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// It answered, and will answer the same again.
    #[error("the database refused: {0}")]
    Refused(String),
}
