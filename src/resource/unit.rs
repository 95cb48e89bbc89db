//! A systemd unit's file.

use serde::{Deserialize, Serialize};

/// A unit file in /etc/systemd/system, checked with `systemd-analyze verify` before it is swapped in, and known to the running manager.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unit {
    /// Its file name: `yourapp@.service`.
    pub name: String,
    /// Its text.
    pub content: String,
    /// Services that must hear of a change.
    pub notifies: Vec<super::Notify>,
}

super::unfinished!(Unit);
