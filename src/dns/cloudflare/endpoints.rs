//! The calls that the `cloudflare` crate has no definition of, or one whose models fail on ordinary zones.

use std::marker::PhantomData;

use cloudflare::framework::endpoint::spec::EndpointSpec;
use cloudflare::framework::endpoint::{Method, RequestBody, serialize_query};
use serde::Serialize;

use crate::error::{Error, ErrorContext, ErrorKind};

/// One call: where, how, with what. `Kind` only keeps the calls of different objects apart.
pub(super) struct Endpoint<Kind> {
    method: Method,
    path: String,
    query: Option<String>,
    body: Option<String>,
    kind: PhantomData<fn() -> Kind>,
}

impl<Kind> EndpointSpec for Endpoint<Kind> {
    // The envelope is read by our own client.
    type JsonResponse = ();
    type ResponseType = ();

    fn method(&self) -> Method {
        self.method.clone()
    }

    fn path(&self) -> String {
        self.path.clone()
    }

    fn query(&self) -> Option<String> {
        self.query.clone()
    }

    fn body(&self) -> Option<RequestBody<'_>> {
        self.body.clone().map(RequestBody::Json)
    }
}

/// A collection of the interface: where its objects lie.
pub(super) trait Collection {
    /// The path of the collection below the zone or the account.
    const PATH: &'static str;
    /// Whether it belongs to the zone, else to the account.
    const OF_ZONE: bool;
}

/// What health checks ask: account's.
pub(super) enum Monitors {}
/// Groups of addresses: account's.
pub(super) enum Pools {}
/// Names that answer over pools: zone's.
pub(super) enum Balancers {}
/// Records: zone's.
pub(super) enum Records {}

impl Collection for Monitors {
    const PATH: &'static str = "load_balancers/monitors";
    const OF_ZONE: bool = false;
}

impl Collection for Pools {
    const PATH: &'static str = "load_balancers/pools";
    const OF_ZONE: bool = false;
}

impl Collection for Balancers {
    const PATH: &'static str = "load_balancers";
    const OF_ZONE: bool = true;
}

impl Collection for Records {
    const PATH: &'static str = "dns_records";
    const OF_ZONE: bool = true;
}

/// Where calls go: the zone's and the account's id.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) zone: String,
    pub(super) account: String,
}

impl Place {
    fn path<C: Collection>(&self) -> String {
        if C::OF_ZONE {
            format!("zones/{}/{}", self.zone, C::PATH)
        } else {
            format!("accounts/{}/{}", self.account, C::PATH)
        }
    }

    /// One page of the collection, with further conditions.
    pub(super) fn list<C: Collection>(&self, query: &[(&str, &str)]) -> Endpoint<C> {
        Endpoint {
            query: serialize_query(&query).filter(|query| !query.is_empty()),
            ..get(self.path::<C>())
        }
    }

    /// Makes a new object of the collection.
    pub(super) fn create<C: Collection>(
        &self,
        body: &impl Serialize,
    ) -> Result<Endpoint<C>, Error> {
        send(Method::POST, self.path::<C>(), body)
    }

    /// Gives an object all its settings anew.
    pub(super) fn replace<C: Collection>(
        &self,
        id: &str,
        body: &impl Serialize,
    ) -> Result<Endpoint<C>, Error> {
        send(Method::PUT, format!("{}/{id}", self.path::<C>()), body)
    }

    /// Removes an object.
    pub(super) fn delete<C: Collection>(&self, id: &str) -> Endpoint<C> {
        Endpoint {
            method: Method::DELETE,
            ..get(format!("{}/{id}", self.path::<C>()))
        }
    }

    /// Changes records, all or none: deletes, then replacements, then new ones.
    pub(super) fn batch(&self, body: &impl Serialize) -> Result<Endpoint<Records>, Error> {
        let path = format!("{}/batch", self.path::<Records>());
        send(Method::POST, path, body)
    }

    /// Which countries Cloudflare tells apart, by its own regions.
    pub(super) fn regions(&self) -> Endpoint<()> {
        get(format!("accounts/{}/load_balancers/regions", self.account))
    }
}

/// One page of the zones that the token sees, or the one of that name.
pub(super) fn zones(query: &[(&str, &str)]) -> Endpoint<()> {
    Endpoint {
        query: serialize_query(&query),
        ..get("zones".to_owned())
    }
}

/// Whether the token is a user's and valid; an account's own token is not known here.
pub(super) fn verify_token() -> Endpoint<()> {
    get("user/tokens/verify".to_owned())
}

fn get<Kind>(path: String) -> Endpoint<Kind> {
    Endpoint {
        method: Method::GET,
        path,
        query: None,
        body: None,
        kind: PhantomData,
    }
}

fn send<Kind>(
    method: Method,
    path: String,
    body: &impl Serialize,
) -> Result<Endpoint<Kind>, Error> {
    let text = serde_json::to_string(body).context(ErrorKind::Failed, || {
        format!("cannot write the body of {path}")
    })?;
    Ok(Endpoint {
        method,
        body: Some(text),
        ..get(path)
    })
}
