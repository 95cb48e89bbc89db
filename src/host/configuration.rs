//! What ssh is told about a host: the inventory's word first, then the operator's own configuration.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{Destination, known_hosts};
use crate::error::{Error, ErrorKind};

/// An ssh configuration on disk.
pub struct Configuration {
    /// The file, for `ssh -F`.
    pub path: PathBuf,
    /// The pinned keys.
    pub(super) known_hosts: PathBuf,
    /// SHA-256 of both.
    pub(super) digest: String,
}

pub(super) fn folder_error(folder: &Path, error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::Failed,
        format!("cannot write in {}", folder.display()),
    )
    .cause(error)
}

/// Writes the configuration and the pinned keys of a destination into `folder`.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_configuration(
    destination: &Destination,
    folder: &Path,
) -> Result<Configuration, Error> {
    let known_hosts = folder.join(format!("{}.known_hosts", destination.region));
    let path = folder.join(format!("{}.config", destination.region));
    let text = configuration(destination, &known_hosts);
    let keys = known_hosts::lines(destination);
    std::fs::write(&known_hosts, &keys).map_err(|error| folder_error(folder, &error))?;
    std::fs::write(&path, &text).map_err(|error| folder_error(folder, &error))?;
    let digest = crate::digest::sha256(format!("{text}{keys}").as_bytes());
    Ok(Configuration {
        path,
        known_hosts,
        digest,
    })
}

/// An ssh configuration for this host alone: what the inventory says first, then the operator's own, since ssh takes the
/// first value that it finds.
pub fn configuration(destination: &Destination, known_hosts: &Path) -> String {
    let mut text = format!("Host {}\n", destination.alias());
    let mut set = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name} {value}");
    };
    set("HostName", &destination.host);
    set("HostKeyAlias", &destination.alias());
    set("UserKnownHostsFile", &quoted(known_hosts));
    set("GlobalKnownHostsFile", "/dev/null");
    set("StrictHostKeyChecking", "yes");
    // A name server's word is no pin.
    set("VerifyHostKeyDNS", "no");
    set("UpdateHostKeys", "no");
    set("CheckHostIP", "no");
    set("ForwardAgent", "no");
    set("ForwardX11", "no");
    set("RequestTTY", "no");
    set("RemoteCommand", "none");
    set("ServerAliveCountMax", "3");
    if let Some(user) = &destination.user {
        set("User", user);
    }
    if let Some(port) = destination.port {
        set("Port", &port.to_string());
    }
    if let Some(identity) = &destination.identity {
        set("IdentityFile", &quoted(identity));
        set("IdentitiesOnly", "yes");
    }
    if !destination.jumps.is_empty() {
        let hops: Vec<String> = destination.jumps.iter().map(hop).collect();
        set("ProxyJump", &hops.join(","));
    }
    let _ = writeln!(text, "Match all\n  Include ~/.ssh/config");
    text
}

/// A path as one word of a configuration line.
pub(super) fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display())
}

fn hop(jump: &super::Jump) -> String {
    let user = jump
        .user
        .as_ref()
        .map(|user| format!("{user}@"))
        .unwrap_or_default();
    let port = jump.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{user}{}{port}", jump.host)
}
