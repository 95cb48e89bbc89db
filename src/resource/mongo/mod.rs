//! MongoDB on the host: its replica set, users, indexes and running configuration, managed over loopback.

mod census;
mod certificates;
mod configuration;
mod index;
mod joining;
mod member;
mod members;
mod mongod;
mod offline;
mod primary;
mod ready;
mod reconfiguration;
mod replica_set;
mod restart;
mod retired;
mod role;
mod settings;
mod standing;
mod user;

use std::path::PathBuf;
use std::time::Duration;

use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

pub use certificates::{MongodCertificates, fingerprint};
pub use configuration::MongodConfiguration;
pub use index::{MongoIndex, Reader};
pub use member::Member;
pub use members::SetMembers;
pub use mongod::Mongod;
pub use offline::{Form, OfflineMongod};
pub use primary::Primary;
pub use replica_set::ReplicaSet;
pub use retired::RetiredMongoUser;
pub use role::MongoRole;
pub use settings::{mistakes, settings};
pub use standing::Standing;
pub use user::{MongoUser, Role};

use super::Context;
use crate::agent::system::Fault;
use crate::agent::system::database::{Call, Endpoint, Login, Refusal};
use crate::secrets::{Secret, wire};

/// How the agent reaches the database of its own host, and as whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Connection {
    /// The port on 127.0.0.1, which the server's certificate must name.
    pub port: u16,
    /// The project's certificate authority on the host, PEM. As long as it is not there the database counts as absent.
    pub ca_file: PathBuf,
    /// The certificate with its key that is shown to the server, PEM, where it asks for one.
    pub certificate_file: Option<PathBuf>,
    /// The administrator, a user of the database `admin`.
    pub admin_user: String,
    /// The administrator's password.
    #[serde(with = "wire")]
    pub admin_password: Secret,
}

impl Connection {
    fn endpoint(&self) -> Endpoint<'_> {
        Endpoint {
            port: self.port,
            ca_file: &self.ca_file,
            certificate_file: self.certificate_file.as_deref(),
        }
    }

    fn admin(&self) -> Login<'_> {
        Login::User {
            database: "admin",
            name: &self.admin_user,
            password: &self.admin_password,
        }
    }

    fn ask(
        &self,
        context: &Context<'_>,
        database: &str,
        command: Document,
    ) -> Result<Document, Refusal> {
        let call = Call::new(database, command);
        context.database.ask(&self.endpoint(), &self.admin(), &call)
    }

    fn ask_as_nobody(&self, context: &Context<'_>, command: Document) -> Result<Document, Refusal> {
        let call = Call::new("admin", command);
        context
            .database
            .ask(&self.endpoint(), &Login::Nobody, &call)
    }

    fn tell(&self, context: &Context<'_>, call: &Call) -> Result<Document, Refusal> {
        context.database.tell(&self.endpoint(), &self.admin(), call)
    }

    fn tell_as_nobody(
        &self,
        context: &Context<'_>,
        command: Document,
    ) -> Result<Document, Refusal> {
        let call = Call::new("admin", command);
        context
            .database
            .tell(&self.endpoint(), &Login::Nobody, &call)
    }

    /// Waits until the member takes writes: after an initiation or a restart that takes an election.
    fn wait_until_writable(&self, context: &Context<'_>) -> Result<(), Fault> {
        self.wait_until(context, "takes no writes", |hello| {
            hello.get_bool("isWritablePrimary").unwrap_or(false)
        })
    }

    fn wait_until(
        &self,
        context: &Context<'_>,
        lack: &str,
        enough: impl Fn(&Document) -> bool,
    ) -> Result<(), Fault> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let pause = Duration::from_millis(200);
        let mut waited = Duration::ZERO;
        loop {
            let why = match self.ask_as_nobody(context, doc! { "hello": 1 }) {
                Ok(hello) if enough(&hello) => return Ok(()),
                Ok(hello) => match hello.get_str("setName") {
                    Ok(name) => format!("it is not the primary of {name}"),
                    Err(_) => "it is no member of a replica set yet".to_owned(),
                },
                Err(refusal) => refusal.to_string(),
            };
            if waited >= PATIENCE {
                let what = format!(
                    "the database on port {} {lack} after {} s",
                    self.port,
                    PATIENCE.as_secs()
                );
                return Err(Fault::new(what, why)
                    .hint("on the host: `journalctl -u mongod` and /var/log/mongodb/mongod.log"));
            }
            if waited.is_zero() {
                (context.progress)("waiting for the database to be ready");
            }
            context.system.sleep(pause);
            waited += pause;
        }
    }
}

/// The server's unit, as its vendor's package calls it.
const UNIT: &str = "mongod.service";

/// A number of any of the server's number types; 2.0 and 2 are the same.
pub(crate) fn number(value: Option<&Bson>) -> Option<f64> {
    match value? {
        Bson::Int32(value) => Some(f64::from(*value)),
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds and versions are far below 2^53"
        )]
        Bson::Int64(value) => Some(*value as f64),
        Bson::Double(value) => Some(*value),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
