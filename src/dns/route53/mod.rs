//! AWS Route 53: geolocation sets that stand for failover pairs, one batch a name.
//!
//! `api` is one alias for each place of the routing, to the hidden name of the region that serves it; `_gd-us.api` answers
//! with us while us is well and with the next region while it is not. A hidden name may be ill as a whole: then the
//! alias's place falls back to a wider one, and where everything is ill, everything counts as well.

mod answers;
mod apply;
mod batch;
mod checks;
mod client;
mod compile;
#[cfg(test)]
mod fixture;
mod found;
mod listing;
mod lock;
mod names;
mod permissions;
mod refusal;
mod spec;
mod steps;
mod text;
mod validate;
mod wire;
mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Desired, Handles, Listing, Lock, LockError, Provider, Step, Wanted};
use crate::error::{Error, ErrorKind};
use crate::inventory::HttpUrl;
use crate::plan::{Change, Kind};
use crate::secrets::Secret;
use answers::Changed;
use batch::Ground;
use client::{Call, Client, Failure};
use spec::CheckNames;
use validate::Zone;
use world::World;

use super::signature::Keys;

/// Route 53's one interface.
const ENDPOINT: &str = "https://route53.amazonaws.com";
/// How long a change may take to reach all of Route 53's servers.
const IN_SYNC: Duration = Duration::from_secs(120);

/// The provider.
#[derive(Debug)]
pub struct Route53 {
    client: Client,
    secure: bool,
}

/// What is known of the zone besides the objects.
#[derive(Debug)]
pub struct Context {
    zone_id: String,
    zone_name: String,
    owner: String,
    /// Whether health checks are made or deleted.
    health: bool,
    checks: CheckNames,
    /// The zone as it is stored, kept up with what this run writes.
    world: Mutex<World>,
    /// Changes that may not have reached all servers yet.
    pending: Mutex<Vec<String>>,
}

impl Context {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> MutexGuard<'_, Vec<String>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ground<'g>(&'g self, world: &'g World) -> Ground<'g> {
        Ground {
            world,
            zone: Zone {
                id: &self.zone_id,
                name: &self.zone_name,
            },
            checks: &self.checks,
            owner: &self.owner,
        }
    }
}

impl Route53 {
    /// The provider with an access key. `secure`: the regions serve HTTPS, and their health is asked for there.
    ///
    /// # Errors
    /// The endpoint is no place to send a session token to, or no HTTPS client can be made.
    pub fn new(
        endpoint: Option<&HttpUrl>,
        access_key_id: Secret,
        secret_access_key: Secret,
        session_token: Option<Secret>,
        secure: bool,
    ) -> Result<Self, Error> {
        let place = endpoint.map_or(ENDPOINT, HttpUrl::as_str);
        let bare = place
            .split_once("://")
            .is_some_and(|(_, rest)| !rest.contains('/'));
        if !bare || endpoint.is_some_and(|url| !url.is_private()) {
            let what = format!("`dns.endpoint` {place} cannot be Route 53");
            let hint =
                "write https:// and a host, nothing more; http:// only within a private network";
            return Err(Error::new(ErrorKind::Input, what).hint(hint));
        }
        let keys = Keys {
            access_key_id,
            secret_access_key,
            session_token,
        };
        let client = Client::new(place.to_owned(), keys)?;
        Ok(Self { client, secure })
    }

    /// The same with another patience: for one call, with all of the waiting that Route 53 asks for.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.client.patience = patience;
        self
    }
}

impl Provider for Route53 {
    type Context = Context;

    fn name(&self) -> &'static str {
        "route53"
    }

    async fn list(&self, wanted: &Wanted) -> Result<Listing<Context>, Error> {
        let zone_name = text::canonical(wanted.zone.as_str());
        let zone_id = listing::zone(&self.client, &zone_name).await?;
        let world = listing::world(&self.client, &zone_id).await?;
        let all = listing::checks(&self.client, &wanted.owner).await?;
        let (mut objects, checks) = found::health_checks(&all);
        objects.extend(found::records(&world, &zone_id, wanted, &checks));
        let several = wanted.geo.as_ref().is_some_and(|geo| geo.answers.len() > 1);
        Ok(Listing {
            objects,
            context: Context {
                zone_id,
                zone_name,
                owner: wanted.owner.clone(),
                health: several || !all.is_empty(),
                checks,
                world: Mutex::new(world),
                pending: Mutex::new(Vec::new()),
            },
        })
    }

    fn desired(&self, wanted: &Wanted, _context: &Context) -> Result<Desired, Error> {
        Ok(compile::desired(wanted, self.secure))
    }

    fn steps(&self, changes: &[Change], _context: &Context) -> Vec<Step> {
        steps::steps(changes)
    }

    async fn apply(
        &self,
        step: &Step,
        handles: &mut Handles,
        context: &Context,
    ) -> Result<(), Error> {
        let done = match step.changes.first() {
            Some(change) if change.id.kind == Kind::HealthCheck => {
                self.health_check(change, handles, context).await
            }
            Some(_) => self.records(step, handles, context).await,
            None => Ok(()),
        };
        done.map_err(|error| error.at(&step.what))
    }

    async fn settle(&self, context: &Context) -> Result<(), Error> {
        let begun = Instant::now();
        let pending = std::mem::take(&mut *context.pending());
        for id in pending {
            loop {
                let call = Call::read("GetChange", format!("change/{id}"), &[]);
                let changed: Changed = self.client.ask(&call).await.map_err(Failure::error)?;
                if changed.change_info.status == "INSYNC" {
                    break;
                }
                if begun.elapsed() > IN_SYNC {
                    let what = format!("Route 53's change {id} has not reached all of its servers");
                    return Err(Error::new(ErrorKind::Failed, what)
                        .cause(format!(
                            "after {} s it is {}",
                            IN_SYNC.as_secs(),
                            changed.change_info.status
                        ))
                        .hint("it is written and will be; look with `geodeploy dns status`"));
                }
                sleep(Duration::from_secs(2)).await;
            }
        }
        Ok(())
    }

    async fn place_lock(&self, lock: &Lock, context: &Context) -> Result<(), LockError> {
        permissions::check(&self.client, context)
            .await
            .map_err(LockError::Failed)?;
        lock::change(&self.client, context, None, Some(lock)).await
    }

    async fn read_lock(&self, context: &Context) -> Result<Option<Lock>, Error> {
        lock::find(&self.client, context).await
    }

    async fn replace_lock(
        &self,
        old: &Lock,
        new: Option<&Lock>,
        context: &Context,
    ) -> Result<(), LockError> {
        lock::change(&self.client, context, Some(old), new).await
    }
}
