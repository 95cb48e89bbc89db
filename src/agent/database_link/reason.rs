//! Why a link does not work, in an operator's words. Pure.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mongodb::error::{Error, ErrorKind};

use crate::agent::system::Fault;

fn unreached(address: &str, why: impl ToString) -> Fault {
    Fault::new(format!("the database {address} cannot be used"), why)
}

/// The name service does not know the name.
pub(super) fn unknown_name(name: &str, why: &str) -> Fault {
    let why = format!("the name {name} does not resolve on this host: {why}");
    unreached(name, why).hint(format!(
        "give {name} an address in DNS or in the host's /etc/hosts, or name the database otherwise with `database.host`"
    ))
}

/// Nobody accepts a connection at that address.
pub(super) fn not_accepted(server: &str, address: SocketAddr, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => unreached(
            server,
            format!("the connection to {address} is refused: nothing listens there"),
        )
        .hint(
            "run `geodeploy provision` for the database's region: mongod does not run there, or does not listen on this address",
        ),
        io::ErrorKind::TimedOut => unreached(
            server,
            format!("{address} does not answer: a firewall on the way drops the connection, or the host is down"),
        )
        .hint(
            "admit this host to the port in the firewall of the database's host (`geodeploy plan` shows its rules) and of its provider",
        ),
        _ => unreached(server, format!("{address}: {error}")),
    }
}

/// A connection is there, and no answer comes.
pub(super) fn silent(address: &str, waited: Duration) -> Fault {
    unreached(
        address,
        format!(
            "it accepts connections and does not answer within {} s",
            waited.as_secs()
        ),
    )
    .hint("look at the load and the log of mongod: `geodeploy db status`")
}

/// The server answers, and takes no writes.
pub(super) fn no_primary(address: &str, primary: Option<&str>) -> Fault {
    let why = match primary {
        Some(primary) => format!("it is not the primary, which takes the writes; {primary} is"),
        None => "it is not the primary, and its set has none at the moment".to_owned(),
    };
    unreached(address, why).hint("see the members and their states: `geodeploy db status`")
}

/// What the driver says, told apart.
pub(super) fn fault(address: &str, error: &Error) -> Fault {
    let text = error.kind.to_string();
    if matches!(*error.kind, ErrorKind::Authentication { .. }) {
        return unreached(address, "the login of the application's user is refused").hint(
            "the database has another password than this environment: `geodeploy db rotate-password app` puts the inventory's in both places; a generation from before that cannot be gone back to, deploy its binary anew",
        );
    }
    let (why, hint) = told(&text);
    unreached(address, why).hint(hint)
}

/// The cause in the driver's text, which holds those of the TLS library (rustls 0.23, `Error` and `CertificateError`).
fn told(text: &str) -> (String, &'static str) {
    const ISSUE: &str =
        "make its certificate anew: `geodeploy ca issue`, then `geodeploy provision`";
    let causes = [
        (
            &["UnknownIssuer", "BadSignature"][..],
            "its certificate is from another authority than this host trusts",
            "bring both hosts the same authority: `geodeploy ca show`, then `geodeploy provision`",
        ),
        (
            &["NotValidForName", "not valid for name"],
            "its certificate does not name the address that is dialled",
            ISSUE,
        ),
        (
            &["NotValidYet", "not valid yet"],
            "its certificate is not valid yet: the clock of one of the hosts is wrong",
            "compare the clocks: `geodeploy db status`",
        ),
        (
            &["certificate expired", "Expired"],
            "its certificate has expired",
            ISSUE,
        ),
        (
            // mongod hangs up without an alert (tried on 6.0.5).
            &["fatal alert", "close_notify"],
            "it refuses the certificate that this host shows",
            "make this region's certificate anew: `geodeploy ca issue`, then `geodeploy provision`",
        ),
        (
            &["ReplicaSetNoPrimary"],
            "its set has no primary at the moment, so nothing can be written",
            "see the members and their states: `geodeploy db status`",
        ),
        (
            &[
                "No such file",
                "Permission denied",
                "parsing TLS",
                "CA file",
                "certificate file",
            ],
            "the certificates of this host cannot be read",
            "run `geodeploy provision` for this region",
        ),
    ];
    let found = causes
        .into_iter()
        .find(|(words, ..)| words.iter().any(|word| text.contains(word)));
    match found {
        Some((_, why, hint)) => (why.to_owned(), hint),
        None => (
            text.to_owned(),
            "see how the database is: `geodeploy db status`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tls_library_says_is_told_in_an_operators_words() {
        for (text, words) in [
            (
                "invalid peer certificate: UnknownIssuer",
                "another authority",
            ),
            (
                "invalid peer certificate: certificate not valid for name \"a\"; certificate is only valid for b",
                "does not name the address",
            ),
            (
                "invalid peer certificate: certificate expired: verification time 2 (UNIX)",
                "has expired",
            ),
            (
                "received fatal alert: BadCertificate",
                "refuses the certificate",
            ),
            (
                "I/O error: peer closed connection without sending TLS close_notify",
                "refuses the certificate",
            ),
            ("Topology: { Type: ReplicaSetNoPrimary }", "no primary"),
            ("something new", "something new"),
        ] {
            assert!(told(text).0.contains(words), "{text}");
        }
    }

    #[test]
    fn a_firewall_and_a_server_that_is_down_are_told_apart() {
        let address = "192.0.2.1:27017".parse().unwrap();
        let of = |kind| {
            not_accepted("cn:27017", address, &io::Error::from(kind))
                .hint
                .unwrap()
        };
        assert!(of(io::ErrorKind::TimedOut).contains("firewall"));
        assert!(of(io::ErrorKind::ConnectionRefused).contains("mongod"));
    }
}
