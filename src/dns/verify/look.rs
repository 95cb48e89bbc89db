//! Asking every server of every zone.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use super::discover::Servers;
use super::expected::Expected;
use super::samples::samples;
use super::seen::{Exchange, Seen, Server, ZoneSeen};
use crate::dns::query::{Kind, Question, Resolver, Transport, ask};
use crate::error::Error;

/// Questions to one server that are under way at a time, over UDP and over TCP.
const AT_ONCE: [(Transport, usize); 2] = [(Transport::Udp, 16), (Transport::Tcp, 8)];

/// How servers are found and asked.
#[derive(Clone, Debug)]
pub struct Way {
    /// Who knows the zones' servers.
    pub resolver: Option<Resolver>,
    /// Where name servers listen; 53 but for tests and forwarded ports.
    pub port: u16,
    /// Servers to ask in the place of those that zones are delegated to.
    pub servers: Vec<SocketAddr>,
    /// For one answer.
    pub limit: Duration,
}

/// Asks every authoritative server for everything that is expected, over UDP and TCP.
///
/// # Errors
/// The way to the servers cannot be found. What servers do not answer is part of what was seen.
pub async fn look(expected: &Expected, way: &Way) -> Result<Seen, Error> {
    let mut seen = Seen::default();
    let zones = expected.zones();
    for (index, (zone, hosts)) in zones.iter().enumerate() {
        let questions = questions(expected, hosts, index == 0);
        let looked = match &way.resolver {
            Some(resolver) if way.servers.is_empty() => {
                delegated(way, resolver, zone, &questions).await?
            }
            // Servers named by hand are those of the first zone; where that is all of them, of its hosts too.
            _ if index == 0 => by_hand(way, zone, &questions).await,
            _ => continue,
        };
        seen.zones.push(looked);
    }
    Ok(seen)
}

/// What a zone's servers are asked: addresses of hosts, and of the name that answers by geography for each client.
pub(super) fn questions(expected: &Expected, hosts: &[String], with_geo: bool) -> Vec<Question> {
    let kinds = [Kind::A, Kind::Aaaa];
    let mut questions: Vec<Question> = Vec::new();
    for name in hosts {
        questions.extend(kinds.map(|kind| Question::new(name, kind)));
    }
    let geo = expected.wanted.geo.as_ref().filter(|_| with_geo);
    for geo in geo.into_iter() {
        for sample in samples() {
            let answer = expected.answer(geo, sample.country);
            if answer.is_some_and(|answer| expected.judges(&answer.region)) {
                let question = |kind| Question::new(geo.name.as_str(), kind).from(sample.network);
                questions.extend(kinds.map(question));
            }
        }
    }
    questions
}

async fn by_hand(way: &Way, zone: &str, questions: &[Question]) -> ZoneSeen {
    let servers = way.servers.iter().map(|address| Server {
        name: String::new(),
        address: *address,
    });
    let all = servers.map(|server| everything(way, server, zone, questions));
    ZoneSeen {
        zone: zone.to_owned(),
        delegation: None,
        asked: join_all(all).await.concat(),
    }
}

async fn delegated(
    way: &Way,
    resolver: &Resolver,
    zone: &str,
    questions: &[Question],
) -> Result<ZoneSeen, Error> {
    let mut servers = Servers::delegated(way, resolver, zone).await?;
    let mut asked = Vec::new();
    let mut next = servers.named_above().await;
    while !next.is_empty() {
        let all = next
            .into_iter()
            .map(|server| everything(way, server, zone, questions));
        asked.extend(join_all(all).await.concat());
        next = servers.named_by_itself(&asked).await;
    }
    Ok(ZoneSeen {
        zone: zone.to_owned(),
        delegation: Some(servers.delegation()),
        asked,
    })
}

/// The zone's own records first: a server that does not answer for those over a transport is asked no more over it.
async fn everything(
    way: &Way,
    server: Server,
    zone: &str,
    questions: &[Question],
) -> Vec<Exchange> {
    let soa = Question::new(zone, Kind::Soa);
    let ns = Question::new(zone, Kind::Ns);
    let at = |question, transport| exchange(server.clone(), question, transport, way.limit);
    let (udp, tcp, ns) = tokio::join!(
        at(&soa, Transport::Udp),
        at(&soa, Transport::Tcp),
        at(&ns, Transport::Udp)
    );
    let answers = [udp.answer.is_ok(), tcp.answer.is_ok()];
    let mut asked = vec![udp, tcp, ns];
    for ((transport, at_once), answers) in AT_ONCE.into_iter().zip(answers) {
        if answers {
            let all = stream::iter(questions).map(|question| at(question, transport));
            asked.extend(all.buffered(at_once).collect::<Vec<_>>().await);
        }
    }
    asked
}

/// One question and what came of it.
pub(super) async fn exchange(
    server: Server,
    question: &Question,
    transport: Transport,
    limit: Duration,
) -> Exchange {
    let answer = ask(server.address, question, transport, limit).await;
    Exchange {
        server,
        question: question.clone(),
        transport,
        answer,
    }
}
