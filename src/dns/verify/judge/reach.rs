//! Whether each server answers, over both transports, as an authority.

use super::{Check, Tally, Word, country, servers};
use crate::dns::query::{Failure, Kind, Transport};
use crate::dns::verify::seen::{Exchange, ZoneSeen};

pub(super) fn judge(zone: &ZoneSeen, tally: &mut Tally) {
    let there = |exchange: &&Exchange| !matches!(exchange.answer, Err(Failure::NoRoute(_)));
    let somewhere = zone.asked.iter().any(|exchange| there(&exchange));
    let mut well = zone.asked.iter().filter(there).collect::<Vec<_>>();
    for exchange in &zone.asked {
        let transport = match exchange.transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Https => "HTTPS",
        };
        match &exchange.answer {
            Err(failure @ Failure::NoRoute(_)) if somewhere => {
                let told = format!("not asked for {}: {failure}", zone.zone);
                let finding = tally.add(Check::Servers, Word::Warning, told);
                finding.at(exchange, None).clients.clear();
            }
            Err(failure) => {
                let told = format!("{} over {transport}: {failure}", zone.zone);
                let finding = tally.add(Check::Servers, Word::Unreachable, told);
                finding
                    .at(exchange, country(exchange))
                    .hint(match exchange.transport {
                        Transport::Tcp => "is 53/tcp of it open to you?",
                        _ => "is the server running, and 53/udp of it open to you?",
                    });
            }
            Ok(reply) if reply.authoritative => {}
            Ok(reply) => {
                let told = format!("{}: answers {} and is no authority", zone.zone, reply.code);
                let finding = tally.add(Check::Servers, Word::Differs, told);
                finding.at(exchange, None).clients.clear();
                finding.hint(if reply.recursion_available {
                    "that is a resolver: something on the way may answer in the server's place; try another network"
                } else {
                    "the server does not have the zone, or it is delegated further"
                });
            }
        }
    }
    well.retain(|exchange| exchange.is(&zone.zone, Kind::Soa));
    // A delegation that names nobody, or names without addresses, is told as such.
    if zone.asked.is_empty() && tally.is_bad(Check::Delegation) {
        return;
    }
    if zone.asked.is_empty() {
        let told = format!("{} has no server that could be asked", zone.zone);
        tally.add(Check::Servers, Word::Unreachable, told);
    } else if !tally.is_bad(Check::Servers) {
        let told = format!("{} is answered over UDP and TCP", zone.zone);
        let finding = tally.add(Check::Servers, Word::Ok, told);
        finding.servers.extend(servers(well));
    }
}
