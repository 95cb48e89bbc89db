//! Whether the servers of a zone answer alike, and each of them alike over UDP and TCP.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{Check, Tally, Word, country, list};
use crate::dns::query::Kind;
use crate::dns::verify::seen::{Exchange, Server, ZoneSeen};

pub(super) fn judge(zone: &ZoneSeen, blind: &BTreeSet<Server>, tally: &mut Tally) {
    let mut questions: BTreeMap<_, Vec<(&Exchange, BTreeSet<IpAddr>)>> = BTreeMap::new();
    for exchange in &zone.asked {
        let question = &exchange.question;
        let counts = exchange.subnet().is_none() || !blind.contains(&exchange.server);
        if let (Ok(reply), Kind::A | Kind::Aaaa, true) = (&exchange.answer, question.kind, counts) {
            let key = (&question.name, question.kind, question.subnet);
            questions
                .entry(key)
                .or_default()
                .push((exchange, reply.addresses()));
        }
    }
    let compared = questions.len();
    for ((name, kind, _), answers) in questions {
        transports(name, kind, &answers, tally);
        let by_answer = grouped(&answers);
        if by_answer.len() > 1 {
            let each = by_answer
                .iter()
                .map(|(addresses, servers)| format!("{} say {}", list(servers), list(addresses)));
            let each: Vec<String> = each.collect();
            let told = format!("{name} {kind} has several answers: {}", each.join("; "));
            let finding = tally.add(Check::Agreement, Word::Differs, told);
            for (exchange, _) in &answers {
                finding.at(exchange, country(exchange));
            }
        }
    }
    serials(zone, tally);
    let answered = zone.asked.iter().filter(|asked| asked.answer.is_ok());
    let servers: BTreeSet<&Server> = answered.map(|exchange| &exchange.server).collect();
    if compared > 0 && servers.len() > 1 && !tally.is_bad(Check::Agreement) {
        let told = format!("all servers of {} answer alike", zone.zone);
        let finding = tally.add(Check::Agreement, Word::Ok, told);
        finding
            .servers
            .extend(servers.iter().map(ToString::to_string));
    }
}

fn grouped<'a>(
    answers: &[(&'a Exchange, BTreeSet<IpAddr>)],
) -> BTreeMap<BTreeSet<IpAddr>, BTreeSet<&'a Server>> {
    let mut groups: BTreeMap<BTreeSet<IpAddr>, BTreeSet<&Server>> = BTreeMap::new();
    for (exchange, addresses) in answers {
        let servers = groups.entry(addresses.clone()).or_default();
        servers.insert(&exchange.server);
    }
    groups
}

/// One server, two answers to one question: something on the way answers in its place, most often over UDP.
fn transports(
    name: &str,
    kind: Kind,
    answers: &[(&Exchange, BTreeSet<IpAddr>)],
    tally: &mut Tally,
) {
    for (index, (exchange, addresses)) in answers.iter().enumerate() {
        let other = answers[..index]
            .iter()
            .find(|(other, others)| other.server == exchange.server && others != addresses);
        if let Some((_, others)) = other {
            let told = format!(
                "{name} {kind}: one server says {} over UDP and {} over TCP",
                list(others),
                list(addresses)
            );
            let finding = tally.add(Check::Agreement, Word::Differs, told);
            finding.at(exchange, country(exchange)).hint(
                "something on the way may answer in the server's place over UDP; ask from another network",
            );
        }
    }
}

/// Serial numbers alone send nobody astray, but tell which server has an old zone.
fn serials(zone: &ZoneSeen, tally: &mut Tally) {
    let mut serials: BTreeMap<u32, BTreeSet<&Server>> = BTreeMap::new();
    for exchange in zone
        .asked
        .iter()
        .filter(|asked| asked.is(&zone.zone, Kind::Soa))
    {
        let serial = exchange
            .answer
            .as_ref()
            .ok()
            .and_then(|reply| reply.serial());
        if let Some(serial) = serial {
            serials.entry(serial).or_default().insert(&exchange.server);
        }
    }
    if serials.len() > 1 {
        let each = serials
            .iter()
            .map(|(serial, servers)| format!("{serial} ({})", list(servers)));
        let each: Vec<String> = each.collect();
        let told = format!(
            "serial numbers of {} differ: {}",
            zone.zone,
            each.join("; ")
        );
        let finding = tally.add(Check::Agreement, Word::Warning, told);
        finding.hint("a server with a lower number may have an old zone; ask again in a minute");
    }
}
