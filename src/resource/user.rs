//! A system user without a login.

use serde::{Deserialize, Serialize};

/// A system user with a group of the same name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its home, which is not made.
    pub home: std::path::PathBuf,
    /// Its shell: `/usr/sbin/nologin`.
    pub shell: String,
    /// Further groups.
    pub groups: Vec<String>,
}

super::unfinished!(User);
