//! Servers that ask others: those of this machine, or named ones.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Code, Kind, Question, Reply, Transport, ask};
use crate::error::{Error, ErrorContext as _, ErrorKind};

/// Where systems name their resolvers (resolv.conf(5)).
const FILE: &str = "/etc/resolv.conf";

/// Resolvers, asked one after the other.
#[derive(Clone, Debug)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    limit: Duration,
}

impl Resolver {
    /// Those servers; each may take `limit` for an answer.
    pub fn new(servers: Vec<SocketAddr>, limit: Duration) -> Self {
        Self { servers, limit }
    }

    /// This machine's own.
    ///
    /// # Errors
    /// It names none.
    pub fn system(limit: Duration) -> Result<Self, Error> {
        let hint = "name one: `--resolver ADDRESS`";
        let text = std::fs::read_to_string(FILE)
            .context(ErrorKind::Failed, || format!("cannot read {FILE}"))
            .map_err(|error| error.hint(hint))?;
        let servers = nameservers(&text);
        if servers.is_empty() {
            let what = format!("{FILE} names no resolver");
            return Err(Error::new(ErrorKind::Failed, what).hint(hint));
        }
        Ok(Self::new(servers, limit))
    }

    /// What the first resolver says that has an answer or knows that there is none.
    ///
    /// # Errors
    /// None of them does; each is named with its reason.
    pub async fn lookup(&self, name: &str, kind: Kind) -> Result<Reply, Error> {
        let question = Question::new(name, kind).recursive();
        let shown = if name.is_empty() { "." } else { name };
        let what = format!("no resolver answers for {shown} {kind}");
        let mut failed = Error::new(ErrorKind::Unreachable, what);
        for server in &self.servers {
            match ask(*server, &question, Transport::Udp, self.limit).await {
                Ok(reply) if [Code::NO_ERROR, Code::NO_SUCH_NAME].contains(&reply.code) => {
                    return Ok(reply);
                }
                Ok(reply) => failed = failed.cause(format!("{server}: {}", reply.code)),
                Err(failure) => failed = failed.cause(format!("{server}: {failure}")),
            }
        }
        Err(failed.hint("name one that answers: `--resolver ADDRESS`"))
    }

    /// A name's addresses of both families, in order; none where it has none.
    ///
    /// # Errors
    /// No resolver answers.
    pub async fn addresses(&self, name: &str) -> Result<BTreeSet<IpAddr>, Error> {
        let (four, six) = tokio::join!(self.lookup(name, Kind::A), self.lookup(name, Kind::Aaaa));
        Ok(&four?.addresses() | &six?.addresses())
    }
}

/// The servers that a resolv.conf names. Addresses with an interface (`fe80::1%eth0`) are left out.
fn nameservers(text: &str) -> Vec<SocketAddr> {
    let words = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next())?
    });
    words
        .filter_map(|word| word.parse::<IpAddr>().ok())
        .map(|address| SocketAddr::new(address, 53))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_are_read_from_the_file_as_the_system_reads_it() {
        let text = "# nameserver 9.9.9.9\nsearch lan\nnameserver 10.0.0.1\n  nameserver\t::1 \n\
                    nameserver fe80::1%eth0\noptions edns0\nnameserver\n";
        let servers: Vec<String> = nameservers(text).iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["10.0.0.1:53", "[::1]:53"]);
    }
}
