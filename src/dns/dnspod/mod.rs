//! Tencent Cloud's DNSPod: record lines, through its API 3.0.
//!
//! It has no transactions, so every step is a call whose result is right by itself. What was written may stay out of its
//! lists for half a minute (<https://cloud.tencent.com/document/product/457/56180>), so a record that cannot be created
//! because it is there counts as created, and a run ends when its records are listed.

mod client;
mod desired;
mod lines;
mod lock;
mod look;
mod message;
mod names;
mod refusal;
mod routes;
mod set;
pub mod signature;
mod steps;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use self::client::Client;
use self::lines::Lines;
use self::lock::Locks;
use self::look::Scope;
use self::message::{Created, DeleteBody, Done};
use self::refusal::Failure;
use self::set::sets;
pub use self::signature::Credentials;
use self::steps::Call;
use super::http::Repeat;
use super::{Desired, Handles, Listing, Lock, LockError, Provider, Step, Wanted};
use crate::error::{Error, ErrorKind};
use crate::inventory::{HttpUrl, TencentSite};
use crate::plan::{Attributes, Change, Id};

/// How patient it is with DNSPod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two looks at whether what was written is listed.
    pub poll: Duration,
    /// For what was written to be listed.
    pub bound: Duration,
    /// For one call that is told to slow down, as a whole.
    pub throttled: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(2),
            bound: Duration::from_secs(40),
            throttled: Duration::from_secs(60),
        }
    }
}

/// What is learnt of a zone besides its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    zone: String,
    owner: String,
    /// The names that are wanted.
    names: Vec<String>,
    /// The plan's code: `DP_FREE`.
    grade: String,
    /// The least TTL that the plan allows, in seconds.
    least_ttl: u64,
    lines: Lines,
    notes: Vec<String>,
}

/// DNSPod with one key.
#[derive(Debug)]
pub struct Dnspod {
    client: Client,
    pace: Pace,
    locks: Locks,
    /// What this run has written and what it is to look like once it is listed; nothing where it was deleted.
    written: Mutex<BTreeMap<Id, Option<Attributes>>>,
}

impl Dnspod {
    /// With that key, at the interface of the account's cloud unless another address is given.
    ///
    /// # Errors
    /// The address is none, or TLS cannot be set up.
    pub fn new(
        site: TencentSite,
        endpoint: Option<&HttpUrl>,
        credentials: Credentials,
        pace: Pace,
    ) -> Result<Self, Error> {
        let public = match site {
            TencentSite::China => "https://dnspod.tencentcloudapi.com",
            TencentSite::International => "https://dnspod.intl.tencentcloudapi.com",
        };
        let address = endpoint.map_or(public, HttpUrl::as_str);
        Ok(Self {
            client: Client::new(address, credentials, pace.throttled)?,
            pace,
            locks: Locks::default(),
            written: Mutex::default(),
        })
    }

    /// Makes one call; returns the id of the record that it leaves, where it is known.
    async fn make(&self, call: &Call, context: &Context) -> Result<Option<u64>, Failure> {
        match call {
            Call::Put(body) => match body.record_id {
                Some(id) => {
                    let answer = self
                        .client
                        .call("ModifyRecord", Repeat::Harmless, &**body)
                        .await;
                    answer.map(|Done {}| Some(id))
                }
                None => match self
                    .client
                    .call("CreateRecord", Repeat::Never, &**body)
                    .await
                {
                    Ok(Created { record_id }) => Ok(Some(record_id)),
                    // A run that was cut off made it, and it is not listed yet.
                    Err(Failure::Refused(refusal)) if refusal.is_record_there() => Ok(None),
                    Err(failure) => Err(failure),
                },
            },
            Call::Delete(id) => {
                let body = DeleteBody {
                    domain: &context.zone,
                    record_id: *id,
                };
                match self
                    .client
                    .call("DeleteRecord", Repeat::Harmless, &body)
                    .await
                {
                    Err(Failure::Refused(refusal)) if refusal.is_record_gone() => Ok(None),
                    answer => answer.map(|Done {}| None),
                }
            }
        }
    }

    fn remember(&self, changes: &[Change]) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            written.insert(change.id.clone(), change.after.clone());
        }
    }

    /// What was written and is not listed as it was written.
    async fn unsettled(&self, context: &Context) -> Result<Vec<Id>, Error> {
        let records = self.client.records(&context.zone, Scope::Zone).await?;
        let found = sets(&records, &context.zone, &context.owner, &context.lines);
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let differs = |(id, after): (&Id, &Option<Attributes>)| {
            let listed = found.iter().find(|found| found.object.id == *id);
            let listed = listed.map(|found| &found.object.attributes);
            (listed != after.as_ref()).then(|| id.clone())
        };
        Ok(written.iter().filter_map(differs).collect())
    }
}

impl Provider for Dnspod {
    type Context = Context;

    fn name(&self) -> &'static str {
        "dnspod"
    }

    async fn list(&self, wanted: &Wanted) -> Result<Listing<Context>, Error> {
        self.client.look(wanted).await
    }

    fn desired(&self, wanted: &Wanted, context: &Context) -> Result<Desired, Error> {
        Ok(desired::desired(wanted, context))
    }

    fn steps(&self, changes: &[Change], _: &Context) -> Vec<Step> {
        steps::steps(changes)
    }

    async fn apply(
        &self,
        step: &Step,
        handles: &mut Handles,
        context: &Context,
    ) -> Result<(), Error> {
        let calls = steps::calls(step, handles, context)?;
        self.remember(&step.changes);
        let mut ids = Vec::new();
        for call in &calls {
            ids.extend(self.make(call, context).await.map_err(Error::from)?);
        }
        for change in &step.changes {
            match &change.after {
                None => drop(handles.remove(&change.id)),
                Some(after) if ids.len() == set::entries(after).len() => {
                    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                    handles.insert(change.id.clone(), ids.join(","));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    async fn settle(&self, context: &Context) -> Result<(), Error> {
        let deadline = Instant::now() + self.pace.bound;
        loop {
            let unsettled = self.unsettled(context).await?;
            if unsettled.is_empty() {
                return Ok(());
            }
            if Instant::now() + self.pace.poll > deadline {
                let names: Vec<String> = unsettled.iter().map(ToString::to_string).collect();
                return Err(Error::new(
                    ErrorKind::Failed,
                    format!(
                        "dnspod took the changes and does not list {}",
                        names.join(", ")
                    ),
                )
                .cause(format!("not within {} s", self.pace.bound.as_secs()))
                .hint("see what is there with `geodeploy dns plan` in a minute"));
            }
            sleep(self.pace.poll).await;
        }
    }

    async fn place_lock(&self, lock: &Lock, context: &Context) -> Result<(), LockError> {
        self.locks.place(&self.client, lock, context).await
    }

    async fn read_lock(&self, context: &Context) -> Result<Option<Lock>, Error> {
        self.locks.read(&self.client, context, self.pace).await
    }

    async fn replace_lock(
        &self,
        old: &Lock,
        new: Option<&Lock>,
        context: &Context,
    ) -> Result<(), LockError> {
        let (client, pace) = (&self.client, self.pace);
        self.locks.replace(client, old, new, context, pace).await
    }
}
