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

/// Asks the host for its key and goes no further: no login is tried and no command is sent.
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
    let seen = folder.join(format!("{region}.seen"));
    drop(std::fs::remove_file(&seen));
    let configuration = folder.join(format!("{region}.learn"));
    // The own pins first: a jump host is verified as always.
    let text = super::configuration(destination, &seen).replace(
        "StrictHostKeyChecking yes",
        "StrictHostKeyChecking accept-new",
    );
    std::fs::write(&configuration, text).map_err(|error| failed(error.to_string()))?;
    let timeout = format!("ConnectTimeout={}", destination.timeout.as_secs().max(1));
    let output = Command::new("ssh")
        .arg("-F")
        .arg(&configuration)
        .args([
            "-o",
            &timeout,
            "-o",
            "PreferredAuthentications=none",
            "-o",
            "BatchMode=yes",
            "-o",
            "HashKnownHosts=no",
        ])
        .args([
            "-o",
            "PubkeyAuthentication=no",
            "-o",
            "PasswordAuthentication=no",
        ])
        .args([&destination.alias(), "true"])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| failed(format!("cannot run ssh: {error}")))?;
    let text = std::fs::read_to_string(&seen).unwrap_or_default();
    let alias = destination.alias();
    let learned: Vec<Learned> = text
        .lines()
        .filter_map(|line| line.strip_prefix(&alias)?.strip_prefix(' '))
        .map(|key| Learned {
            key: key.trim().to_owned(),
        })
        .collect();
    if learned.is_empty() {
        return Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    Ok(learned)
}
