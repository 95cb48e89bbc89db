//! A replica set, initiated with the member on this host.

use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};

use super::member::{Member, describe, documents};
use super::standing::{Standing, missing, unreached};
use super::{Connection, SetMembers};
use crate::agent::system::Fault;
use crate::agent::system::database::Refusal;
use crate::plan::{Attributes, Change, Id, Kind};
use crate::resource::{Context, Manage};
use crate::secrets::FingerprintKey;

/// A replica set's configuration. One member is a set too: it has an oplog, and grows by adding members.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplicaSet {
    /// How its member on this host is reached.
    pub connection: Connection,
    /// Its name: `rs0`, as in the server's configuration.
    pub name: String,
    /// Its members; the first is the one on this host.
    pub members: Vec<Member>,
    /// Others join it later: what is in place is compared by name and by the member on this host alone.
    #[serde(default)]
    pub begins: bool,
}

impl ReplicaSet {
    fn what(&self) -> String {
        format!("cannot set up the replica set {}", self.name)
    }

    /// Before the first user only `hello` answers: names and hosts, no priorities.
    fn announced(&self, hello: &Document) -> Option<Attributes> {
        let name = hello.get_str("setName").ok()?;
        let own = hello.get_str("me").unwrap_or_default();
        let alone = matches!(self.members.as_slice(), [member] if member.host == own);
        Some(if alone {
            self.describe(name, &self.members)
        } else {
            Attributes::new()
                .text("name", name)
                .list("members", vec![own.to_owned()])
        })
    }

    fn initiate(&self, context: &Context<'_>) -> Result<(), Fault> {
        let [member] = self.members.as_slice() else {
            return Err(Fault::new(
                self.what(),
                format!("a set begins with one member, not {}", self.members.len()),
            )
            .hint("initiate it with the member on this host, then add the others"));
        };
        let configuration = doc! { "_id": &self.name, "members": [member.document(0)] };
        let told = self
            .connection
            .tell_as_nobody(context, doc! { "replSetInitiate": configuration });
        match told {
            Ok(_) => {}
            // Another run, or this one before its connection was cut, was first; the look afterwards compares it.
            Err(refusal) if refusal.is(23) => {}
            Err(Refusal::Lost(_)) => {}
            Err(refusal) => {
                return Err(refusal.during(self.what()).hint(format!(
                    "the host must reach itself as {}: the name must resolve to an address that mongod binds",
                    member.host
                )));
            }
        }
        self.connection.wait_until_writable(context)
    }

    /// What the configuration of a set says of this host, where others may join it later.
    fn own(&self, name: &str, found: &[Member]) -> Attributes {
        let own = |member: &&Member| self.members.iter().any(|known| known.host == member.host);
        let own: Vec<String> = found
            .iter()
            .filter(own)
            .map(|member| member.host.clone())
            .collect();
        let hosts = || found.iter().map(|member| member.host.clone()).collect();
        let shown = if own.is_empty() { hosts() } else { own };
        Attributes::new().text("name", name).list("members", shown)
    }

    fn describe(&self, name: &str, found: &[Member]) -> Attributes {
        match self.begins {
            true => self.own(name, found),
            false => describe(name, found),
        }
    }
}

impl Manage for ReplicaSet {
    fn id(&self) -> Id {
        Id::new(Kind::ReplicaSet, &self.name)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        Some(self.describe(&self.name, &self.members))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        Ok(match self.connection.standing(context)? {
            Standing::Absent => None,
            Standing::Unreached(why) => Some(unreached(&why)),
            Standing::Open(hello) => self.announced(&hello),
            Standing::Managed(hello) if hello.get_str("setName").is_err() => None,
            Standing::Managed(_) => {
                let configuration = self.connection.set_configuration(context)?;
                let name = configuration.get_str("_id").unwrap_or_default();
                let found: Vec<Member> =
                    documents(&configuration).iter().map(Member::read).collect();
                Some(self.describe(name, &found))
            }
        })
    }

    fn apply(&self, change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        match self.connection.settled(context)? {
            Standing::Open(hello) if hello.get_str("setName").is_err() => self.initiate(context),
            Standing::Managed(hello) if hello.get_str("setName").is_ok() && !self.begins => {
                let members = SetMembers {
                    connection: self.connection.clone(),
                    name: self.name.clone(),
                    members: self.members.clone(),
                    force: false,
                };
                members.apply(change, context)
            }
            Standing::Open(hello) | Standing::Managed(hello)
                if hello.get_str("setName").is_ok() =>
            {
                Err(Fault::new(
                    self.what(),
                    format!(
                        "the host is a member of the set {} already, as {}",
                        hello.get_str("setName").unwrap_or_default(),
                        hello.get_str("me").unwrap_or_default()
                    ),
                )
                .hint(
                    "data of another set is never taken over: look at its dbPath and move it away",
                ))
            }
            Standing::Managed(_) | Standing::Open(_) => Err(Fault::new(
                self.what(),
                "the host has a database with users that is in no set",
            )
            .hint("data of another database is never taken over: back it up and move it away")),
            standing => Err(missing(&self.what(), &standing)),
        }
    }
}
