//! Who answers for a zone: the zone above, the zone itself and the inventory should say the same.

use std::collections::BTreeSet;

use super::{Check, Expected, Tally, Word, list};
use crate::dns::query::{Data, Kind, Reply};
use crate::dns::verify::expected::of;
use crate::dns::verify::seen::{Delegation, Exchange, ZoneSeen};

/// Sets of servers that were named, each with who named it.
type Views<'a> = Vec<(BTreeSet<String>, Vec<&'a Exchange>)>;

const AT_PARENT: &str = "correct the NS records of it where the zone above is kept (the registrar, or that zone's provider)";

pub(super) fn judge(
    expected: &Expected,
    zone: &ZoneSeen,
    delegation: &Delegation,
    tally: &mut Tally,
) {
    let above = if delegation.parent.is_empty() {
        "the root"
    } else {
        &delegation.parent
    };
    silent(above, delegation, tally);
    let from_above = views(&zone.zone, delegation.asked.iter());
    let own = zone
        .asked
        .iter()
        .filter(|asked| asked.is(&zone.zone, Kind::Ns));
    let own = own.filter(|asked| asked.answer.as_ref().is_ok_and(|reply| reply.authoritative));
    let from_itself = views(&zone.zone, own);
    let wanted = expected.delegated_to.as_ref();
    let wanted = wanted.filter(|_| {
        let geo = expected.wanted.geo.as_ref();
        geo.is_some_and(|geo| geo.name.as_str() == zone.zone)
    });
    for (named, by) in &from_above {
        let says = |told: String| told;
        let told = match wanted {
            _ if named.is_empty() => says(format!("{above} does not delegate {}", zone.zone)),
            Some(wanted) if named != wanted => says(format!(
                "{above} delegates {} to {} instead of {}",
                zone.zone,
                list(named),
                list(wanted)
            )),
            _ => continue,
        };
        let finding = tally.add(Check::Delegation, Word::Differs, told);
        seen_at(finding.hint(AT_PARENT), by);
    }
    disagreement(
        &format!("the servers of {above}"),
        &zone.zone,
        &from_above,
        tally,
    );
    disagreement("its own servers", &zone.zone, &from_itself, tally);
    stale(above, &zone.zone, &from_above, &from_itself, tally);
    without_address(zone, delegation, tally);
    glue(above, expected, delegation, tally);
    if !tally.is_bad(Check::Delegation)
        && let [(named, by)] = &from_above[..]
    {
        let told = format!("{above} delegates {} to {}", zone.zone, list(named));
        seen_at(tally.add(Check::Delegation, Word::Ok, told), by);
    }
}

fn seen_at(finding: &mut super::Finding, by: &[&Exchange]) {
    for exchange in by {
        finding.at(exchange, None);
    }
}

/// What each of them says, the same once.
fn views<'a>(zone: &str, asked: impl Iterator<Item = &'a Exchange>) -> Views<'a> {
    let mut views: Views<'a> = Vec::new();
    for exchange in asked {
        let Ok(reply) = &exchange.answer else {
            continue;
        };
        let named = reply.servers_of(zone);
        match views.iter_mut().find(|(known, _)| *known == named) {
            Some((_, by)) => by.push(exchange),
            None => views.push((named, vec![exchange])),
        }
    }
    views
}

/// A server of the zone above that does not answer: the others do.
fn silent(above: &str, delegation: &Delegation, tally: &mut Tally) {
    for exchange in &delegation.asked {
        if let Err(failure) = &exchange.answer {
            let told = format!("a server of {above} was not asked: {failure}");
            tally
                .add(Check::Delegation, Word::Warning, told)
                .at(exchange, None);
        }
    }
    if delegation.left_out > 0 {
        let told = format!("{} more addresses were not asked", delegation.left_out);
        tally.add(Check::Delegation, Word::Warning, told);
    }
}

fn disagreement(who: &str, zone: &str, views: &Views<'_>, tally: &mut Tally) {
    if views.len() < 2 {
        return;
    }
    let each = views.iter().map(|(named, by)| {
        let by = by.iter().map(|exchange| &exchange.server);
        format!("{} ({})", list(named), list(by))
    });
    let each: Vec<String> = each.collect();
    let told = format!(
        "{who} do not agree on who answers for {zone}: {}",
        each.join("; ")
    );
    tally
        .add(Check::Delegation, Word::Differs, told)
        .hint("if the NS records were changed a moment ago, wait for their TTL and ask again");
}

fn stale(above: &str, zone: &str, from_above: &Views<'_>, own: &Views<'_>, tally: &mut Tally) {
    for (named, by) in from_above.iter().filter(|(named, _)| !named.is_empty()) {
        for (itself, _) in own.iter().filter(|(itself, _)| itself != named) {
            let told = format!(
                "the delegation of {zone} is stale: {above} names {}, the zone itself {}",
                list(named),
                list(itself)
            );
            let finding = tally.add(Check::Delegation, Word::Differs, told);
            seen_at(finding.hint(AT_PARENT), by);
        }
    }
}

fn without_address(zone: &ZoneSeen, delegation: &Delegation, tally: &mut Tally) {
    for name in &delegation.without_address {
        let told = format!("{} has a server {name}, which has no address", zone.zone);
        tally.add(Check::Delegation, Word::Differs, told);
    }
}

/// Addresses of our hosts that come with a referral.
fn glue(above: &str, expected: &Expected, delegation: &Delegation, tally: &mut Tally) {
    for exchange in &delegation.asked {
        let additional = exchange.answer.as_ref().map_or(&[][..], additional);
        for record in additional {
            let mut hosts = expected.wanted.hosts.iter();
            let host = hosts.find(|host| host.name.as_str() == record.name);
            let (Some(host), Data::Address(address)) = (host, &record.data) else {
                continue;
            };
            let kind = if address.is_ipv4() {
                Kind::A
            } else {
                Kind::Aaaa
            };
            if !of(host.addresses, kind).contains(address) {
                let told = format!("{above} says that {} is at {address}", record.name);
                let finding = tally.add(Check::Delegation, Word::Differs, told);
                finding
                    .at(exchange, None)
                    .hint("correct the glue records at the registrar");
            }
        }
    }
}

fn additional(reply: &Reply) -> &[crate::dns::query::Record] {
    &reply.additional
}
