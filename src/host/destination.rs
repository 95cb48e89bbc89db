//! Where a host is and how to prove that it is the right one.

use std::path::PathBuf;
use std::time::Duration;

/// A host to connect to. All text in it was checked by the inventory: none can be an option or shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The region's name, for messages and for the host key's alias.
    pub region: String,
    /// An address, a name, or an alias of the operator's ssh configuration.
    pub host: String,
    /// The login; `None` leaves it to ssh's own configuration.
    pub user: Option<String>,
    /// The port; `None` leaves it to ssh's own configuration.
    pub port: Option<u16>,
    /// A private key file; `None` leaves it to ssh's agent and configuration.
    pub identity: Option<PathBuf>,
    /// Pinned public keys, each `ssh-ed25519 AAAA...`. Without one there is no connection.
    pub host_keys: Vec<String>,
    /// Hosts to go through.
    pub jumps: Vec<Jump>,
    /// How long a login may take.
    pub timeout: Duration,
}

/// A host to go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    /// An address, a name, or an alias of the operator's ssh configuration.
    pub host: String,
    /// The login there.
    pub user: Option<String>,
    /// The port there.
    pub port: Option<u16>,
    /// Its pinned public keys; without one the operator's own known_hosts decides.
    pub host_keys: Vec<String>,
}

impl Destination {
    /// The name under which its key is pinned, whatever its address is.
    pub fn alias(&self) -> String {
        format!("geodeploy-{}", self.region)
    }
}
