//! What the answers should be.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use crate::dns::query::Kind;
use crate::dns::{Answer, GeoName, Wanted};
use crate::geography::Country;
use crate::inventory::{Addresses, DnsProvider, RegionName};

/// DNSPod's free plan answers with no shorter TTL.
const DNSPOD_TTL: Duration = Duration::from_secs(600);

/// What the answers should be.
#[derive(Clone, Debug)]
pub struct Expected {
    /// By name.
    pub wanted: Wanted,
    /// Where the name that answers by geography is a zone of its own: the names of its servers.
    pub delegated_to: Option<BTreeSet<String>>,
    /// The longest TTL that the provider can be forced to.
    pub longest_ttl: Duration,
    /// Only clients of these regions are judged; all where it is empty.
    pub only: Vec<RegionName>,
}

impl Expected {
    /// What that provider should answer.
    pub fn new(wanted: Wanted, provider: &DnsProvider) -> Self {
        let embedded = matches!(provider, DnsProvider::Embedded);
        let geo = wanted.geo.as_ref().filter(|_| embedded);
        let delegated_to = geo.map(|geo| {
            let names = geo.answers.iter().map(|answer| answer.domain.to_string());
            names.collect()
        });
        let longest_ttl = match provider {
            DnsProvider::Dnspod { .. } => wanted.ttl.max(DNSPOD_TTL),
            _ => wanted.ttl,
        };
        Self {
            wanted,
            delegated_to,
            longest_ttl,
            only: Vec::new(),
        }
    }

    /// The zones to look at, and for each the names whose addresses its servers have to know.
    pub fn zones(&self) -> Vec<(String, Vec<String>)> {
        let wanted = &self.wanted;
        let hosts: Vec<String> = wanted
            .hosts
            .iter()
            .map(|host| host.name.to_string())
            .collect();
        match (&self.delegated_to, &wanted.geo) {
            (Some(_), Some(geo)) => vec![
                (geo.name.to_string(), Vec::new()),
                (wanted.zone.to_string(), hosts),
            ],
            _ => vec![(wanted.zone.to_string(), hosts)],
        }
    }

    /// Which region a client in that country should be sent to.
    pub fn answer<'e>(&'e self, geo: &'e GeoName, country: Country) -> Option<&'e Answer> {
        let (region, _) = geo.routing.region(country);
        geo.answers.iter().find(|answer| answer.region == *region)
    }

    /// Whether clients of that region are judged.
    pub fn judges(&self, region: &RegionName) -> bool {
        self.only.is_empty() || self.only.contains(region)
    }

    /// Every address of the inventory that may be an answer.
    pub fn addresses(&self) -> BTreeSet<IpAddr> {
        let wanted = &self.wanted;
        let hosts = wanted.hosts.iter().map(|host| host.addresses);
        let answers = wanted.geo.iter().flat_map(|geo| &geo.answers);
        let all = hosts.chain(answers.map(|answer| answer.addresses));
        all.flat_map(|addresses| [of(addresses, Kind::A), of(addresses, Kind::Aaaa)])
            .flatten()
            .collect()
    }
}

/// A host's addresses as the answer to that kind of question.
pub(super) fn of(addresses: Addresses, kind: Kind) -> BTreeSet<IpAddr> {
    match kind {
        Kind::A => BTreeSet::from([addresses.ipv4.into()]),
        Kind::Aaaa => addresses.ipv6.map(IpAddr::from).into_iter().collect(),
        Kind::Ns | Kind::Soa | Kind::Txt => BTreeSet::new(),
    }
}
