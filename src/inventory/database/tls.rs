//! Where the project's certificates and keys are kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::inventory::names::RegionName;
use crate::inventory::reader::Table;
use crate::inventory::secret_reference::{FilePath, SecretReference, SecretSource, secret};

/// Certificates and keys of the database, made by `geodeploy ca`: one folder, in which all that is secret is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The folder, relative to the inventory's.
    pub folder: PathBuf,
    /// The age identity that opens what is encrypted in it.
    pub identity: PathBuf,
    /// The authority's private key where it is kept elsewhere; otherwise it is in the folder, encrypted.
    pub ca_key: Option<SecretReference>,
    /// The authority's certificate.
    pub authority: SecretReference,
    /// What members of the replica set know each other by.
    pub member_key: SecretReference,
    /// Private key and certificate of MongoDB on each host that has one.
    pub servers: BTreeMap<RegionName, SecretReference>,
    /// Private key and certificate of each region's application.
    pub clients: BTreeMap<RegionName, SecretReference>,
}

impl Tls {
    /// Reads `[database.tls]` for a database in the regions `holders`.
    pub(super) fn read(table: Table<'_>, holders: &[&RegionName], regions: &[&str]) -> Self {
        let path = |key, default: &str| match table.text::<FilePath>(key) {
            Some(path) => path.0,
            None => PathBuf::from(default),
        };
        let folder = path("folder", "tls");
        let identity = path("identity", "~/.config/geodeploy/identity.txt");
        let ca_key = secret(&table, "ca_key");
        let line = table.line();
        table.finish();
        let reference = |source| SecretReference {
            source,
            key: KEY.to_owned(),
            line,
        };
        let sealed = |name: &str| {
            reference(SecretSource::Age {
                file: sealed(&folder, name),
                identity: identity.clone(),
            })
        };
        let names = regions
            .iter()
            .filter_map(|name| name.parse::<RegionName>().ok());
        Self {
            ca_key,
            authority: reference(SecretSource::Public(folder.join("ca.pem"))),
            member_key: sealed(MEMBER),
            servers: holders
                .iter()
                .map(|name| ((*name).clone(), sealed(&server(name))))
                .collect(),
            clients: names
                .map(|name| (name.clone(), sealed(&client(&name))))
                .collect(),
            folder,
            identity,
        }
    }

    /// What hosts need.
    pub(super) fn references(&self) -> impl Iterator<Item = &SecretReference> {
        [&self.authority, &self.member_key]
            .into_iter()
            .chain(self.servers.values())
            .chain(self.clients.values())
    }
}

/// How the references to what `geodeploy ca` makes are called, so that a missing file can name that verb.
pub(crate) const KEY: &str = "database.tls";

/// The name of what members of the set know each other by.
pub(crate) const MEMBER: &str = "member";

/// The name of the certificate of a region's MongoDB.
pub(crate) fn server(region: &RegionName) -> String {
    format!("{region}-server")
}

/// The name of the certificate of a region's application.
pub(crate) fn client(region: &RegionName) -> String {
    format!("{region}-client")
}

/// The encrypted file of that name.
pub(crate) fn sealed(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.key.age"))
}
