//! A replica set, initiated with the member on this host.

use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use super::standing::{Standing, missing, unreached};
use super::{Connection, number};
use crate::agent::system::Fault;
use crate::agent::system::database::{Call, Refusal};
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
}

/// A member of a replica set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Name and port that every other member and every client reaches it by: `cn.db.example.com:27017`.
    pub host: String,
    /// The higher, the rather it becomes primary; 0 never.
    pub priority: f64,
    /// 1 or 0.
    pub votes: u8,
    /// Whether clients do not see it.
    pub hidden: bool,
}

impl Member {
    fn line(&self) -> String {
        let hidden = if self.hidden { ", hidden" } else { "" };
        format!(
            "{}: priority {}, votes {}{hidden}",
            self.host, self.priority, self.votes
        )
    }

    /// A member out of the server's configuration, its defaults filled in.
    fn read(document: &Document) -> Self {
        Self {
            host: document.get_str("host").unwrap_or_default().to_owned(),
            priority: number(document.get("priority")).unwrap_or(1.0),
            votes: u8::from(number(document.get("votes")).unwrap_or(1.0) > 0.0),
            hidden: document.get_bool("hidden").unwrap_or(false),
        }
    }

    fn document(&self, id: i32) -> Document {
        doc! {
            "_id": id,
            "host": &self.host,
            "priority": self.priority,
            "votes": i32::from(self.votes),
            "hidden": self.hidden,
        }
    }
}

fn describe(name: &str, members: &[Member]) -> Attributes {
    let mut lines: Vec<String> = members.iter().map(Member::line).collect();
    lines.sort();
    Attributes::new().text("name", name).list("members", lines)
}

fn members(configuration: &Document) -> Vec<Document> {
    let members = configuration.get_array("members");
    members
        .into_iter()
        .flatten()
        .filter_map(Bson::as_document)
        .cloned()
        .collect()
}

impl ReplicaSet {
    fn what(&self) -> String {
        format!("cannot set up the replica set {}", self.name)
    }

    fn configuration(&self, context: &Context<'_>) -> Result<Document, Fault> {
        let answer = self
            .connection
            .ask(context, "admin", doc! { "replSetGetConfig": 1 })
            .map_err(|refusal| refusal.during("cannot read the replica set's configuration"))?;
        Ok(answer.get_document("config").cloned().unwrap_or_default())
    }

    /// Before the first user only `hello` answers: names and hosts, no priorities.
    fn announced(&self, hello: &Document) -> Option<Attributes> {
        let name = hello.get_str("setName").ok()?;
        let own = hello.get_str("me").unwrap_or_default();
        let alone = matches!(self.members.as_slice(), [member] if member.host == own);
        Some(if alone {
            describe(name, &self.members)
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

    /// Changes priority, votes and visibility of members that are there, one member a configuration.
    fn reconfigure(&self, context: &Context<'_>) -> Result<(), Fault> {
        let mut configuration = self.configuration(context)?;
        let name = configuration.get_str("_id").unwrap_or_default();
        let mut found = members(&configuration);
        let mut hosts: Vec<String> = found.iter().map(|m| Member::read(m).host).collect();
        let mut wanted: Vec<String> = self.members.iter().map(|m| m.host.clone()).collect();
        hosts.sort();
        wanted.sort();
        if name != self.name || hosts != wanted {
            return Err(Fault::new(
                self.what(),
                format!("the host has the set {name} of {}", hosts.join(", ")),
            )
            .hint("data of another set is never taken over, and members are not added or removed by provision"));
        }
        for at in 0..found.len() {
            let before = Member::read(&found[at]);
            let after = self
                .members
                .iter()
                .find(|member| member.host == before.host);
            let Some(after) = after.filter(|after| **after != before) else {
                continue;
            };
            let id = found[at].get_i32("_id").unwrap_or_default();
            found[at].extend(after.document(id));
            let version = number(configuration.get("version")).unwrap_or(1.0);
            #[expect(clippy::cast_possible_truncation, reason = "a small whole number")]
            let version = version as i32 + 1;
            configuration.insert("version", version);
            configuration.insert("members", found.clone());
            let call = Call::new("admin", doc! { "replSetReconfig": configuration.clone() });
            self.connection
                .tell(context, &call)
                .map_err(|refusal| refusal.during(self.what()))?;
        }
        Ok(())
    }
}

impl Manage for ReplicaSet {
    fn id(&self) -> Id {
        Id::new(Kind::ReplicaSet, &self.name)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        Some(describe(&self.name, &self.members))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        Ok(match self.connection.standing(context)? {
            Standing::Absent => None,
            Standing::Unreached(why) => Some(unreached(&why)),
            Standing::Open(hello) => self.announced(&hello),
            Standing::Managed(hello) if hello.get_str("setName").is_err() => None,
            Standing::Managed(_) => {
                let configuration = self.configuration(context)?;
                let name = configuration.get_str("_id").unwrap_or_default();
                let found: Vec<Member> = members(&configuration).iter().map(Member::read).collect();
                Some(describe(name, &found))
            }
        })
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        match self.connection.settled(context)? {
            Standing::Open(hello) if hello.get_str("setName").is_err() => self.initiate(context),
            Standing::Managed(hello) if hello.get_str("setName").is_ok() => {
                self.reconfigure(context)
            }
            Standing::Open(hello) => Err(Fault::new(
                self.what(),
                format!(
                    "the host is a member of the set {} already, as {}",
                    hello.get_str("setName").unwrap_or_default(),
                    hello.get_str("me").unwrap_or_default()
                ),
            )
            .hint("data of another set is never taken over: look at its dbPath and move it away")),
            Standing::Managed(_) => Err(Fault::new(
                self.what(),
                "the host has a database with users that is in no set",
            )
            .hint("data of another database is never taken over: back it up and move it away")),
            standing => Err(missing(&self.what(), &standing)),
        }
    }
}
