//! What the running server was started with.

use std::collections::BTreeMap;

use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use super::Connection;
use super::restart::restart;
use super::standing::{Standing, copies, missing, unreached};
use crate::agent::system::Fault;
use crate::plan::{Attributes, Change, Id, Kind};
use crate::resource::{Context, Manage};
use crate::secrets::FingerprintKey;

/// The running server: its configuration, which may be older than its file, and its version.
///
/// It comes after the first user, because nobody else is told the configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mongod {
    /// How it is reached.
    pub connection: Connection,
    /// Settings by their dotted names in the configuration file, as text: `net.tls.mode` is `requireTLS`,
    /// a list is joined by commas, `unset` is one that must not be there. Others must not be there either.
    pub settings: BTreeMap<String, String>,
    /// The version that must run, `8.0.21`; `None` is any.
    pub version: Option<String>,
}

/// `1.0` and `1` are the same setting.
fn spelled(text: &str) -> String {
    text.parse::<f64>()
        .map_or_else(|_| text.to_owned(), |number| number.to_string())
}

fn shown(value: &Bson) -> String {
    match value {
        Bson::String(text) => spelled(text),
        Bson::Array(entries) => entries.iter().map(shown).collect::<Vec<_>>().join(","),
        Bson::Int32(number) => number.to_string(),
        Bson::Int64(number) => number.to_string(),
        Bson::Double(number) => number.to_string(),
        other => other.to_string(),
    }
}

/// The value of a dotted name; a name of `setParameter` has dots of its own where the server has them.
fn setting(parsed: &Document, name: &str) -> String {
    let mut at = parsed;
    let mut rest = name;
    loop {
        if let Some(value) = at.get(rest) {
            return shown(value);
        }
        let Some((head, tail)) = rest.split_once('.') else {
            return "unset".to_owned();
        };
        let Ok(inner) = at.get_document(head) else {
            return "unset".to_owned();
        };
        (at, rest) = (inner, tail);
    }
}

/// What the server was told on its command line and in its environment, not in its file.
const OF_THE_UNIT: [&str; 2] = ["config", "processManagement.fork"];

/// All settings by their dotted names.
fn leaves(settings: &Document, above: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (key, value) in settings {
        let name = format!("{above}{key}");
        match value {
            Bson::Document(inner) => found.extend(leaves(inner, &format!("{name}."))),
            value => found.push((name, shown(value))),
        }
    }
    found
}

impl Mongod {
    fn describe(&self, version: &str, value: impl Fn(&str, &str) -> String) -> Attributes {
        let settings = self.settings.iter();
        let attributes = settings.fold(Attributes::new(), |attributes, (name, wanted)| {
            attributes.text(name, value(name, wanted))
        });
        match self.version {
            Some(_) => attributes.text("version", version),
            None => attributes,
        }
    }

    fn copies(&self, context: &Context<'_>) -> bool {
        let hello = self.connection.ask_as_nobody(context, doc! { "hello": 1 });
        hello.is_ok_and(|hello| copies(&hello))
    }

    fn ask(&self, context: &Context<'_>, command: Document) -> Result<Document, Fault> {
        let answer = self.connection.ask(context, "admin", command);
        answer.map_err(|refusal| refusal.during("cannot read the database's running configuration"))
    }
}

impl Manage for Mongod {
    fn id(&self) -> Id {
        Id::new(Kind::Mongod, format!("127.0.0.1:{}", self.connection.port))
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        let version = self.version.as_deref().unwrap_or_default();
        Some(self.describe(version, |_, wanted| spelled(wanted)))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        match self.connection.standing(context)? {
            Standing::Absent | Standing::Open(_) => return Ok(None),
            Standing::Unreached(why) => return Ok(Some(unreached(&why))),
            Standing::Managed(_) => {}
        }
        let options = self.ask(context, doc! { "getCmdLineOpts": 1 })?;
        let build = self.ask(context, doc! { "buildInfo": 1 })?;
        let parsed = options.get_document("parsed").cloned().unwrap_or_default();
        let version = build.get_str("version").unwrap_or_default();
        let described = self.describe(version, |name, _| setting(&parsed, name));
        let others = leaves(&parsed, "").into_iter().filter(|(name, _)| {
            !self.settings.contains_key(name) && !OF_THE_UNIT.contains(&name.as_str())
        });
        Ok(Some(others.fold(described, |attributes, (name, value)| {
            attributes.text(&name, value)
        })))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        match self.connection.settled(context)? {
            standing @ (Standing::Absent | Standing::Open(_)) => {
                return Err(missing("cannot look at the running database", &standing));
            }
            // A member that is restarted begins to copy from the start.
            Standing::Unreached(why) if self.copies(context) => {
                let what = "the running database cannot be compared yet";
                return Err(Fault::pending(what, why)
                    .hint("it goes on by itself: run the same command again later"));
            }
            // A restart lets it run with what is on disk.
            Standing::Unreached(_) | Standing::Managed(_) => {}
        }
        if self.inspect(context)? == self.desired(context.key) {
            return Ok(());
        }
        let log = self.settings.get("systemLog.path").map(String::as_str);
        restart(&self.connection, log, context)
    }
}
