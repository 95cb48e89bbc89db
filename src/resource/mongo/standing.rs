//! How far the database of a host has come, between nothing and managed.

use std::time::Duration;

use mongodb::bson::{Document, doc};

use super::Connection;
use crate::agent::system::Fault;
use crate::agent::system::database::Refusal;
use crate::plan::Attributes;
use crate::resource::Context;

/// How far it has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// No server, or no certificate authority to trust one by.
    Absent,
    /// There is a server, and it cannot be spoken to: it still runs with another certificate, or without TLS.
    Unreached(String),
    /// It has no user yet: the localhost exception is open. With its answer to `hello`.
    Open(Document),
    /// The administrator's login works. With its answer to `hello`.
    Managed(Document),
}

impl Connection {
    /// How far the database has come.
    ///
    /// # Errors
    /// When it has users and refuses the administrator's password: nothing can be seen or changed then.
    pub fn standing(&self, context: &Context<'_>) -> Result<Standing, Fault> {
        let what = format!("cannot look at the database on port {}", self.port);
        let ca_file = context.system.metadata(&self.ca_file);
        if ca_file.map_err(|error| Fault::new(&what, error))?.is_none() {
            return Ok(Standing::Absent);
        }
        let hello = match self.ask_as_nobody(context, doc! { "hello": 1 }) {
            Ok(hello) => hello,
            Err(Refusal::Absent) => return Ok(Standing::Absent),
            Err(Refusal::Lost(why)) => return Ok(Standing::Unreached(why)),
            Err(refusal) => return Err(refusal.during(what)),
        };
        match self.ask(context, "admin", doc! { "ping": 1 }) {
            Ok(_) => Ok(Standing::Managed(hello)),
            // Its users come with the data.
            Err(Refusal::Login | Refusal::Command { .. }) if copies(&hello) => {
                Ok(Standing::Unreached(COPIES.to_owned()))
            }
            Err(Refusal::Login) if self.exception_open(context)? => Ok(Standing::Open(hello)),
            Err(Refusal::Login) => Err(Fault::new(
                what,
                format!(
                    "it has users, and refuses the password of its administrator `{}`",
                    self.admin_user
                ),
            )
            .hint("give the password that the database was set up with; nothing was changed")),
            Err(Refusal::Lost(why)) => Ok(Standing::Unreached(why)),
            Err(refusal) => Err(refusal.during(what)),
        }
    }

    /// How far the database has come, once it answers: a server that was just started reads its journal first. What does
    /// not answer in time is given as it is.
    ///
    /// # Errors
    /// As [`Self::standing`].
    pub(super) fn settled(&self, context: &Context<'_>) -> Result<Standing, Fault> {
        const PATIENCE: Duration = Duration::from_secs(30);
        let pause = Duration::from_millis(200);
        let begun = context.system.now();
        let mut told = false;
        loop {
            let standing = self.standing(context)?;
            let silent = matches!(standing, Standing::Absent | Standing::Unreached(_));
            // A look at a server that is not trusted takes seconds: the time that passes counts.
            let waited = context
                .system
                .now()
                .duration_since(begun)
                .unwrap_or_default();
            if !silent || waited >= PATIENCE {
                return Ok(standing);
            }
            if !told {
                (context.progress)("waiting for the database to answer");
                told = true;
            }
            context.system.sleep(pause);
        }
    }

    /// Whether the localhost exception is open. It lets nobody see the set's status, until there is a user
    /// (tried on 6.0.5: code 94 or an answer before, 13 after).
    pub(super) fn exception_open(&self, context: &Context<'_>) -> Result<bool, Fault> {
        match self.ask_as_nobody(context, doc! { "replSetGetStatus": 1 }) {
            Err(refusal) if refusal.is(Refusal::UNAUTHORIZED) => Ok(false),
            Ok(_) | Err(Refusal::Command { .. }) => Ok(true),
            Err(refusal) => Err(refusal.during("cannot tell whether the database has users")),
        }
    }
}

/// What a member lacks that has joined others and has no full copy of their data.
const COPIES: &str = "it copies the data of its replica set";

/// Whether a member has joined others and neither takes writes nor can be read.
pub(super) fn copies(hello: &Document) -> bool {
    let flag = |name| hello.get_bool(name).unwrap_or(false);
    let members: usize = ["hosts", "passives"]
        .iter()
        .filter_map(|list| hello.get_array(list).ok())
        .map(Vec::len)
        .sum();
    members > 1 && !flag("isWritablePrimary") && !flag("secondary")
}

/// What is shown of a resource whose server cannot be spoken to.
pub(super) fn unreached(why: &str) -> Attributes {
    Attributes::new().text("server", format!("cannot be spoken to: {why}"))
}

/// The fault of a change that needs a server that can be spoken to.
pub(super) fn missing(what: &str, standing: &Standing) -> Fault {
    let (why, hint) = match standing {
        Standing::Absent => (
            "no mongod listens on loopback".to_owned(),
            "its service and certificates must come before it; on the host: `systemctl status mongod`",
        ),
        Standing::Unreached(why) => (
            why.clone(),
            "it runs with a configuration or certificate of its own; on the host: `systemctl restart mongod`",
        ),
        Standing::Open(_) | Standing::Managed(_) => (
            "it has no administrator yet".to_owned(),
            "the first user must come before it",
        ),
    };
    Fault::new(what, why).hint(hint)
}
