//! A folder.

use serde::{Deserialize, Serialize};

/// A folder with its owner and mode; what is in it is not looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Directory {
    /// Where, absolute.
    pub path: std::path::PathBuf,
    /// Whose it is.
    pub ownership: super::Ownership,
}

super::unfinished!(Directory);
