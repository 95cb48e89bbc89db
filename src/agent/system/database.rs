//! The agent's only door to the MongoDB of its machine, over loopback.

use std::path::Path;
use std::time::Duration;

use mongodb::bson::Document;
use mongodb::error::{Error, ErrorKind};

use super::Fault;
use crate::secrets::Secret;

/// A mongod on loopback. TLS is always verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint<'a> {
    /// Its port on 127.0.0.1, which its certificate must name.
    pub port: u16,
    /// The authority that its certificate must come from, PEM.
    pub ca_file: &'a Path,
    /// The certificate and key that are shown to it, PEM, where it asks for one.
    pub certificate_file: Option<&'a Path>,
}

/// As whom a command is run.
#[derive(Clone, Copy, Debug)]
pub enum Login<'a> {
    /// Nobody: what the localhost exception allows, and what needs no login.
    Nobody,
    /// A user, by SCRAM-SHA-256.
    User {
        /// The database that the user belongs to.
        database: &'a str,
        /// The user's name.
        name: &'a str,
        /// The password.
        password: &'a Secret,
    },
}

/// A command and where it runs.
#[derive(Clone, Debug)]
pub struct Call {
    /// The database: `admin`.
    pub database: String,
    /// The command, its name the first key. Never shown, because it may hold a password.
    pub command: Document,
    /// How long it may take.
    pub deadline: Duration,
}

impl Call {
    /// A command with a deadline of 30 s.
    pub fn new(database: impl Into<String>, command: Document) -> Self {
        Self {
            database: database.into(),
            command,
            deadline: Duration::from_secs(30),
        }
    }

    /// With another deadline.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

/// Why a command has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody listens on the port.
    #[error("nothing listens on the port")]
    Absent,
    /// The login is wrong.
    #[error("the login is refused")]
    Login,
    /// The server's own refusal (its error codes: `src/mongo/base/error_codes.yml` of the server).
    #[error("{message} (code {code})")]
    Command {
        /// The server's code; 0 where it gave none.
        code: i32,
        /// The server's text.
        message: String,
    },
    /// No connection, or it was lost; a command that changes something may have been carried out.
    #[error("{0}")]
    Lost(String),
}

impl Refusal {
    /// The server's code for a user that may not do this.
    pub const UNAUTHORIZED: i32 = 13;

    /// Whether the server refused with this code.
    pub fn is(&self, wanted: i32) -> bool {
        matches!(self, Self::Command { code, .. } if *code == wanted)
    }

    /// As a fault of what was being done.
    pub fn during(&self, what: impl Into<String>) -> Fault {
        Fault::new(what, self)
    }
}

impl From<&Error> for Refusal {
    /// What the driver tells.
    fn from(error: &Error) -> Self {
        match &*error.kind {
            ErrorKind::Authentication { .. } => Self::Login,
            ErrorKind::Command(command) => Self::Command {
                code: command.code,
                message: command.message.clone(),
            },
            _ => Self::Lost(error.to_string()),
        }
    }
}

/// The database as resources see it.
pub trait Database {
    /// Runs a command that changes nothing. A lost connection is tried once more.
    ///
    /// # Errors
    /// The reason why there is no answer.
    fn ask(&self, at: &Endpoint<'_>, login: &Login<'_>, call: &Call) -> Result<Document, Refusal>;

    /// Runs a command once. After [`Refusal::Lost`] the caller must look whether it was carried out.
    ///
    /// # Errors
    /// The reason why there is no answer.
    fn tell(&self, at: &Endpoint<'_>, login: &Login<'_>, call: &Call) -> Result<Document, Refusal>;

    /// The certificate that the server shows on a connection of its own, DER, whether it may be trusted or not.
    ///
    /// # Errors
    /// When nobody listens, or the server does not speak TLS.
    fn served(&self, at: &Endpoint<'_>) -> Result<Vec<u8>, Refusal>;

    /// Whether a login is accepted now, on a connection of its own.
    ///
    /// # Errors
    /// When that cannot be told.
    fn accepts(&self, at: &Endpoint<'_>, login: &Login<'_>) -> Result<bool, Refusal>;

    /// Opens and closes a connection to another host, `cn-server.example.com:27017`, and says how long that took: one
    /// round trip, where its name was known already.
    ///
    /// # Errors
    /// When the name is not found, or nothing accepts the connection.
    fn reaches(&self, host: &str) -> Result<Duration, Refusal>;
}
