//! The database's shape, where it comes from and who may use it.

mod archive;
mod backup;
mod offline;
mod place;
pub(super) mod replica_set;
pub(crate) mod tls;
mod values;

use std::collections::BTreeMap;
use std::str::FromStr;

pub use archive::Archive;
pub use backup::Backup;
pub use offline::{Offline, OfflineForm, OfflineSource};
pub use place::Place;
pub use tls::Tls;
pub use values::{KeyFingerprint, MongoVersion};

use super::mistake::Wrong;
use super::names::{DatabaseName, RegionName, UserName};
use super::reader::Table;
use super::secret_reference::{SecretReference, secret};
use super::values::ByteSize;

/// Where conversations are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Which of the guide's plans.
    pub mode: DatabaseMode,
    /// The region whose host holds the data, with a replica set its primary; with `embedded`, nobody's.
    pub region: Option<RegionName>,
    /// With a replica set the other regions whose hosts hold a copy, the first to take over first.
    pub members: Vec<RegionName>,
    /// Whether every member votes, so that they choose another primary by themselves.
    pub automatic_failover: bool,
    /// The database's name.
    pub name: DatabaseName,
    /// The application's user, with rights on that database alone.
    pub user: Option<UserName>,
    /// What it may do.
    pub role: AppRole,
    /// Its password.
    pub password: Option<SecretReference>,
    /// Password of `geodeploy_admin`, which manages users and indexes and reads no conversation.
    pub admin_password: Option<SecretReference>,
    /// Password of `geodeploy_monitor`.
    pub monitor_password: Option<SecretReference>,
    /// Password of `geodeploy_backup`.
    pub backup_password: Option<SecretReference>,
    /// Name and addresses of the database in `region`.
    pub place: Place,
    /// Those of other regions, and of `region` too after another one held the primary.
    pub places: BTreeMap<RegionName, Place>,
    /// Which MongoDB.
    pub version: MongoVersion,
    /// Memory for its cache.
    pub cache: ByteSize,
    /// Disk for the log of operations.
    pub oplog: ByteSize,
    /// Where its package comes from.
    pub archive: Archive,
    /// Its backups.
    pub backup: Backup,
    /// Certificates and keys.
    pub tls: Tls,
}

/// The database's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseMode {
    /// A file of the application's own on each host, nothing shared.
    Embedded,
    /// One MongoDB in one region.
    Single,
    /// A MongoDB replica set over the regions.
    ReplicaSet,
    /// MongoDB Atlas.
    Atlas,
}

impl DatabaseMode {
    /// Whether MongoDB runs on hosts of the inventory.
    pub fn on_hosts(self) -> bool {
        matches!(self, Self::Single | Self::ReplicaSet)
    }
}

/// What the application's user may do in its database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppRole {
    /// Everything with documents, collections and indexes.
    #[default]
    ReadWrite,
    /// Everything with documents, and nothing else.
    Documents,
}

/// WiredTiger takes no smaller cache.
const SMALLEST_CACHE: ByteSize = ByteSize::mebibytes(256);

/// Beside the application on a host of 4 GB; MongoDB's own default would be half of what is above 1 GB.
const CACHE: ByteSize = ByteSize::mebibytes(1024);

/// MongoDB's own minimum.
const OPLOG: ByteSize = ByteSize::mebibytes(990);

impl Database {
    /// Reads `[database]`; `regions` are the names in use.
    pub(super) fn read(table: Table<'_>, regions: &[&str]) -> Option<Self> {
        let mode: Option<DatabaseMode> = table.required("mode", "embedded");
        let region: Option<RegionName> = table.text("region");
        let name = match table.value("name") {
            Some(_) => table.text("name"),
            None => "aiagent".parse().ok(),
        };
        let members: Vec<RegionName> = table.texts("members").unwrap_or_default();
        let automatic_failover = table.flag("automatic_failover");
        let user = table.text("user");
        let role = table.text("role").unwrap_or_default();
        let [password, admin_password, monitor_password, backup_password] =
            PASSWORDS.map(|key| secret(&table, key));
        let place = Place::read(&table);
        let places = Place::read_all(table.section("hosts"), regions);
        let version = table.text("version").unwrap_or_default();
        let cache = size(&table, "cache", SMALLEST_CACHE).unwrap_or(CACHE);
        let oplog = size(&table, "oplog", OPLOG).unwrap_or(OPLOG);
        let archive = Archive::read(&table, &version, mode.is_some_and(DatabaseMode::on_hosts));
        let backup = Backup::read(table.section("backup"));
        let holders: Vec<&RegionName> = region.iter().chain(&members).collect();
        let tls = Tls::read(table.section("tls"), &holders, regions);
        table.finish();
        Some(Self {
            mode: mode?,
            region,
            members,
            automatic_failover,
            name: name?,
            user,
            role,
            password,
            admin_password,
            monitor_password,
            backup_password,
            place,
            places,
            version,
            cache,
            oplog,
            archive,
            backup,
            tls,
        })
    }

    /// Name and addresses of the database on that region's host, as far as they are written.
    pub(crate) fn place(&self, region: &RegionName) -> Option<&Place> {
        let own = (self.region.as_ref() == Some(region)).then_some(&self.place);
        self.places.get(region).or(own)
    }

    /// Everything secret that this shape needs; the key of the certificate authority is not among it.
    pub(super) fn secret_references(&self) -> Vec<&SecretReference> {
        let mut references: Vec<&SecretReference> = Vec::new();
        references.extend(&self.password);
        if self.mode.on_hosts() {
            let others = [
                &self.admin_password,
                &self.monitor_password,
                &self.backup_password,
            ];
            references.extend(others.into_iter().flatten());
            references.extend(&self.archive.key);
            references.extend(self.tls.references());
        }
        references
    }
}

/// The keys of the passwords: the application's, then those of the users that geodeploy makes for itself.
pub(super) const PASSWORDS: [&str; 4] = [
    "password",
    "admin_password",
    "monitor_password",
    "backup_password",
];

fn size(table: &Table<'_>, key: &'static str, least: ByteSize) -> Option<ByteSize> {
    let found: ByteSize = table.text(key)?;
    if found < least {
        let least = least.as_mebibytes();
        let cause = format!("MongoDB takes no `{key}` below {least}MiB");
        table.wrong(
            key,
            Wrong::new(cause, format!("write {key} = \"{least}MiB\" or more")),
        );
    }
    Some(found)
}

impl FromStr for AppRole {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text {
            "read-write" => Ok(Self::ReadWrite),
            "documents" => Ok(Self::Documents),
            _ => Err(Wrong::new(
                format!("`{text}` is not a role that the application's user can have"),
                "write read-write, or documents, which may drop neither collections nor indexes",
            )),
        }
    }
}

impl FromStr for DatabaseMode {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text {
            "embedded" => Ok(Self::Embedded),
            "single" => Ok(Self::Single),
            "replica-set" => Ok(Self::ReplicaSet),
            "atlas" => Ok(Self::Atlas),
            _ => Err(Wrong::new(
                format!("`{text}` is not a shape of the database that is known"),
                "write embedded, single, replica-set or atlas",
            )),
        }
    }
}
