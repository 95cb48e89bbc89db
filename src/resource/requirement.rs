//! What a host must offer before anything on it is changed. The agent looks at them; nothing makes them so.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::mongo::Connection;
use crate::secrets::{Secret, wire};

/// One thing that a host must offer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requirement {
    /// A distribution and a release of it.
    SupportedSystem {
        /// `ID` and `VERSION_ID` of /etc/os-release that are supported.
        systems: Vec<(String, String)>,
        /// Others that are accepted with a note.
        tolerated: Vec<(String, String)>,
    },
    /// A processor with the instructions that MongoDB is built with since 5.0: AVX on x86-64, ARMv8.2-A on 64-bit ARM
    /// (MongoDB's production notes).
    VectorInstructions,
    /// Space on the file system of a path. Where the path holds data already, too little is a note.
    FreeDisk(FreeDisk),
    /// A clock that a time server sets, or that is right by the operator's.
    Clock,
    /// Memory that programs may lock, without which MongoDB ends at its start ("Failed to mlock").
    MemoryLock,
    /// A TCP port that nobody but this unit listens on.
    PortFree {
        /// Which.
        port: u16,
        /// The unit that may have it: `mongod.service`.
        unit: String,
    },
    /// A folder for the database's data that is empty, or whose data is this project's.
    OwnData(OwnData),
    /// A name that the host itself resolves to one of these addresses, or to loopback.
    NameResolves {
        /// The name.
        name: String,
        /// Where it must lead.
        addresses: Vec<IpAddr>,
    },
}

/// How much space there must be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FreeDisk {
    /// What is put there: `the database`.
    pub purpose: String,
    /// Where; it need not be there yet.
    pub path: PathBuf,
    /// At least so many MiB.
    pub mebibytes: u64,
    /// At least this share of the file system, in percent.
    pub percent: u8,
    /// So many MiB are enough whatever share they are.
    pub plenty: u64,
}

/// What tells this project's data from others'.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OwnData {
    /// The database's folder.
    pub path: PathBuf,
    /// How its server is asked whose it is.
    pub connection: Connection,
    /// The replica set's name.
    pub set: String,
    /// The members' key on the host, which tells where the server cannot be asked.
    pub key_file: PathBuf,
    /// What that file must hold then.
    #[serde(with = "wire")]
    pub key: Secret,
}
