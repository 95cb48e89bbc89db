//! What a host must offer to hold the database.

use std::path::PathBuf;

use super::contents::data_folder;
use super::{PORT, SET, TLS, UNIT};
use crate::backup::config::{FREE_PERCENT, PLENTY_MEBIBYTES};
use crate::blueprint::Build;
use crate::error::Error;
use crate::resource::{FreeDisk, OwnData, Requirement};

/// The package, the journal and its preallocated files, beside the log of operations (MongoDB 8.0: some 900 MiB).
const BESIDE_THE_OPLOG: u64 = 2048;

/// Distributions by `ID` and `VERSION_ID`.
const SUPPORTED: [(&str, &str); 3] = [("ubuntu", "22.04"), ("ubuntu", "24.04"), ("debian", "12")];

/// Older ones that work with packages of the operator's own.
const TOLERATED: [(&str, &str); 1] = [("debian", "11")];

impl Build<'_> {
    /// Nothing where the region has no database.
    pub(in crate::blueprint) fn database_requirements(&self) -> Result<Vec<Requirement>, Error> {
        if !self.holds_database() {
            return Ok(Vec::new());
        }
        let mongod = self.mongod()?;
        let database = &self.inventory.database;
        let owned = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(name, release)| ((*name).to_owned(), (*release).to_owned()))
                .collect()
        };
        let path = PathBuf::from(data_folder(&mongod));
        let mut requirements = vec![
            Requirement::SupportedSystem {
                systems: owned(&SUPPORTED),
                tolerated: owned(&TOLERATED),
            },
            Requirement::VectorInstructions,
            Requirement::MemoryLock,
            Requirement::FreeDisk(FreeDisk {
                purpose: "the database".to_owned(),
                path: path.clone(),
                mebibytes: database.oplog.as_mebibytes() + BESIDE_THE_OPLOG,
                percent: FREE_PERCENT,
                plenty: PLENTY_MEBIBYTES,
            }),
            Requirement::Clock,
            Requirement::PortFree {
                port: PORT,
                unit: UNIT.to_owned(),
            },
            Requirement::OwnData(OwnData {
                path,
                connection: mongod.connection,
                set: SET.to_owned(),
                key_file: PathBuf::from(TLS).join("mongod.key"),
                key: self.needed(&database.tls.member_key)?.clone(),
            }),
        ];
        let name = self.inventory.database_host(self.region);
        if name.parse::<std::net::IpAddr>().is_err() {
            requirements.push(Requirement::NameResolves {
                name,
                addresses: self.inventory.database_addresses(self.region),
            });
        }
        Ok(requirements)
    }
}
