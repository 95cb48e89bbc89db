//! The lock in the zone: a TXT record of a constant value, because DNSPod refuses a second one of the same name, type, line
//! and value. Who holds it, and until when, is its remark.
//!
//! It is replaced by deletion, which only one of two runs can do with one id, and a new record.

use std::sync::{Mutex, PoisonError};

use tokio::time::{Instant, sleep};

use super::client::Client;
use super::lines::DEFAULT;
use super::look::Scope;
use super::message::{Created, DeleteBody, Done, RecordBody, RecordItem};
use super::refusal::{Failure, missing_permissions};
use super::{Context, Pace};
use crate::dns::http::Repeat;
use crate::dns::{Lock, LockError};
use crate::error::{Error, ErrorKind};

const NAME: &str = "_geodeploy-lock";
const VALUE: &str = "geodeploy";
/// The plans' own least TTL is asked for by leaving it out; nobody resolves the record.
const KIND: &str = "TXT";

/// What this run knows of the lock besides what is listed, which may be half a minute old.
#[derive(Debug, Default)]
pub(super) struct Locks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The last lock that was placed or read, with its record's id.
    known: Option<(Lock, u64)>,
    /// Ids of records that this run deleted.
    gone: Vec<u64>,
    /// Whether a lock is there that may not be listed yet.
    hidden: bool,
}

impl Locks {
    /// Places the lock, after a look at whether the key may write at all.
    pub(super) async fn place(
        &self,
        client: &Client,
        lock: &Lock,
        context: &Context,
    ) -> Result<(), LockError> {
        client.may_write(context).await.map_err(LockError::Failed)?;
        self.create(client, lock, context).await
    }

    /// The lock that there is. One that is known to be there is waited for.
    pub(super) async fn read(
        &self,
        client: &Client,
        context: &Context,
        pace: Pace,
    ) -> Result<Option<Lock>, Error> {
        let deadline = Instant::now() + pace.bound;
        loop {
            let records = client
                .records(&context.zone, Scope::Name(NAME, KIND))
                .await?;
            let found = records
                .iter()
                .find(|record| record.value.trim_matches('"') == VALUE && !self.is_gone(record));
            if let Some(record) = found {
                let lock = parse(record)?;
                self.with(|state| {
                    state.known = Some((lock.clone(), record.record_id));
                    state.hidden = false;
                });
                return Ok(Some(lock));
            }
            if !self.with(|state| state.hidden) || Instant::now() + pace.poll > deadline {
                return Ok(None);
            }
            sleep(pace.poll).await;
        }
    }

    /// Deletes `old`, if it is there, and places `new`.
    pub(super) async fn replace(
        &self,
        client: &Client,
        old: &Lock,
        new: Option<&Lock>,
        context: &Context,
        pace: Pace,
    ) -> Result<(), LockError> {
        let known = self.with(|state| state.known.clone());
        let id = match known {
            Some((lock, id)) if lock == *old => id,
            _ => {
                let found = self.read(client, context, pace).await;
                if found.map_err(LockError::Failed)?.as_ref() != Some(old) {
                    return Err(LockError::Exists);
                }
                match self.with(|state| state.known.clone()) {
                    Some((_, id)) => id,
                    None => return Err(LockError::Exists),
                }
            }
        };
        let body = DeleteBody {
            domain: &context.zone,
            record_id: id,
        };
        match client.call("DeleteRecord", Repeat::Never, &body).await {
            Ok(Done {}) => {}
            Err(Failure::Refused(refusal)) if refusal.is_record_gone() => {
                self.with(|state| state.known = None);
                return Err(LockError::Exists);
            }
            Err(failure) => return Err(LockError::Failed(failure.into())),
        }
        self.with(|state| {
            state.known = None;
            state.gone.push(id);
        });
        match new {
            Some(lock) => self.create(client, lock, context).await,
            None => Ok(()),
        }
    }

    async fn create(
        &self,
        client: &Client,
        lock: &Lock,
        context: &Context,
    ) -> Result<(), LockError> {
        let body = record(lock, context);
        match client.call("CreateRecord", Repeat::Never, &body).await {
            Ok(Created { record_id }) => {
                self.with(|state| state.known = Some((lock.clone(), record_id)));
                Ok(())
            }
            Err(Failure::Refused(refusal)) if refusal.is_record_there() => {
                self.with(|state| state.hidden = true);
                Err(LockError::Exists)
            }
            Err(failure) => {
                // Without an answer it may have been made.
                let hidden = failure.refusal().is_none();
                self.with(|state| state.hidden |= hidden);
                Err(LockError::Failed(failure.into()))
            }
        }
    }

    fn is_gone(&self, record: &RecordItem) -> bool {
        self.with(|state| state.gone.contains(&record.record_id))
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn record(lock: &Lock, context: &Context) -> RecordBody {
    let line = context.lines.by_id(DEFAULT);
    RecordBody {
        domain: context.zone.clone(),
        record_id: None,
        sub_domain: NAME.to_owned(),
        record_type: KIND.to_owned(),
        record_line: line.map_or_else(String::new, |line| line.name.clone()),
        record_line_id: DEFAULT.to_owned(),
        value: VALUE.to_owned(),
        ttl: None,
        weight: None,
        status: "ENABLE",
        remark: format!("{} {}", lock.expires, lock.holder),
    }
}

fn parse(record: &RecordItem) -> Result<Lock, Error> {
    let remark = record.remark.as_deref().unwrap_or_default();
    let parts = remark.split_once(' ').and_then(|(expires, holder)| {
        let expires = expires.parse().ok()?;
        Some(Lock {
            holder: holder.to_owned(),
            expires,
        })
    });
    parts.ok_or_else(|| {
        Error::new(
            ErrorKind::Failed,
            format!("dnspod: the record {NAME} {KIND} does not say who holds the zone"),
        )
        .cause(format!("its remark is {remark:?}"))
        .hint(format!(
            "if nobody else runs `geodeploy dns sync`, delete the record {} in DNSPod's console",
            record.record_id
        ))
    })
}

impl Client {
    /// Nothing, or which permissions to write are missing. The calls are such that DNSPod cannot carry them out: there is
    /// no record 0 and no type NONE.
    async fn may_write(&self, context: &Context) -> Result<(), Error> {
        let create = RecordBody {
            record_type: "NONE".to_owned(),
            ..record(&NOBODY, context)
        };
        let modify = RecordBody {
            record_id: Some(0),
            ..create.clone()
        };
        let delete = DeleteBody {
            domain: &context.zone,
            record_id: 0,
        };
        let (create, modify, delete) = tokio::join!(
            self.probe("CreateRecord", &create),
            self.probe("ModifyRecord", &modify),
            self.probe("DeleteRecord", &delete),
        );
        let mut lacking = Vec::new();
        for answer in [create, modify, delete] {
            match answer {
                Ok(Done {}) => {}
                Err(Failure::Refused(refusal)) if refusal.lacks_permission() => {
                    lacking.push(refusal);
                }
                Err(Failure::Refused(_)) => {}
                Err(Failure::Failed(error)) => return Err(error),
            }
        }
        let actions: Vec<&str> = lacking.iter().map(|one| one.action.as_str()).collect();
        match lacking.first() {
            Some(first) => Err(missing_permissions(&actions, first)),
            None => Ok(()),
        }
    }

    async fn probe<Q: serde::Serialize + Sync>(
        &self,
        action: &str,
        body: &Q,
    ) -> Result<Done, Failure> {
        self.call(action, Repeat::Harmless, body).await
    }
}

const NOBODY: Lock = Lock {
    holder: String::new(),
    expires: jiff::Timestamp::UNIX_EPOCH,
};
