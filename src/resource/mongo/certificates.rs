//! The certificates that the running server uses, taken from disk without a restart.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mongodb::bson::doc;
use serde::{Deserialize, Serialize};

use super::restart::{come_up, restart};
use super::standing::{Standing, unreached};
use super::{Connection, UNIT};
use crate::agent::system::Fault;
use crate::agent::system::database::{Call, Refusal};
use crate::digest::sha256;
use crate::plan::{Attributes, Change, Id, Kind};
use crate::resource::{Action, Context, Manage, pending};
use crate::secrets::FingerprintKey;

/// The server's certificate and the authorities that it trusts, as it runs. It comes right after the server's service, and
/// so is also where a run waits for a server that is starting.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MongodCertificates {
    /// How the server is reached.
    pub connection: Connection,
    /// [`fingerprint`] of the certificate on disk.
    pub fingerprint: String,
    /// The server's log, where a restart looks for what went wrong.
    pub log: Option<String>,
}

/// SHA-256 of the first certificate in a PEM text, hex; of the text itself where it holds none.
pub fn fingerprint(pem: &str) -> String {
    let body = pem
        .split_once("-----BEGIN CERTIFICATE-----")
        .and_then(|(_, rest)| rest.split_once("-----END CERTIFICATE-----"));
    let der = body.and_then(|(body, _)| {
        let text: String = body.split_whitespace().collect();
        STANDARD.decode(text).ok()
    });
    der.map_or_else(|| sha256(pem.as_bytes()), |der| sha256(&der))
}

fn describe(fingerprint: &str, pending: &str) -> Attributes {
    Attributes::new()
        .text("served", fingerprint)
        .text("pending", pending)
}

impl MongodCertificates {
    fn owed(context: &Context<'_>) -> Result<bool, Fault> {
        Ok(pending::read(context, UNIT)? == Some(Action::Rotate))
    }

    fn rotate(&self, context: &Context<'_>) -> Result<(), Refusal> {
        // The message goes to the server's log.
        let command = doc! { "rotateCertificates": 1, "message": "geodeploy" };
        self.connection
            .tell(context, &Call::new("admin", command))
            .map(drop)
    }

    /// Connections that are open go on with the certificate that they began with; new ones get the new one.
    fn served_now(&self, context: &Context<'_>) -> bool {
        const LOOKS: u32 = 10;
        for _ in 0..LOOKS {
            let served = context.database.served(&self.connection.endpoint());
            if served.is_ok_and(|der| sha256(&der) == self.fingerprint) {
                return true;
            }
            context.system.sleep(Duration::from_millis(200));
        }
        false
    }

    /// The debt is paid.
    fn heard(context: &Context<'_>) -> Result<(), Fault> {
        match Self::owed(context)? {
            true => pending::clear(context, UNIT),
            false => Ok(()),
        }
    }
}

impl Manage for MongodCertificates {
    fn id(&self) -> Id {
        let name = format!("127.0.0.1:{}", self.connection.port);
        Id::new(Kind::MongodCertificates, name)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        Some(describe(&self.fingerprint, "none"))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let authority = context.system.metadata(&self.connection.ca_file);
        let what = "cannot look at the database's certificates";
        if authority
            .map_err(|error| Fault::new(what, error))?
            .is_none()
        {
            return Ok(None);
        }
        match context.database.served(&self.connection.endpoint()) {
            Ok(der) => {
                let pending = if Self::owed(context)? {
                    "rotate"
                } else {
                    "none"
                };
                Ok(Some(describe(&sha256(&der), pending)))
            }
            Err(Refusal::Absent) => Ok(None),
            Err(refusal) => Ok(Some(unreached(&refusal.to_string()))),
        }
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let mut standing = self.connection.standing(context)?;
        if standing == Standing::Absent && come_up(&self.connection, context).is_ok() {
            if self.inspect(context)? == self.desired(context.key) {
                return Ok(());
            }
            standing = self.connection.standing(context)?;
        }
        let why = match standing {
            Standing::Managed(_) => match self.rotate(context) {
                Ok(()) if self.served_now(context) => return Self::heard(context),
                Ok(()) => "it still shows the old one".to_owned(),
                Err(refusal) => refusal.to_string(),
            },
            Standing::Open(_) => "it has no administrator yet".to_owned(),
            Standing::Unreached(why) => why,
            Standing::Absent => "it does not run".to_owned(),
        };
        (context.progress)(&format!(
            "restarting the database, which cannot take its certificates while it runs: {why}"
        ));
        restart(&self.connection, self.log.as_deref(), context)?;
        Self::heard(context)
    }
}
