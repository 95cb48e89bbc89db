//! The store in MongoDB.
//!
//! A driver's future that is dropped leaves its connection in an unknown state, so each runs to its end in a task of its
//! own, and whoever waits gives up before it does. How many such tasks there may be is bounded.

mod batch;
mod documents;
mod probe;
mod settings;
mod writers;

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::{FutureExt, TryStreamExt};
use jiff::Timestamp;
use mongodb::bson::{DateTime, Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::{ReadPreference, SelectionCriteria};
use mongodb::{Collection, Database};
use tokio::sync::Semaphore;

use super::{
    AgentSession, Answer, Conversation, DatabaseHealth, Message, Part, Store, StoreError, Write,
};
use crate::serve::collections::{AGENT_SESSIONS, CONVERSATIONS, MESSAGES};
use documents::key;
use probe::Probe;
pub use settings::MongoSettings;
use writers::Writers;

/// How many operations may be under way, those that nobody waits for any more included.
const OPERATIONS: usize = 64;
/// How long a read is waited for.
const READ_WAIT: Duration = Duration::from_secs(5);
/// How long a batch of writes is waited for.
const WRITE_WAIT: Duration = Duration::from_secs(20);

/// The store in MongoDB.
pub struct MongoStore {
    /// Empty until the servers' names were found.
    database: Arc<OnceLock<Database>>,
    operations: Arc<Semaphore>,
    probe: Probe,
    writers: Writers,
}

impl MongoStore {
    /// A store that connects in the background, and goes on trying. It is given after the first answer, or after 5 s
    /// without one. Must be called within the runtime.
    ///
    /// # Errors
    ///
    /// When the URI's options cannot be used, for example because a TLS file is not there.
    pub async fn open(settings: &MongoSettings) -> Result<Self, StoreError> {
        let database = Arc::new(OnceLock::new());
        match settings.connect().await {
            Ok(connected) => drop(database.set(connected)),
            // The name service may come later than the server.
            Err(error) if matches!(*error.kind, ErrorKind::DnsResolve { .. }) => {
                tracing::warn!(error = explain(&error), "database's servers are not found");
            }
            Err(error) => return Err(StoreError::Refused(explain(&error))),
        }
        let probe = Probe::begin(settings.clone(), Arc::clone(&database));
        // Generations share a socket: one that cannot say yet how its database is would answer for one that can.
        probe.first_answer().await;
        Ok(Self {
            probe,
            operations: Arc::new(Semaphore::new(OPERATIONS)),
            writers: Writers::default(),
            database,
        })
    }

    /// Where what a user wrote is read from: a copy that is near may not have it yet.
    fn from(&self, user: &str) -> Source {
        match self.writers.lately(user, Instant::now()) {
            true => Source::Newest,
            false => Source::Anywhere,
        }
    }

    fn ask<T, F>(&self, wait: Duration, work: impl FnOnce(Database) -> F) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let unavailable = |why: &str| {
            let error = StoreError::Unavailable(why.to_owned());
            std::future::ready(Err(error)).boxed()
        };
        let Some(database) = self.database.get() else {
            return unavailable("its servers are not found by name");
        };
        let Ok(permit) = Arc::clone(&self.operations).try_acquire_owned() else {
            return unavailable("too many operations wait for it");
        };
        let work = work(database.clone());
        let task = tokio::spawn(async move {
            let result = work.await;
            drop(permit);
            result
        });
        async move {
            match tokio::time::timeout(wait, task).await {
                Ok(Ok(Ok(found))) => Ok(found),
                Ok(Ok(Err(error))) => Err(classify(&error)),
                Ok(Err(error)) => Err(StoreError::Unavailable(error.to_string())),
                Err(_) => Err(StoreError::Unavailable(format!("no answer in {wait:?}"))),
            }
        }
        .boxed()
    }
}

impl Store for MongoStore {
    fn health(&self) -> DatabaseHealth {
        self.probe.health()
    }

    fn write(&self, batch: Vec<Write>) -> Answer<()> {
        let users = batch.iter().map(Write::user);
        self.writers.wrote(users, Instant::now());
        self.ask(WRITE_WAIT, |database| async move {
            batch::write(&database, batch).await
        })
    }

    fn conversations(
        &self,
        user: &str,
        before: Option<Timestamp>,
        limit: NonZeroU32,
    ) -> Answer<Vec<Conversation>> {
        let mut filter = doc! { "userId": user };
        if let Some(before) = before {
            filter.insert("updatedAt", doc! { "$lt": documents::date(before) });
        }
        let from = self.from(user);
        self.ask(READ_WAIT, move |database| async move {
            let all: Vec<Document> = collection(&database, CONVERSATIONS, from)
                .find(filter)
                .sort(doc! { "updatedAt": -1 })
                .limit(limit.get().into())
                .await?
                .try_collect()
                .await?;
            all.iter().map(documents::conversation).collect()
        })
    }

    fn messages(&self, user: &str, session: &str, part: Part) -> Answer<Option<Vec<Message>>> {
        let from = match part {
            Part::Last(_) => Source::Primary,
            Part::After(..) => self.from(user),
        };
        let (user, session) = (user.to_owned(), session.to_owned());
        self.ask(READ_WAIT, move |database| async move {
            let filter = doc! { "_id": key(&user, &session) };
            let conversations = collection(&database, CONVERSATIONS, from);
            let Some(conversation) = conversations.find_one(filter).await? else {
                return Ok(None);
            };
            let first = documents::conversation(&conversation)?.first_message;
            let mut ids = doc! { "$gte": first };
            let (limit, direction) = match part {
                Part::After(after, limit) => {
                    if let Some(after) = after {
                        ids.insert("$gt", after);
                    }
                    (limit, 1)
                }
                Part::Last(limit) => (limit, -1),
            };
            let filter = doc! { "userId": user, "sessionId": session, "_id": ids };
            let mut all: Vec<Document> = collection(&database, MESSAGES, from)
                .find(filter)
                .sort(doc! { "_id": direction })
                .limit(limit.get().into())
                .await?
                .try_collect()
                .await?;
            if direction < 0 {
                all.reverse();
            }
            let messages: Result<_, Error> = all.iter().map(documents::message).collect();
            messages.map(Some)
        })
    }

    fn agent_session(
        &self,
        user: &str,
        session: &str,
        now: Timestamp,
    ) -> Answer<Option<AgentSession>> {
        // The TTL thread deletes once a minute, and on the primary only.
        let now: DateTime = documents::date(now);
        let filter = doc! { "_id": key(user, session), "expiresAt": { "$gt": now } };
        self.ask(READ_WAIT, |database| async move {
            let sessions = collection(&database, AGENT_SESSIONS, Source::Primary);
            let found = sessions.find_one(filter).await?;
            found.as_ref().map(documents::agent_session).transpose()
        })
    }
}

/// Where a read goes.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// As the URI says.
    Anywhere,
    /// To the primary as long as there is one.
    Newest,
    /// To the primary, or it fails.
    Primary,
}

/// A collection to be read from there.
fn collection(database: &Database, name: &str, from: Source) -> Collection<Document> {
    let preference = match from {
        Source::Anywhere => return database.collection(name),
        Source::Newest => ReadPreference::PrimaryPreferred { options: None },
        Source::Primary => ReadPreference::Primary,
    };
    let options = mongodb::options::CollectionOptions::builder()
        .selection_criteria(SelectionCriteria::ReadPreference(preference))
        .build();
    database.collection_with_options(name, options)
}

/// What may be different the next time, and what will not.
fn classify(error: &Error) -> StoreError {
    let text = explain(error);
    if fault(error).is_some_and(|fault| fault.for_ever) {
        return StoreError::Refused(text);
    }
    match &*error.kind {
        ErrorKind::InvalidArgument { .. }
        | ErrorKind::BsonSerialization(_)
        | ErrorKind::BsonDeserialization(_)
        | ErrorKind::Bson(_) => StoreError::Refused(text),
        ErrorKind::InsertMany(many)
            if many
                .write_errors
                .iter()
                .flatten()
                .any(|error| !batch::may_pass(error.code)) =>
        {
            StoreError::Refused(text)
        }
        ErrorKind::Command(command) if !batch::may_pass(command.code) => StoreError::Refused(text),
        _ => StoreError::Unavailable(text),
    }
}

/// The driver's own words for what happened, without the server's whole answer.
fn explain(error: &Error) -> String {
    fault(error).map_or_else(|| error.kind.to_string(), |fault| fault.text.clone())
}

fn fault(error: &Error) -> Option<&batch::Fault> {
    error.get_custom()
}
