//! A Debian package, installed.

use serde::{Deserialize, Serialize};

/// A package that must be installed, or must not be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The exact version; `None` takes what the archive has and never upgrades it.
    pub version: Option<String>,
    /// Whether it must be there.
    pub installed: bool,
    /// Whether apt must not upgrade it by itself.
    pub held: bool,
}

super::unfinished!(Package);
