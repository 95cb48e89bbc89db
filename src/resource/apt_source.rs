//! An apt archive in deb822 form, with the key that signs it.

use serde::{Deserialize, Serialize};

/// One archive, as a file in /etc/apt/sources.list.d and a keyring beside it; the package lists are refreshed when it changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AptSource {
    /// The file name without its ending: `mirror`, `mongodb-org-8.0`.
    pub name: String,
    /// Base addresses of the archive.
    pub uris: Vec<String>,
    /// Suites: `bookworm`, `bookworm-updates`. `{codename}` stands for the host's own.
    pub suites: Vec<String>,
    /// Components: `main`.
    pub components: Vec<String>,
    /// The archive's public key, ASCII-armoured or a path that is on the host already; `None` trusts the distribution's own keyring.
    pub signed_by: Option<String>,
    /// Whether the distribution's own sources are switched off, as for a mirror that replaces them.
    pub replaces_default: bool,
}

super::unfinished!(AptSource);
