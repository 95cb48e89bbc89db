//! What a database should be, as values: its set, its users, its indexes, its running configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::secrets::{Secret, wire};

/// How the agent reaches the database on its own host: over loopback, with TLS.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Connection {
    /// Its port.
    pub port: u16,
    /// The certificate of the project's authority, PEM.
    pub ca_file: PathBuf,
    /// Private key and certificate to show, PEM.
    pub certificate_file: Option<PathBuf>,
    /// The administrator, a user of the database `admin`.
    pub admin_user: String,
    /// Its password.
    #[serde(with = "wire")]
    pub admin_password: Secret,
}

/// A replica set, initiated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplicaSet {
    /// How to reach one of its members.
    pub connection: Connection,
    /// The set's name.
    pub name: String,
    /// Its members.
    pub members: Vec<Member>,
}

/// A member of a replica set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// The name and port that the other members dial: `cn-server.yourapp.com:27017`.
    pub host: String,
    /// How gladly it becomes the primary; 0 never.
    pub priority: f64,
    /// Votes in an election, 0 or 1.
    pub votes: u8,
    /// Whether clients do not see it.
    pub hidden: bool,
}

/// A user of the database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MongoUser {
    /// How to reach the database.
    pub connection: Connection,
    /// The database that the user belongs to, which is its `authSource`.
    pub database: String,
    /// Its name.
    pub name: String,
    /// Its password.
    #[serde(with = "wire")]
    pub password: Secret,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Whether it is the first, made through the localhost exception.
    pub first: bool,
}

/// A role on a database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Role {
    /// Its name: `readWrite`.
    pub role: String,
    /// The database that it is valid for.
    pub database: String,
}

/// An index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MongoIndex {
    /// How to reach the database.
    pub connection: Connection,
    /// The database.
    pub database: String,
    /// The collection.
    pub collection: String,
    /// Fields and directions (1 or -1), in order.
    pub keys: Vec<(String, i32)>,
    /// Makes it a TTL index.
    pub expire_after_seconds: Option<u64>,
    /// Whether two documents may not share their values.
    pub unique: bool,
    /// Its name.
    pub name: String,
}

/// mongod as it runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mongod {
    /// How to reach it.
    pub connection: Connection,
    /// Dotted keys of `getCmdLineOpts` and their values.
    pub settings: BTreeMap<String, String>,
    /// The release, where one is asked for.
    pub version: Option<String>,
}
