//! Records that somebody enters by hand. Pure.

use std::net::IpAddr;

use super::Wanted;
use crate::inventory::DomainName;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: DomainName,
    /// How long resolvers may keep it, in seconds.
    pub ttl: u64,
    /// What it answers; its type is A or AAAA by its family.
    pub address: IpAddr,
}

impl Entry {
    /// `A` or `AAAA`.
    pub fn record_type(&self) -> &'static str {
        match self.address {
            IpAddr::V4(_) => "A",
            IpAddr::V6(_) => "AAAA",
        }
    }

    /// As a line of a zone file (RFC 1035 section 5).
    pub fn line(&self, width: usize) -> String {
        let name = format!("{}.", self.name);
        format!(
            "{name:<width$}  {}  IN  {:<4}  {}",
            self.ttl,
            self.record_type(),
            self.address
        )
    }
}

/// The records of the hosts' names. A name that answers by geography cannot be entered by hand.
pub fn entries(wanted: &Wanted) -> Vec<Entry> {
    let hosts = wanted.hosts.iter();
    let entries = hosts.flat_map(|host| {
        let six = host.addresses.ipv6.map(IpAddr::V6);
        let addresses = std::iter::once(IpAddr::V4(host.addresses.ipv4)).chain(six);
        addresses.map(|address| Entry {
            name: host.name.clone(),
            ttl: wanted.ttl.as_secs(),
            address,
        })
    });
    entries.collect()
}
