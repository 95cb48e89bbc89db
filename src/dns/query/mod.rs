//! Asking one DNS server, over UDP or TCP, with a client's network (RFC 7871), within a bound of time and size.

mod message;
mod resolver;
#[cfg(test)]
mod tests;
mod transport;

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use serde::Serialize;

pub use resolver::Resolver;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Name servers.
    Ns,
    /// The zone's start of authority.
    Soa,
    /// Texts.
    Txt,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Ns => "NS",
            Self::Soa => "SOA",
            Self::Txt => "TXT",
        })
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name in lower case without the final dot; the root is empty.
    pub name: String,
    /// What of it.
    pub kind: Kind,
    /// The network that the client is said to be in: /24 and /56 are what resolvers send.
    pub subnet: Option<IpNet>,
    /// Whether the server shall ask others.
    pub recursive: bool,
}

impl Question {
    /// For an authoritative server.
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.trim_end_matches('.').to_ascii_lowercase(),
            kind,
            subnet: None,
            recursive: false,
        }
    }

    /// The same, asked for a client in that network.
    #[must_use]
    pub fn from(self, subnet: IpNet) -> Self {
        Self {
            subnet: Some(subnet.trunc()),
            ..self
        }
    }

    /// The same, for a resolver.
    #[must_use]
    pub fn recursive(self) -> Self {
        Self {
            recursive: true,
            ..self
        }
    }
}

/// How a question travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// In one datagram. A truncated answer is fetched over TCP.
    Udp,
    /// Over a connection.
    Tcp,
    /// As JSON from a public resolver; never by [`ask`].
    Https,
}

/// The data of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Of A and AAAA.
    Address(IpAddr),
    /// The name of a server.
    Ns(String),
    /// The name that this one stands for.
    Cname(String),
    /// The zone's serial number.
    Serial(u32),
    /// All strings of it, one after the other.
    Txt(String),
    /// Anything else.
    Other,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its owner, as in [`Question`].
    pub name: String,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
}

/// The answer's code (RFC 1035 4.1.1, RFC 6891).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u16);

impl Code {
    /// There is an answer, or none of that type.
    pub const NO_ERROR: Self = Self(0);
    /// There is no such name.
    pub const NO_SUCH_NAME: Self = Self(3);
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
        ];
        match names.get(usize::from(self.0)) {
            Some(name) => formatter.write_str(name),
            None => write!(formatter, "RCODE {}", self.0),
        }
    }
}

/// A server's answer to the question that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How it went.
    pub code: Code,
    /// Whether the server calls itself an authority for the name.
    pub authoritative: bool,
    /// Whether it asks others for its clients.
    pub recursion_available: bool,
    /// Whether it cut its answer over UDP, so that TCP was needed.
    pub truncated: bool,
    /// How many bits of the client's network the answer depends on; `None` where the server leaves it out.
    pub scope: Option<u8>,
    /// The answer section.
    pub answers: Vec<Record>,
    /// The authority section.
    pub authorities: Vec<Record>,
    /// The additional section, without EDNS.
    pub additional: Vec<Record>,
}

impl Reply {
    /// The addresses in the answer, whatever alias leads to them.
    pub fn addresses(&self) -> BTreeSet<IpAddr> {
        let addresses = self.answers.iter().filter_map(|record| match record.data {
            Data::Address(address) => Some(address),
            _ => None,
        });
        addresses.collect()
    }

    /// The name servers of that zone, from the answer, or from the referral where there is none.
    pub fn servers_of(&self, zone: &str) -> BTreeSet<String> {
        let of = |records: &[Record]| -> BTreeSet<String> {
            let own = records.iter().filter(|record| record.name == zone);
            own.filter_map(|record| match &record.data {
                Data::Ns(name) => Some(name.clone()),
                _ => None,
            })
            .collect()
        };
        let answered = of(&self.answers);
        if answered.is_empty() {
            of(&self.authorities)
        } else {
            answered
        }
    }

    /// The serial number in the answer.
    pub fn serial(&self) -> Option<u32> {
        self.answers.iter().find_map(|record| match record.data {
            Data::Serial(serial) => Some(serial),
            _ => None,
        })
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing came within the bound.
    Silent(Duration),
    /// This machine has no way to such an address: no IPv6, say.
    NoRoute(String),
    /// The way is there and no server at its end.
    Refused(String),
    /// Something came that is no answer to the question.
    Odd(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(limit) => {
                write!(formatter, "no answer within {:.1} s", limit.as_secs_f64())
            }
            Self::NoRoute(why) => write!(formatter, "no way there from this machine: {why}"),
            Self::Refused(why) => write!(formatter, "no DNS server there: {why}"),
            Self::Odd(what) => write!(formatter, "what came is no answer to the question: {what}"),
        }
    }
}

impl std::error::Error for Failure {}

/// Asks a server and waits at most `limit` over UDP, and as long again over TCP where that is asked for or the answer was
/// truncated. Datagrams with another id or question are passed over, as they may be forged; if nothing better comes, they
/// are the failure. A question over UDP is sent a second time after a third of the limit.
///
/// # Errors
/// No answer to that question.
pub async fn ask(
    server: SocketAddr,
    question: &Question,
    transport: Transport,
    limit: Duration,
) -> Result<Reply, Failure> {
    let id = message::random_id();
    let request = message::encode(question, id)?;
    if transport == Transport::Udp {
        let reply = transport::udp(server, &request, limit, |bytes| {
            message::decode(bytes, id, question)
        })
        .await?;
        if !reply.truncated {
            return Ok(reply);
        }
        let reply = over_tcp(server, question, id, &request, limit).await?;
        return Ok(Reply {
            truncated: true,
            ..reply
        });
    }
    over_tcp(server, question, id, &request, limit).await
}

async fn over_tcp(
    server: SocketAddr,
    question: &Question,
    id: u16,
    request: &[u8],
    limit: Duration,
) -> Result<Reply, Failure> {
    let bytes = transport::tcp(server, request, limit).await?;
    let reply = message::decode(&bytes, id, question).map_err(Failure::Odd)?;
    if reply.truncated {
        return Err(Failure::Odd("it is truncated, over TCP".to_owned()));
    }
    Ok(reply)
}
