//! What a host's backup needs to know.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::server::{Address, Login, Server};
use crate::agent::system::Fault;
use crate::secrets::Secret;

/// Least free part of a disk with the database or its backups, in percent.
pub const FREE_PERCENT: u8 = 20;

/// So much free space, in MiB, is enough whatever part of the disk it is.
pub const PLENTY_MEBIBYTES: u64 = 6 * 1024;

/// The configuration file of a host's backup, JSON. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What backups' names begin with: the application's name.
    pub name: String,
    /// Port of MongoDB on loopback.
    pub port: u16,
    /// The authority that its certificate must come from, PEM.
    pub ca_file: PathBuf,
    /// Certificate and key that are shown to it, PEM.
    pub certificate_file: PathBuf,
    /// The user that reads, of the database `admin`.
    pub user: String,
    /// The file that holds that user's password.
    pub password_file: PathBuf,
    /// Where backups are kept.
    pub folder: PathBuf,
    /// How many stay.
    pub keep: usize,
    /// Who can open them: age's public keys.
    pub recipients: Vec<String>,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not there or not of this form.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let what = || format!("cannot read {}", path.display());
        let text = std::fs::read(path).map_err(|error| Fault::new(what(), error))?;
        serde_json::from_slice(&text)
            .map_err(|error| Fault::new(what(), error).hint("`geodeploy provision` writes it anew"))
    }

    /// Logs in.
    ///
    /// # Errors
    /// When the password's file cannot be read, or MongoDB does not let us in.
    pub fn connect(&self) -> Result<Server, Fault> {
        let place = self.password_file.display();
        let password = std::fs::read_to_string(&self.password_file)
            .map_err(|error| Fault::new(format!("cannot read {place}"), error))?;
        let login = Login {
            database: "admin".to_owned(),
            name: self.user.clone(),
            password: Secret::new(password.trim_end_matches('\n').to_owned()),
        };
        let address = Address::Loopback {
            port: self.port,
            ca_file: self.ca_file.clone(),
            certificate_file: Some(self.certificate_file.clone()),
        };
        Server::connect(&address, Some(&login))
    }
}
