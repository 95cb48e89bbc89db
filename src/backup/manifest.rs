//! What a backup holds, so that a restore can be compared with it.

use serde::{Deserialize, Serialize};

/// The version of this form. A reader that meets a newer one says so.
pub const FORMAT: u32 = 1;

/// The name of the manifest in the tar.
pub const NAME: &str = "geodeploy-manifest.json";

/// The name of the oplog's part in the tar.
pub const OPLOG: &str = "oplog.bson";

/// Everything in a backup. It is the last file of the tar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of the program that made it.
    pub tool: String,
    /// Version of MongoDB: `8.0.21`.
    pub mongod: String,
    /// When the dump began, RFC 3339 in UTC.
    pub began: String,
    /// The oplog's time before the first collection was read.
    pub start: Optime,
    /// The oplog's time that the backup is of.
    pub end: Optime,
    /// The oplog's part.
    pub oplog: Content,
    /// Every collection and view.
    pub collections: Vec<Collection>,
}

/// A time of the oplog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Optime {
    /// Seconds since 1970.
    pub seconds: u32,
    /// Count within the second.
    pub increment: u32,
}

/// A file of concatenated BSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// How many documents.
    pub documents: u64,
    /// How many bytes.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// A collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// Its database.
    pub database: String,
    /// Its name.
    pub name: String,
    /// `collection` or `view`.
    pub kind: String,
    /// As it was created, extended JSON.
    pub options: String,
    /// Its indexes as the server lists them, extended JSON.
    pub indexes: Vec<String>,
    /// Its file, as read while others wrote; nothing for a view.
    pub content: Content,
    /// Documents at the backup's end, when the oplog's part is replayed.
    pub documents: u64,
    /// Documents that were not expired at the backup's end, where an index lets them expire.
    pub unexpired: Option<Unexpired>,
}

/// A count that does not depend on when the server last removed what is expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unexpired {
    /// The date's field.
    pub field: String,
    /// Documents with a later date count, milliseconds since 1970.
    pub after: i64,
    /// How many those were.
    pub documents: u64,
}

impl Manifest {
    /// Documents of all collections.
    pub fn documents(&self) -> u64 {
        self.collections.iter().map(|one| one.documents).sum()
    }

    /// `8.0` of `8.0.21`: a backup goes back into the series that it came from.
    pub fn series(&self) -> String {
        series(&self.mongod)
    }
}

/// `8.0` of `8.0.21`.
pub(super) fn series(version: &str) -> String {
    let parts: Vec<&str> = version.split('.').take(2).collect();
    parts.join(".")
}

impl Collection {
    /// `aiagent.users`.
    pub fn namespace(&self) -> String {
        format!("{}.{}", self.database, self.name)
    }

    /// Whether it holds the users and roles, which only a scratch server gets back.
    pub fn is_administrative(&self) -> bool {
        self.database == "admin"
    }
}

/// What stands beside a backup in clear; nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The backup's file name.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of the encrypted file, hex.
    pub sha256: String,
    /// When it was begun, RFC 3339 in UTC.
    pub began: String,
    /// How long it took.
    pub seconds: u64,
    /// Version of MongoDB.
    pub mongod: String,
    /// Version of the program that made it.
    pub tool: String,
    /// Documents of all collections.
    pub documents: u64,
    /// Writes that came while it was made.
    pub oplog_entries: u64,
    /// Documents of each collection.
    pub collections: std::collections::BTreeMap<String, u64>,
}
