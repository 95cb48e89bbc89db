//! What is wanted, in DNSPod's record sets. Pure.

use std::time::Duration;

use super::Context;
use super::lines::DEFAULT;
use super::routes::{differences, routes};
use super::set::{id, wanted as attributes};
use crate::dns::{Answer, Desired, GeoName, Object, Wanted};
use crate::inventory::{Addresses, RegionName};

/// The objects: the hosts' names on the default line, then the name that answers by geography, its default line first.
pub(super) fn desired(wanted: &Wanted, context: &Context) -> Desired {
    let ttl = context.ttl(wanted.ttl);
    let mut desired = Desired::default();
    let mut add = |name: &str, kind: &str, line: &str, value: String| {
        desired.objects.push(Object {
            id: id(name, kind, line, &context.lines),
            attributes: attributes(value, line, ttl, &wanted.owner),
        });
    };
    for host in &wanted.hosts {
        add(
            host.name.as_str(),
            "A",
            DEFAULT,
            host.addresses.ipv4.to_string(),
        );
        if let Some(address) = host.addresses.ipv6 {
            add(host.name.as_str(), "AAAA", DEFAULT, address.to_string());
        }
    }
    let Some(geo) = &wanted.geo else {
        desired.notes = notes(wanted, context, ttl);
        return desired;
    };
    let routing = &geo.routing;
    let routes = routes(routing, &context.lines);
    let lines: Vec<(&str, &RegionName)> = std::iter::once((DEFAULT, &routing.default))
        .chain(
            routes
                .iter()
                .map(|route| (route.line.id.as_str(), route.region)),
        )
        .collect();
    let without = without_ipv6(geo, &lines);
    for family in ["A", "AAAA"] {
        if family == "AAAA" && !without.is_empty() {
            continue;
        }
        for (line, region) in &lines {
            if let Some(value) = addresses(geo, region).and_then(|all| in_family(all, family)) {
                add(geo.name.as_str(), family, line, value);
            }
        }
    }
    desired.notes = notes(wanted, context, ttl);
    desired.notes.extend(note_of_ipv6(geo, &without));
    desired.notes.push(format!(
        "dnspod does not watch the regions: while one is down, {} still answers its clients with its address",
        geo.name
    ));
    desired.degraded = differences(routing, &routes, &context.lines, &context.grade);
    desired
}

fn addresses<'a>(geo: &'a GeoName, region: &RegionName) -> Option<&'a Addresses> {
    let answer: Option<&Answer> = geo.answers.iter().find(|answer| answer.region == *region);
    answer.map(|answer| &answer.addresses)
}

fn in_family(addresses: &Addresses, family: &str) -> Option<String> {
    match family {
        "A" => Some(addresses.ipv4.to_string()),
        _ => addresses.ipv6.map(|address| address.to_string()),
    }
}

/// The regions that are answered and have no IPv6 address.
fn without_ipv6<'a>(geo: &GeoName, lines: &[(&str, &'a RegionName)]) -> Vec<&'a RegionName> {
    let mut without: Vec<&RegionName> = lines
        .iter()
        .map(|(_, region)| *region)
        .filter(|region| addresses(geo, region).is_none_or(|all| all.ipv6.is_none()))
        .collect();
    without.sort();
    without.dedup();
    without
}

/// A line without a record of a type is answered by the default line's: another region's, which is worse than IPv4 alone.
fn note_of_ipv6(geo: &GeoName, without: &[&RegionName]) -> Option<String> {
    let any = geo
        .answers
        .iter()
        .any(|answer| answer.addresses.ipv6.is_some());
    let names: Vec<&str> = without.iter().map(|region| region.as_str()).collect();
    (any && !names.is_empty()).then(|| {
        format!(
            "{} gets no AAAA records, because {} has no IPv6 address and its clients would get another region's",
            geo.name,
            names.join(", ")
        )
    })
}

fn notes(wanted: &Wanted, context: &Context, ttl: u64) -> Vec<String> {
    let mut notes = context.notes.clone();
    let asked = wanted.ttl.as_secs();
    if ttl != asked {
        notes.push(format!(
            "the TTL is {ttl} s instead of {asked} s: the least that the plan {} of {} allows",
            context.grade, wanted.zone
        ));
    }
    notes
}

impl Context {
    /// The TTL in seconds that the plan allows.
    fn ttl(&self, asked: Duration) -> u64 {
        asked.as_secs().max(self.least_ttl)
    }
}

#[cfg(test)]
mod tests;
