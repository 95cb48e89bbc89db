//! Cloudflare: records for the hosts' names, and Load Balancing for the name that answers by geography.
//!
//! A plain record of Cloudflare's carries no location, so answers by geography need its paid Load Balancing: a monitor
//! and a pool a region, and one load balancer over them. The `cloudflare` crate describes the calls (endpoints,
//! credentials, environment); our own client sends them, because the crate's loses codes above 65,535, the request's id
//! and Retry-After, and its models fail on ordinary zones.

mod balancer;
mod client;
mod compile;
mod endpoints;
mod listing;
mod lock;
mod mark;
mod monitor;
mod pool;
mod records;
mod refusal;
mod schema;
mod steps;
mod text;
mod write;
mod zone;

use std::collections::BTreeSet;
use std::time::Duration;

use client::Client;
use endpoints::Place;

use super::{Desired, Handles, Listing, Lock, LockError, Provider, Step, Wanted};
use crate::error::Error;
use crate::geography::Country;
use crate::inventory::HttpUrl;
use crate::plan::Change;
use crate::secrets::Secret;

/// For one call with all its waiting. A client that asked too much is blocked for five minutes, which is not waited for.
const PATIENCE: Duration = Duration::from_secs(90);

/// The provider `cloudflare`.
pub struct Cloudflare {
    client: Client,
}

/// What listing learns about the zone.
#[derive(Clone, Debug)]
pub struct Context {
    /// The zone's name.
    zone: String,
    place: Place,
    /// The countries that Cloudflare tells apart; nothing where it does not say.
    countries: Option<BTreeSet<String>>,
    /// Why answers by geography cannot be had, where Cloudflare said so when asked to list.
    without_balancing: Option<Error>,
    /// What the operator should know, a sentence each.
    notes: Vec<String>,
    /// Load balancers of others that answer in the place of wanted records, a sentence each.
    shadowing: Vec<String>,
}

impl Context {
    fn knows(&self, country: Country) -> bool {
        let countries = self.countries.as_ref();
        countries.is_none_or(|known| known.contains(country.code()))
    }
}

impl Cloudflare {
    /// With an API token. `endpoint` stands in for `https://api.cloudflare.com/client/v4`.
    ///
    /// # Errors
    /// TLS cannot be set up, or the token would travel in clear.
    pub fn new(token: Secret, endpoint: Option<&HttpUrl>) -> Result<Self, Error> {
        Self::patient_for(PATIENCE, token, endpoint)
    }

    /// The same, waiting at most that long for one call when Cloudflare asks to slow down.
    ///
    /// # Errors
    /// As [`Cloudflare::new`].
    pub fn patient_for(
        patience: Duration,
        token: Secret,
        endpoint: Option<&HttpUrl>,
    ) -> Result<Self, Error> {
        Ok(Self {
            client: Client::new(token, endpoint, patience)?,
        })
    }
}

impl Provider for Cloudflare {
    type Context = Context;

    fn name(&self) -> &'static str {
        client::NAME
    }

    async fn list(&self, wanted: &Wanted) -> Result<Listing<Context>, Error> {
        listing::list(&self.client, wanted).await
    }

    fn desired(&self, wanted: &Wanted, context: &Context) -> Result<Desired, Error> {
        compile::desired(wanted, context)
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
        write::apply(&self.client, step, handles, context).await
    }

    /// Cloudflare shows what it has taken at once, and does not tell when its servers answer it.
    async fn settle(&self, _: &Context) -> Result<(), Error> {
        Ok(())
    }

    async fn place_lock(&self, lock: &Lock, context: &Context) -> Result<(), LockError> {
        lock::place(&self.client, lock, context).await
    }

    async fn read_lock(&self, context: &Context) -> Result<Option<Lock>, Error> {
        lock::read(&self.client, context).await
    }

    async fn replace_lock(
        &self,
        old: &Lock,
        new: Option<&Lock>,
        context: &Context,
    ) -> Result<(), LockError> {
        lock::replace(&self.client, old, new, context).await
    }
}

#[cfg(test)]
mod tests;
