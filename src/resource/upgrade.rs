//! Pending upgrades of the installed packages.

use serde::{Deserialize, Serialize};

/// Which pending upgrades are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpgradeScope {
    /// Those from the security archive.
    Security,
    /// All.
    All,
}

/// No upgrades of that scope are pending.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Upgrade {
    /// Which.
    pub scope: UpgradeScope,
}

super::unfinished!(Upgrade);
