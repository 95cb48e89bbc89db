//! What was asked and what came back.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;

use ipnet::IpNet;

use crate::dns::query::{Failure, Kind, Question, Reply, Transport};

/// A name server at one of its addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Server {
    /// Its name; empty where only the address is known.
    pub name: String,
    /// Where it was asked.
    pub address: SocketAddr,
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.address {
            address if address.ip().is_unspecified() => return formatter.write_str(&self.name),
            address if address.port() == 53 => address.ip().to_string(),
            address => address.to_string(),
        };
        if self.name.is_empty() {
            formatter.write_str(&place)
        } else {
            write!(formatter, "{} ({place})", self.name)
        }
    }
}

/// One question to one server.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Whom.
    pub server: Server,
    /// What.
    pub question: Question,
    /// How.
    pub transport: Transport,
    /// What it said.
    pub answer: Result<Reply, Failure>,
}

impl Exchange {
    /// Whether it is that question of the name.
    pub fn is(&self, name: &str, kind: Kind) -> bool {
        self.question.name == name && self.question.kind == kind
    }

    /// The client it was asked for.
    pub fn subnet(&self) -> Option<IpNet> {
        self.question.subnet
    }
}

/// How a zone is delegated.
#[derive(Clone, Debug, Default)]
pub struct Delegation {
    /// The zone above, as the resolver knows it.
    pub parent: String,
    /// What each of its servers says who the zone's servers are.
    pub asked: Vec<Exchange>,
    /// Servers of the zone that have no address.
    pub without_address: BTreeSet<String>,
    /// Addresses that were not asked, because there are too many.
    pub left_out: usize,
}

/// One zone and everything that its servers said.
#[derive(Clone, Debug)]
pub struct ZoneSeen {
    /// Its name.
    pub zone: String,
    /// `None` where servers were named by hand.
    pub delegation: Option<Delegation>,
    /// Every question to every server.
    pub asked: Vec<Exchange>,
}

/// Everything that was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The zones, the one with the name that answers by geography first.
    pub zones: Vec<ZoneSeen>,
    /// What a public resolver said, where it was asked.
    pub public: Vec<Exchange>,
}
