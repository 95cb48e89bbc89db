//! The database's shape and the application's access to it.

use std::str::FromStr;

use super::mistake::Wrong;
use super::names::{DatabaseName, RegionName, UserName};
use super::reader::Table;
use super::secret_reference::{SecretReference, secret};

/// Where conversations are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Which of the guide's plans.
    pub mode: DatabaseMode,
    /// The region whose host holds the data; with `embedded`, nobody's.
    pub region: Option<RegionName>,
    /// The database's name.
    pub name: DatabaseName,
    /// The application's user, with rights on that database alone.
    pub user: Option<UserName>,
    /// Its password.
    pub password: Option<SecretReference>,
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

impl Database {
    pub(super) fn read(table: Table<'_>) -> Option<Self> {
        let mode = table.required("mode", "embedded");
        let region = table.text("region");
        let name = match table.value("name") {
            Some(_) => table.text("name"),
            None => "aiagent".parse().ok(),
        };
        let user = table.text("user");
        let password = secret(&table, "password");
        table.finish();
        Some(Self {
            mode: mode?,
            region,
            name: name?,
            user,
            password,
        })
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
