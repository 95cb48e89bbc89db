//! A kernel setting, now and after a reboot.

use serde::{Deserialize, Serialize};

/// A kernel setting: written to /etc/sysctl.d/60-geodeploy-NAME.conf and set in the running kernel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sysctl {
    /// Its dotted name: `net.core.somaxconn`.
    pub name: String,
    /// Its value, fields separated by one space.
    pub value: String,
}

super::unfinished!(Sysctl);
