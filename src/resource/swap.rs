//! A swap file.

use serde::{Deserialize, Serialize};

/// A swap file that is in use now and after a reboot. Where the host has other swap of at least that size, it is as desired.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Swap {
    /// Where: `/swapfile`.
    pub path: std::path::PathBuf,
    /// MiB.
    pub megabytes: u64,
}

super::unfinished!(Swap);
