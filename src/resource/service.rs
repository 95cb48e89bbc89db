//! A systemd unit's state.

use serde::{Deserialize, Serialize};

/// Whether a unit starts at boot and runs now, and whether what runs is what is on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Service {
    /// The unit's full name: `nginx.service`.
    pub unit: String,
    /// Whether it starts at boot.
    pub enabled: bool,
    /// Whether it must run now; `None` leaves that to somebody else, as the application is left to deploy.
    pub running: Option<bool>,
}

super::unfinished!(Service);
