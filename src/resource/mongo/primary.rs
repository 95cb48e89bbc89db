//! Which member of a set is its primary, and how it hands that over.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};

use super::Connection;
use super::standing::{Standing, missing, unreached};
use crate::agent::system::Fault;
use crate::agent::system::database::{Call, Refusal};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::resource::{Context, Manage};
use crate::secrets::FingerprintKey;

/// How long a primary that hands over waits for a successor to have all its writes, and then leaves the place to it.
const CATCH_UP: i32 = 30;

/// How long the one that handed over does not come back by itself.
const AWAY: i32 = 60;

/// How long the set may take to have the new primary.
const PATIENCE: Duration = Duration::from_secs(60);

/// The primary of a set. From the host of the one that is primary it is handed over to the one that should be, which
/// must vote and have the highest priority by then. No write that was acknowledged is lost by that.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Primary {
    /// How the member on this host is reached.
    pub connection: Connection,
    /// The set's name.
    pub name: String,
    /// Which member it should be, as in the set's configuration.
    pub host: String,
}

/// No member takes writes.
const NONE: &str = "none";

impl Primary {
    fn describe(host: &str) -> Attributes {
        Attributes::new().text("primary", host)
    }

    fn what(&self) -> String {
        format!("cannot make {} the primary of {}", self.host, self.name)
    }

    fn hello(&self, context: &Context<'_>) -> Result<Document, Refusal> {
        self.connection.ask_as_nobody(context, doc! { "hello": 1 })
    }

    fn wait(&self, context: &Context<'_>) -> Result<(), Fault> {
        let pause = Duration::from_millis(200);
        let mut waited = Duration::ZERO;
        loop {
            let now = self.hello(context).ok();
            let now = now.as_ref().and_then(|hello| hello.get_str("primary").ok());
            if now == Some(&*self.host) {
                return Ok(());
            }
            if waited >= PATIENCE {
                let why = format!("after {} s it is {}", waited.as_secs(), now.unwrap_or(NONE));
                return Err(Fault::new(self.what(), why)
                    .hint("look at `geodeploy status` and run the same command again"));
            }
            if waited.is_zero() {
                (context.progress)("waiting for the election");
            }
            context.system.sleep(pause);
            waited += pause;
        }
    }
}

impl Manage for Primary {
    fn id(&self) -> Id {
        Id::new(Kind::Primary, &self.name)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        Some(Self::describe(&self.host))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        Ok(match self.connection.standing(context)? {
            Standing::Absent => None,
            Standing::Unreached(why) => Some(unreached(&why)),
            Standing::Open(hello) | Standing::Managed(hello) => hello
                .get_str("setName")
                .ok()
                .map(|_| Self::describe(hello.get_str("primary").unwrap_or(NONE))),
        })
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let hello = match self.connection.settled(context)? {
            Standing::Managed(hello) => hello,
            standing => return Err(missing(&self.what(), &standing)),
        };
        if hello.get_bool("isWritablePrimary").unwrap_or(false) {
            let command = doc! { "replSetStepDown": AWAY, "secondaryCatchUpPeriodSecs": CATCH_UP };
            let call = Call::new("admin", command).deadline(PATIENCE);
            match self.connection.tell(context, &call) {
                // 189: it is no primary any more, because the one with the higher priority was faster.
                Ok(_) | Err(Refusal::Lost(_)) => {}
                Err(refusal) if refusal.is(189) => {}
                Err(refusal) => return Err(refusal.during(self.what())),
            }
        }
        self.wait(context)
    }
}
