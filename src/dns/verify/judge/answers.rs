//! Each answer against the inventory: no address of somebody else's, the right region's, for the right time.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Check, Expected, Tally, Word, country, list, servers};
use crate::dns::query::{Code, Data, Kind, Reply};
use crate::dns::verify::expected::of;
use crate::dns::verify::samples::samples;
use crate::dns::verify::seen::{Exchange, Server};
use crate::inventory::{Addresses, RegionName};

/// Who answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The zone's own servers.
    Authority,
    /// A resolver, which counts the TTL down.
    Public,
}

/// What one question should be answered with.
struct Right<'e> {
    check: Check,
    region: &'e RegionName,
    addresses: Addresses,
}

pub(super) fn judge(
    expected: &Expected,
    asked: &[Exchange],
    blind: &BTreeSet<Server>,
    by: By,
    tally: &mut Tally,
) {
    let known = expected.addresses();
    let mut well: Vec<(Check, &Exchange)> = Vec::new();
    let mut wronged: BTreeSet<(&String, Option<IpNet>)> = BTreeSet::new();
    for exchange in asked {
        let (Some(mut right), Ok(reply)) = (right(expected, exchange), &exchange.answer) else {
            continue;
        };
        if by == By::Public {
            right.check = Check::Public;
        }
        ttl(expected, exchange, reply, by, tally);
        let foreign: BTreeSet<IpAddr> = reply.addresses().difference(&known).copied().collect();
        if !foreign.is_empty() {
            let told = format!(
                "{} is answered with {}, which nobody in the inventory has",
                subject(exchange),
                list(&foreign)
            );
            let finding = tally.add(Check::Foreign, Word::Differs, told);
            finding.at(exchange, country(exchange)).hint(FORGED);
            wronged.insert(client(exchange));
        } else if exchange.subnet().is_none() || !blind.contains(&exchange.server) {
            match wrong(expected, exchange, reply, &right) {
                Some(told) => {
                    let finding = tally.add(right.check, Word::Differs, told);
                    finding.at(exchange, country(exchange));
                    wronged.insert(client(exchange));
                }
                None => well.push((right.check, exchange)),
            }
        }
    }
    well.retain(|(_, exchange)| !wronged.contains(&client(exchange)));
    praise(asked, &well, by, tally);
    unasked(asked, by, tally);
}

const FORGED: &str = "answers may be forged on the way, as the Great Firewall does: ask from another network; or the record of a former \
                      host is in the way: see `geodeploy dns plan`";

fn right<'e>(expected: &'e Expected, exchange: &Exchange) -> Option<Right<'e>> {
    let question = &exchange.question;
    if !matches!(question.kind, Kind::A | Kind::Aaaa) {
        return None;
    }
    if let Some(subnet) = question.subnet {
        let geo = expected.wanted.geo.as_ref()?;
        let sample = samples()
            .into_iter()
            .find(|sample| sample.network == subnet)?;
        let answer = expected.answer(geo, sample.country)?;
        return Some(Right {
            check: Check::Geo,
            region: &answer.region,
            addresses: answer.addresses,
        });
    }
    let mut hosts = expected.wanted.hosts.iter();
    let host = hosts.find(|host| host.name.as_str() == question.name)?;
    Some(Right {
        check: Check::Hosts,
        region: &host.region,
        addresses: host.addresses,
    })
}

fn client(exchange: &Exchange) -> (&String, Option<IpNet>) {
    (&exchange.question.name, exchange.subnet())
}

fn subject(exchange: &Exchange) -> String {
    format!("{} {}", exchange.question.name, exchange.question.kind)
}

/// What is wrong with an answer of known addresses.
fn wrong(
    expected: &Expected,
    exchange: &Exchange,
    reply: &Reply,
    right: &Right<'_>,
) -> Option<String> {
    let wanted = of(right.addresses, exchange.question.kind);
    let found = reply.addresses();
    let shown = |addresses: &BTreeSet<IpAddr>| {
        list(addresses.iter().map(|address| named(expected, *address)))
    };
    let right = if wanted.is_empty() {
        format!("nothing, as {} has no IPv6 address", right.region)
    } else {
        shown(&wanted)
    };
    if reply.code != Code::NO_ERROR {
        return Some(format!(
            "{} is answered {} instead of {right}",
            subject(exchange),
            reply.code
        ));
    }
    (found != wanted).then(|| {
        let found = shown(&found);
        format!(
            "{} is answered with {found} instead of {right}",
            subject(exchange)
        )
    })
}

/// `cn (203.0.113.20)`.
fn named(expected: &Expected, address: IpAddr) -> String {
    let geo = expected.wanted.geo.iter().flat_map(|geo| &geo.answers);
    let geo = geo.map(|answer| (&answer.region, answer.addresses));
    let hosts = expected.wanted.hosts.iter();
    let mut all = geo.chain(hosts.map(|host| (&host.region, host.addresses)));
    let has = |addresses: Addresses| {
        IpAddr::V4(addresses.ipv4) == address || addresses.ipv6.map(IpAddr::V6) == Some(address)
    };
    match all.find(|(_, addresses)| has(*addresses)) {
        Some((region, _)) => format!("{region} ({address})"),
        None => address.to_string(),
    }
}

fn ttl(expected: &Expected, exchange: &Exchange, reply: &Reply, by: By, tally: &mut Tally) {
    let addresses = reply
        .answers
        .iter()
        .filter(|record| matches!(record.data, Data::Address(_)));
    let ttls: BTreeSet<u64> = addresses.map(|record| record.ttl.into()).collect();
    let wanted = expected.wanted.ttl.as_secs();
    for ttl in ttls {
        let (word, hint) = match ttl {
            0 if by == By::Authority => (Word::Differs, "0 makes every request a look-up"),
            _ if ttl > expected.longest_ttl.as_secs() => (
                Word::Differs,
                "clients keep to a region that failed for that long",
            ),
            _ if ttl > wanted => (Word::Warning, "the provider's plan allows no shorter TTL"),
            _ => continue,
        };
        let told = format!("{}: TTL {ttl} s instead of {wanted} s", subject(exchange));
        let finding = tally.add(Check::Ttl, word, told);
        finding.at(exchange, country(exchange)).hint(hint);
    }
}

/// What is as it should be, once a check.
fn praise(asked: &[Exchange], well: &[(Check, &Exchange)], by: By, tally: &mut Tally) {
    for check in [Check::Geo, Check::Hosts, Check::Public] {
        let of = || {
            well.iter()
                .filter(|(of, _)| *of == check)
                .map(|(_, exchange)| *exchange)
        };
        let names: BTreeSet<&String> = of().map(|exchange| &exchange.question.name).collect();
        let clients: BTreeSet<String> = of()
            .filter_map(|exchange| Some(format!("{} {}", exchange.subnet()?, country(exchange)?)))
            .collect();
        if names.is_empty() {
            continue;
        }
        let told = match (check, clients.len()) {
            (_, 0) => format!("{} as the inventory has them", list(names)),
            (_, count) => format!("{}: {count} clients get their region", list(names)),
        };
        let finding = tally.add(check, Word::Ok, told);
        finding.servers.extend(servers(of()));
        finding.clients.extend(clients);
    }
    let all_ttls = asked.iter().any(|exchange| {
        exchange
            .answer
            .as_ref()
            .is_ok_and(|reply| !reply.addresses().is_empty())
    });
    if by == By::Authority && all_ttls && !tally.is_bad(Check::Ttl) {
        tally.add(
            Check::Ttl,
            Word::Ok,
            "no answer is kept longer than the inventory says",
        );
    }
}

/// A public resolver that does not answer; the zone's own servers are judged elsewhere.
fn unasked(asked: &[Exchange], by: By, tally: &mut Tally) {
    let failed = asked.iter().filter(|_| by == By::Public);
    for exchange in failed {
        if let Err(failure) = &exchange.answer {
            let finding = tally.add(Check::Public, Word::Unreachable, failure);
            finding.at(exchange, country(exchange));
        }
    }
}
