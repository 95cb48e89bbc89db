//! Who answers for a zone: as the zone above says, and as the zone itself says.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use futures_util::future::join_all;

use super::look::{Way, exchange};
use super::seen::{Delegation, Exchange, Server};
use crate::dns::query::{Data, Kind, Question, Reply, Resolver, Transport};
use crate::error::{Error, ErrorKind};

/// The most addresses that are asked for one zone: the root itself has 26.
const MOST: usize = 26;

/// Servers of a zone, by name.
pub(super) struct Servers<'w> {
    way: &'w Way,
    resolver: &'w Resolver,
    zone: &'w str,
    found: Delegation,
    named: BTreeSet<String>,
    glue: BTreeMap<String, BTreeSet<IpAddr>>,
    count: usize,
}

impl<'w> Servers<'w> {
    /// Asks every server of the zone above whom it delegates the zone to.
    ///
    /// # Errors
    /// The resolver does not answer, or none of the servers above does.
    pub(super) async fn delegated(
        way: &'w Way,
        resolver: &'w Resolver,
        zone: &'w str,
    ) -> Result<Self, Error> {
        let (parent, names) = parent(resolver, zone).await?;
        let mut servers = Self {
            way,
            resolver,
            zone,
            found: Delegation::default(),
            named: BTreeSet::new(),
            glue: BTreeMap::new(),
            count: 0,
        };
        let above = servers.resolved(names).await;
        let question = Question::new(zone, Kind::Ns);
        let asked = above
            .into_iter()
            .take(MOST)
            .map(|server| exchange(server, &question, Transport::Udp, way.limit));
        let asked: Vec<Exchange> = join_all(asked).await;
        if asked.iter().all(|exchange| exchange.answer.is_err()) {
            return Err(silent(&parent, zone, &asked));
        }
        for reply in asked.iter().filter_map(|asked| asked.answer.as_ref().ok()) {
            servers.keep_glue(reply);
        }
        servers.found = Delegation {
            parent,
            asked,
            ..Delegation::default()
        };
        Ok(servers)
    }

    /// The servers that the zone above names.
    pub(super) async fn named_above(&mut self) -> Vec<Server> {
        let replies = self
            .found
            .asked
            .iter()
            .filter_map(|asked| asked.answer.as_ref().ok());
        let names = replies.flat_map(|reply| reply.servers_of(self.zone));
        let names = names.collect();
        self.add(names).await
    }

    /// The servers that the zone's own servers name and nobody named so far.
    pub(super) async fn named_by_itself(&mut self, asked: &[Exchange]) -> Vec<Server> {
        let replies = asked.iter().filter(|asked| asked.is(self.zone, Kind::Ns));
        let replies = replies.filter_map(|asked| asked.answer.as_ref().ok());
        let names = replies.flat_map(|reply| reply.servers_of(self.zone));
        let names = names.collect();
        self.add(names).await
    }

    /// What was learnt of the delegation.
    pub(super) fn delegation(self) -> Delegation {
        self.found
    }

    async fn add(&mut self, names: BTreeSet<String>) -> Vec<Server> {
        let unknown: BTreeSet<String> = names.difference(&self.named).cloned().collect();
        self.named.extend(unknown.iter().cloned());
        let mut servers = self.resolved(unknown.clone()).await;
        let has = |name: &String| servers.iter().any(|server| server.name == *name);
        let without = unknown.into_iter().filter(|name| !has(name));
        self.found.without_address.extend(without);
        let room = MOST.saturating_sub(self.count);
        self.found.left_out += servers.len().saturating_sub(room);
        servers.truncate(room);
        self.count += servers.len();
        servers
    }

    /// Every address of those names, from the resolver and from the referral.
    async fn resolved(&self, names: BTreeSet<String>) -> Vec<Server> {
        let lookups = names.into_iter().take(MOST).map(|name| async {
            // A name that cannot be resolved is a server without an address, and told as such.
            let mut addresses = self.resolver.addresses(&name).await.unwrap_or_default();
            addresses.extend(self.glue.get(&name).into_iter().flatten());
            (name, addresses)
        });
        let mut servers = Vec::new();
        for (name, addresses) in join_all(lookups).await {
            servers.extend(addresses.into_iter().map(|address| Server {
                name: name.clone(),
                address: SocketAddr::new(address, self.way.port),
            }));
        }
        servers
    }

    fn keep_glue(&mut self, reply: &Reply) {
        for record in &reply.additional {
            if let Data::Address(address) = record.data {
                self.glue
                    .entry(record.name.clone())
                    .or_default()
                    .insert(address);
            }
        }
    }
}

/// The nearest zone above, and its servers' names.
async fn parent(resolver: &Resolver, zone: &str) -> Result<(String, BTreeSet<String>), Error> {
    let mut above = zone;
    while !above.is_empty() {
        above = above.split_once('.').map_or("", |(_, rest)| rest);
        let reply = resolver.lookup(above, Kind::Ns).await?;
        let own = reply.answers.iter().filter(|record| record.name == above);
        let names: BTreeSet<String> = own
            .filter_map(|record| match &record.data {
                Data::Ns(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        if !names.is_empty() {
            return Ok((above.to_owned(), names));
        }
    }
    let what = format!("the resolver knows no zone above {zone}, not even the root");
    Err(Error::new(ErrorKind::Unreachable, what)
        .hint("name a resolver that asks the internet's servers: `--resolver ADDRESS`"))
}

fn silent(parent: &str, zone: &str, asked: &[Exchange]) -> Error {
    let shown = if parent.is_empty() {
        "the root"
    } else {
        parent
    };
    let what = format!("no server of {shown} says who answers for {zone}");
    let failed = asked.iter().filter_map(|exchange| {
        let failure = exchange.answer.as_ref().err()?;
        Some(format!("{}: {failure}", exchange.server))
    });
    let error = failed.fold(Error::new(ErrorKind::Unreachable, what), Error::cause);
    error.hint("port 53 must be open from here, UDP and TCP; or name the zone's servers: `--server ADDRESS`")
}
