//! Pinned host keys, and the first look at one that is not pinned yet.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::Destination;
use crate::error::{Error, ErrorKind};

/// A host key that was seen and is not trusted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// `ssh-ed25519 AAAA...`, as it is pinned.
    pub key: String,
}

/// The lines of a known_hosts file for the destination and its jumps.
pub(super) fn lines(destination: &Destination) -> String {
    let alias = destination.alias();
    let own = destination
        .host_keys
        .iter()
        .map(|key| format!("{alias} {key}\n"));
    let jumps = destination.jumps.iter().flat_map(|jump| {
        let name = match jump.port {
            Some(port) if port != 22 => format!("[{}]:{port}", jump.host),
            _ => jump.host.clone(),
        };
        jump.host_keys
            .iter()
            .map(move |key| format!("{name} {key}\n"))
    });
    own.chain(jumps).collect()
}

/// Asks the host for its key and goes no further: not even the login's name is sent, and no command.
///
/// ssh (8.5 or newer) asks a program of ours whether it knows the key that the host has proved to hold; the program
/// writes the key down and knows none, so that ssh ends there.
///
/// # Errors
/// [`ErrorKind::Unreachable`] when no key came.
pub async fn learn(destination: &Destination, folder: &Path) -> Result<Vec<Learned>, Error> {
    let region = &destination.region;
    let failed = |why: String| {
        Error::new(
            ErrorKind::Unreachable,
            format!("{region}: {} shows no host key", destination.host),
        )
        .cause(why)
        .hint("check the address, the port and the provider's firewall")
    };
    let unwritable = |error| {
        Error::new(
            ErrorKind::Failed,
            format!("cannot write in {}", folder.display()),
        )
        .cause(error)
    };
    let seen = folder.join(format!("{region}.seen"));
    std::fs::write(&seen, "").map_err(unwritable)?;
    let configuration = folder.join(format!("{region}.learn"));
    std::fs::write(&configuration, asking(destination, &seen)).map_err(unwritable)?;
    let output = Command::new("ssh")
        .arg("-F")
        .arg(&configuration)
        .args(["-o", "BatchMode=yes", "-o"])
        .arg(format!(
            "ConnectTimeout={}",
            destination.timeout.as_secs().max(1)
        ))
        .args([&destination.alias(), "true"])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| failed(format!("cannot run ssh: {error}")))?;
    let text = std::fs::read_to_string(&seen).map_err(unwritable)?;
    let learned = keys(&text);
    if learned.is_empty() {
        return Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    Ok(learned)
}

/// A configuration with which ssh writes down the host's key and then stops, because nobody knows it.
fn asking(destination: &Destination, seen: &Path) -> String {
    let alias = destination.alias();
    // First, because ssh takes the first value that it finds. A master of the operator's own would be used unasked.
    format!(
        "Host {alias}\n  \
         KnownHostsCommand /bin/sh -c \"echo \\\"$@\\\" >>\\\"$0\\\"\" {} %I %t %K\n  \
         ControlMaster no\n  ControlPath none\n{}",
        super::configuration::quoted(seen),
        super::configuration(destination, Path::new("/dev/null")),
    )
}

/// The keys among lines of reason, type and key; ssh gives one when it looks for the host by its name.
fn keys(text: &str) -> Vec<Learned> {
    text.lines()
        .filter_map(|line| line.strip_prefix("HOSTNAME "))
        .map(|key| Learned {
            key: key.trim().to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_that_the_host_has_shown_is_learned() {
        let found = keys("ORDER NONE NONE\nHOSTNAME ssh-ed25519 AAAAC3Nz\n");
        let key = "ssh-ed25519 AAAAC3Nz".to_owned();
        assert_eq!(found, [Learned { key }]);
    }
}
