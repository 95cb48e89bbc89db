//! A world that is as the inventory says, and what is found where one thing in it is not.

use std::collections::BTreeSet;

use super::*;
use crate::dns::Wanted;
use crate::dns::query::{Code, Data, Failure, Kind, Question, Record, Reply, Transport};
use crate::dns::verify::expected::of;
use crate::dns::verify::look::questions;
use crate::dns::verify::print::{end, render};
use crate::dns::verify::seen::{Delegation, Server, ZoneSeen};
use crate::inventory::{DnsProvider, EXAMPLE, Inventory};
use crate::text::Palette;

mod answers;
mod delegation;

const ROUTING: &str =
    "ttl = \"60s\"\n[dns.routing]\ndefault = \"us\"\ncontinents = { AS = \"cn\" }\n";

fn expected(provider: &str) -> Expected {
    let text = format!("{EXAMPLE}\n[dns]\nprovider = \"{provider}\"\n{ROUTING}");
    let inventory = Inventory::parse(&text, "example.toml").unwrap();
    let wanted = Wanted::of(&inventory).unwrap().wanted;
    Expected::new(wanted, &inventory.dns.unwrap().provider)
}

fn record(name: &str, ttl: u32, data: Data) -> Record {
    Record {
        name: name.to_owned(),
        ttl,
        data,
    }
}

/// The answer that the inventory asks for.
fn right(
    expected: &Expected,
    zone: &str,
    servers: &BTreeSet<String>,
    question: &Question,
) -> Reply {
    let geo = expected.wanted.geo.as_ref().unwrap();
    let mut reply = Reply {
        code: Code::NO_ERROR,
        authoritative: true,
        recursion_available: false,
        truncated: false,
        scope: None,
        answers: Vec::new(),
        authorities: Vec::new(),
        additional: Vec::new(),
    };
    let mut hosts = expected.wanted.hosts.iter();
    let addresses = if let Some(subnet) = question.subnet {
        let sample = samples()
            .into_iter()
            .find(|sample| sample.network == subnet);
        reply.scope = Some(subnet.prefix_len());
        expected
            .answer(geo, sample.unwrap().country)
            .unwrap()
            .addresses
    } else if let Some(host) = hosts.find(|host| host.name.as_str() == question.name) {
        host.addresses
    } else {
        let names = servers.iter().cloned().map(Data::Ns).collect();
        let data = match question.kind {
            Kind::Ns => names,
            _ => vec![Data::Serial(1)],
        };
        reply.answers = data
            .into_iter()
            .map(|data| record(zone, 3600, data))
            .collect();
        return reply;
    };
    let addresses = of(addresses, question.kind).into_iter();
    let lines = addresses.map(|address| record(&question.name, 60, Data::Address(address)));
    reply.answers = lines.collect();
    reply
}

fn server(name: &str, address: &str) -> Server {
    Server {
        name: name.to_owned(),
        address: format!("{address}:53").parse().unwrap(),
    }
}

/// Both servers of the name that answers by geography, as the inventory wants them; `change` makes it another world.
fn world(expected: &Expected, change: impl Fn(&mut Exchange)) -> Seen {
    let names = ["us.yourapp.com".to_owned(), "cn.yourapp.com".to_owned()];
    let names = BTreeSet::from(names);
    let servers = [
        server("us.yourapp.com", "203.0.113.10"),
        server("cn.yourapp.com", "198.51.100.20"),
    ];
    let zones = expected
        .zones()
        .into_iter()
        .enumerate()
        .map(|(index, (zone, hosts))| {
            let own = [Kind::Soa, Kind::Ns].map(|kind| Question::new(&zone, kind));
            let questions = [own.to_vec(), questions(expected, &hosts, index == 0)].concat();
            let mut asked = Vec::new();
            for server in &servers {
                for transport in [Transport::Udp, Transport::Tcp] {
                    asked.extend(questions.iter().map(|question| Exchange {
                        server: server.clone(),
                        question: question.clone(),
                        transport,
                        answer: Ok(right(expected, &zone, &names, question)),
                    }));
                }
            }
            asked.iter_mut().for_each(&change);
            let question = Question::new(&zone, Kind::Ns);
            let mut reply = right(expected, &zone, &names, &question);
            reply.authoritative = false;
            let above = Exchange {
                server: server("ns.above", "192.0.2.53"),
                question,
                transport: Transport::Udp,
                answer: Ok(reply),
            };
            let delegation = Delegation {
                parent: "above".to_owned(),
                asked: vec![above],
                ..Delegation::default()
            };
            ZoneSeen {
                zone,
                delegation: Some(delegation),
                asked,
            }
        });
    Seen {
        zones: zones.collect(),
        public: Vec::new(),
    }
}

fn reply(exchange: &mut Exchange) -> &mut Reply {
    exchange.answer.as_mut().unwrap()
}

fn is_cn(exchange: &Exchange) -> bool {
    exchange.server.name == "cn.yourapp.com"
}

/// What is not well, a line each.
fn bad(expected: &Expected, seen: &Seen) -> Vec<String> {
    let findings = judge(expected, seen);
    let bad = findings.iter().filter(|finding| finding.word > Word::Ok);
    bad.map(|finding| {
        format!(
            "{:?} {}: {}",
            finding.word,
            finding.check.name(),
            finding.told
        )
    })
    .collect()
}

fn of_changed(change: impl Fn(&mut Exchange)) -> Vec<String> {
    let expected = expected("embedded");
    bad(&expected, &world(&expected, change))
}

#[test]
fn a_world_as_the_inventory_says_is_well_for_thirty_clients_by_both_servers() {
    let expected = expected("embedded");
    let findings = judge(&expected, &world(&expected, |_| {}));
    assert_eq!(
        worst(&findings),
        Word::Ok,
        "{}",
        render(&findings, Palette::PLAIN)
    );
    assert_eq!(end(&findings), Ok(()));
    let geo = findings
        .iter()
        .find(|finding| finding.check == Check::Geo)
        .unwrap();
    assert_eq!(geo.told, "api.yourapp.com: 30 clients get their region");
    assert_eq!((geo.clients.len(), geo.servers.len()), (30, 2));
    let hosts = findings
        .iter()
        .find(|finding| finding.check == Check::Hosts)
        .unwrap();
    assert!(
        hosts.told.contains("cn-server.yourapp.com"),
        "{}",
        hosts.told
    );
}

#[test]
fn one_server_that_answers_differently_over_udp_and_tcp_is_told() {
    let found = of_changed(|exchange| {
        if is_cn(exchange) && exchange.transport == Transport::Udp && exchange.subnet().is_some() {
            reply(exchange).answers.clear();
        }
    });
    assert!(
        found
            .iter()
            .any(|line| line.contains("one server says nothing over UDP and")),
        "{found:?}"
    );
}

#[test]
fn a_server_that_does_not_answer_is_unreachable_and_one_without_a_way_to_it_a_warning() {
    let expected = expected("embedded");
    let silent = world(&expected, |exchange| {
        if is_cn(exchange) && exchange.transport == Transport::Tcp {
            exchange.answer = Err(Failure::Silent(std::time::Duration::from_secs(5)));
        }
    });
    let findings = judge(&expected, &silent);
    assert_eq!(worst(&findings), Word::Unreachable);
    let error = end(&findings).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(
        error.causes[0].contains("over TCP: no answer within 5.0 s (by cn.yourapp.com"),
        "{error}"
    );
    assert!(error.hints[0].contains("53/tcp"), "{error:?}");

    let no_route = world(&expected, |exchange| {
        if is_cn(exchange) {
            exchange.answer = Err(Failure::NoRoute("Network is unreachable".to_owned()));
        }
    });
    assert_eq!(worst(&judge(&expected, &no_route)), Word::Warning);
    let all = world(&expected, |exchange| {
        exchange.answer = Err(Failure::NoRoute("Network is unreachable".to_owned()));
    });
    assert_eq!(worst(&judge(&expected, &all)), Word::Unreachable);
}

#[test]
fn an_answer_without_authority_differs_and_names_what_may_stand_in_the_way() {
    let expected = expected("embedded");
    let seen = world(&expected, |exchange| {
        reply(exchange).authoritative = false;
        reply(exchange).recursion_available = true;
    });
    let findings = judge(&expected, &seen);
    let servers = findings
        .iter()
        .find(|finding| finding.check == Check::Servers)
        .unwrap();
    assert_eq!(servers.word, Word::Differs);
    assert!(servers.hint.unwrap().contains("resolver"), "{servers:?}");
}

#[test]
fn serial_numbers_that_differ_are_a_warning_with_the_server_that_is_behind() {
    let found = of_changed(|exchange| {
        if is_cn(exchange) && exchange.question.kind == Kind::Soa {
            reply(exchange).answers[0].data = Data::Serial(7);
        }
    });
    let told = "Warning agreement: serial numbers of api.yourapp.com differ: 1 (us.yourapp.com (203.0.113.10)); 7 (cn.yourapp.com (198.51.100.20))";
    assert!(found.contains(&told.to_owned()), "{found:?}");
}
