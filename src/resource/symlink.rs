//! A symbolic link.

use serde::{Deserialize, Serialize};

/// A symbolic link; `target: None` means that it must not be there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Symlink {
    /// Where, absolute.
    pub path: std::path::PathBuf,
    /// Where it points.
    pub target: Option<std::path::PathBuf>,
    /// Services that must hear of a change.
    pub notifies: Vec<super::Notify>,
}

super::unfinished!(Symlink);
