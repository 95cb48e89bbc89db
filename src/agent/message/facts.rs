//! What an agent says of its host.

use serde::{Deserialize, Serialize};

/// Who runs something on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The run.
    pub run: String,
    /// Who started it.
    pub operator: String,
    /// When, RFC 3339 in UTC.
    pub since: String,
    /// What it does: `apply`, `deploy`.
    pub what: String,
}

/// The host itself, read only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// `ID` of /etc/os-release: `debian`.
    pub distribution: String,
    /// `VERSION_ID` of /etc/os-release: `12`.
    pub release: String,
    /// As `uname -m`: `x86_64`.
    pub architecture: String,
    /// The address that the operator comes from, as the host's sshd sees it.
    pub peer: Option<String>,
    /// Free MiB on /.
    pub free_disk: u64,
    /// Differs after a reboot.
    pub boot: String,
    /// Whether a time server sets the clock; `None` where nobody asked.
    #[serde(default)]
    pub synchronised: Option<bool>,
}
