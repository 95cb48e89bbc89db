//! ufw: our tagged rules, the defaults, and whether it is on.

use serde::{Deserialize, Serialize};

/// One allowed way in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What it is for; becomes the rule's tag `geodeploy:NAME`.
    pub name: String,
    /// The TCP port.
    pub port: u16,
    /// From where; `None` is everywhere, over IPv4 and IPv6.
    pub from: Option<ipnet::IpNet>,
}

/// The host's firewall: all our rules at once, because half of them could lock somebody out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Firewall {
    /// What may come in; everything else is denied.
    pub rules: Vec<Rule>,
}

super::unfinished!(Firewall);

/// temporary
pub(crate) fn snapshot_paths() -> Vec<std::path::PathBuf> {
    Vec::new()
}
