//! What is asked about backups.

use serde::{Deserialize, Serialize};

use crate::backup::manifest::Manifest;
use crate::resource::mongo::Connection;
use crate::secrets::{Secret, wire};

/// What to do with backups.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupOrder {
    /// Report those that there are and the last drill: `{backups: [summary], verified}`.
    List,
    /// Make one now; its summary is the report.
    Make,
    /// Put a backup into the database, which must be empty; the decrypted archive follows the request.
    Restore {
        /// The database and its administrator.
        connection: Box<Connection>,
        /// What the archive holds.
        manifest: Box<Manifest>,
    },
    /// Restore a backup into a scratch server, compare, and write down that it is good; the decrypted archive follows.
    Drill {
        /// The backup's file name.
        file: String,
        /// What the archive holds.
        manifest: Box<Manifest>,
        /// The application's user, who must be able to log in there.
        user: Box<MongoLogin>,
    },
}

/// A user of the database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MongoLogin {
    /// The database that the user belongs to.
    pub database: String,
    /// The user's name.
    pub name: String,
    /// The password.
    #[serde(with = "wire")]
    pub password: Secret,
}
