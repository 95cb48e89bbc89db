//! What the inventory wants to be answered, before it is compiled for a provider.

use std::time::Duration;

use crate::inventory::{Addresses, DomainName, RegionName, Routing};

/// Everything that is wanted of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The zone at the provider.
    pub zone: DomainName,
    /// The mark on every object of this project, `geodeploy:APP`.
    pub owner: String,
    /// How long resolvers may keep an answer.
    pub ttl: Duration,
    /// Names of one host each: the regions' own, and those that the database is dialled by.
    pub hosts: Vec<HostName>,
    /// The name that answers by geography; nothing where clients choose a region themselves.
    pub geo: Option<GeoName>,
}

/// A name of one host: A, and AAAA where the host has an IPv6 address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    /// The name.
    pub name: DomainName,
    /// Whose host it is.
    pub region: RegionName,
    /// Its addresses.
    pub addresses: Addresses,
}

/// The name that answers by geography.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeoName {
    /// The name.
    pub name: DomainName,
    /// What it may answer: every region, in the inventory's order.
    pub answers: Vec<Answer>,
    /// Which of them answers whom.
    pub routing: Routing,
}

/// One region as an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The region.
    pub region: RegionName,
    /// The region's own name, which health checks ask for.
    pub domain: DomainName,
    /// Its host's addresses.
    pub addresses: Addresses,
}
