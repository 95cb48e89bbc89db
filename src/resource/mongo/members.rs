//! The members of a replica set over several hosts, changed from the primary's host.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};

use super::Connection;
use super::member::{Member, describe, documents, failover};
use super::reconfiguration::{Step, next, whole_of};
use super::standing::{Standing, missing, unreached};
use crate::agent::system::Fault;
use crate::agent::system::database::{Call, Refusal};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::resource::{Context, Manage};
use crate::secrets::FingerprintKey;

/// The server's codes for a set that is still busy with the configuration before, or with an election
/// (`ConfigurationInProgress`, `CurrentConfigNotCommittedYet`, `PrimarySteppedDown`).
const BUSY: [i32; 3] = [109, 308, 189];

/// How long a busy set is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who belongs to a replica set, with which votes and priorities.
///
/// It is made from the host of the first member, which must be the primary, after the other hosts were made: each
/// configuration changes one member, new ones join without a vote and get it when they have the data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetMembers {
    /// How the member on this host is reached.
    pub connection: Connection,
    /// The set's name.
    pub name: String,
    /// All members; the first is the one on this host, and the primary.
    pub members: Vec<Member>,
    /// Makes the configuration at once and without a majority, so that this host becomes the primary of what is left.
    /// Writes that it has not copied are lost: only `geodeploy db promote` asks for it, by the member's name.
    #[serde(default)]
    pub force: bool,
}

impl SetMembers {
    fn what(&self) -> String {
        format!("cannot change the members of the replica set {}", self.name)
    }

    pub(super) fn own(&self) -> &str {
        self.members.first().map_or("", |member| &*member.host)
    }

    fn describe(&self, name: &str, members: &[Member]) -> Attributes {
        describe(name, members).text("automatic failover", failover(members))
    }

    /// The found configuration, with what no configuration says: who does not serve, and which host is the primary.
    fn found(&self, hello: &Document, context: &Context<'_>) -> Result<Attributes, Fault> {
        let configuration = self.connection.set_configuration(context)?;
        let name = configuration.get_str("_id").unwrap_or_default();
        let members: Vec<Member> = documents(&configuration).iter().map(Member::read).collect();
        let attributes = self.describe(name, &members);
        let same = Some(&attributes) == self.desired(context.key).as_ref();
        let primary = hello.get_str("primary").unwrap_or_default();
        if same
            && (primary == self.own() || members.iter().filter(|m| m.priority > 0.0).count() > 1)
        {
            // A promotion by force is for members that do not serve.
            return match self.force {
                true => Ok(attributes),
                false => self.unfinished(attributes, &members, context),
            };
        }
        if primary == self.own() {
            return Ok(attributes);
        }
        let attributes = attributes.text("primary", elsewhere(primary));
        match self.force {
            true => Ok(attributes.text("may be lost", self.may_be_lost(context)?)),
            false => Ok(attributes),
        }
    }

    /// Members that are as they should be and do not serve.
    fn unfinished(
        &self,
        attributes: Attributes,
        members: &[Member],
        context: &Context<'_>,
    ) -> Result<Attributes, Fault> {
        let seen = self.connection.members_seen(context)?;
        let absent = |member: &&Member| {
            !seen
                .iter()
                .any(|seen| seen.host == member.host && seen.serves)
        };
        let absent: Vec<String> = members
            .iter()
            .filter(absent)
            .map(|member| member.host.clone())
            .collect();
        Ok(match absent.is_empty() {
            true => attributes,
            false => attributes.list("not serving", absent),
        })
    }

    fn may_be_lost(&self, context: &Context<'_>) -> Result<String, Fault> {
        let seen = self.connection.members_seen(context)?;
        let own = seen.iter().find(|seen| seen.host == self.own());
        let last = own
            .and_then(|seen| seen.last_write)
            .and_then(|date| date.try_to_rfc3339_string().ok());
        Ok(format!(
            "every write after {}, the last one that was copied here",
            last.as_deref().unwrap_or("an unknown time")
        ))
    }

    fn force(&self, context: &Context<'_>) -> Result<(), Fault> {
        let configuration = whole_of(&self.connection.set_configuration(context)?, &self.members);
        let command = doc! { "replSetReconfig": configuration, "force": true };
        match self.connection.tell(context, &Call::new("admin", command)) {
            // The look that follows says whether it was carried out.
            Ok(_) | Err(Refusal::Lost(_)) => {}
            Err(refusal) => return Err(refusal.during(self.what())),
        }
        self.connection.wait_until_writable(context)
    }

    /// One configuration after the other, each from what the set says then.
    fn reconfigure(&self, context: &Context<'_>) -> Result<(), Fault> {
        let mut pending: Vec<Fault> = Vec::new();
        let mut waiting: Vec<String> = Vec::new();
        let mut copied: Vec<String> = Vec::new();
        loop {
            let configuration = self.connection.set_configuration(context)?;
            let Some((step, after)) = next(&configuration, &self.members, &waiting) else {
                break;
            };
            let ready = match &step {
                Step::Add(host) => self.reachable(context, host),
                Step::Raise(host) if !copied.contains(host) => self
                    .copied(context, host)
                    .map(|()| copied.push(host.clone())),
                Step::Raise(_) | Step::Adjust(_) | Step::Remove(_) => Ok(()),
            };
            match ready {
                Ok(()) => {
                    (context.progress)(&step.told());
                    self.send(context, &step, after)?;
                    self.check_joined(context, &step)?;
                }
                Err(fault) if fault.pending => {
                    waiting.push(step.host().to_owned());
                    pending.push(fault);
                }
                Err(fault) => return Err(fault),
            }
        }
        let others = self.members.iter().map(|member| &member.host);
        for host in others.filter(|host| !waiting.contains(host) && !copied.contains(host)) {
            pending.extend(self.copied(context, host).err());
        }
        pending.into_iter().next().map_or(Ok(()), Err)
    }

    pub(super) fn send(
        &self,
        context: &Context<'_>,
        step: &Step,
        after: Document,
    ) -> Result<(), Fault> {
        let call =
            Call::new("admin", doc! { "replSetReconfig": after }).deadline(Duration::from_secs(60));
        let pause = Duration::from_millis(500);
        let mut waited = Duration::ZERO;
        loop {
            match self.connection.tell(context, &call) {
                // After a lost answer the configuration is read again before anything else is sent.
                Ok(_) | Err(Refusal::Lost(_)) => return Ok(()),
                Err(Refusal::Command { code, .. }) if BUSY.contains(&code) && waited < PATIENCE => {
                    context.system.sleep(pause);
                    waited += pause;
                }
                Err(refusal) => {
                    return Err(refusal.during(self.what()).hint(format!(
                        "{} was refused by the set; a member with data of another set is never taken over: \
                         look at its mongod.log and its dbPath",
                        step.told()
                    )));
                }
            }
        }
    }

    /// A configuration is changed on the primary, and the primary is moved by `geodeploy db promote` alone.
    fn refuse_elsewhere(&self, hello: &Document) -> Result<(), Fault> {
        let primary = hello.get_str("primary").unwrap_or_default();
        if primary.is_empty() || primary == self.own() {
            return Ok(());
        }
        Err(Fault::new(
            self.what(),
            format!(
                "the primary is {primary}, not {}, which the inventory names first",
                self.own()
            ),
        )
        .hint(
            "where it was promoted, write its region as `region` below [database] and the old one into `members`; \
             to move it back: `geodeploy db promote REGION`",
        ))
    }

    fn refuse_foreign(&self, context: &Context<'_>) -> Result<(), Fault> {
        let configuration = self.connection.set_configuration(context)?;
        let name = configuration.get_str("_id").unwrap_or_default();
        let members = documents(&configuration);
        let hosts: Vec<String> = members.iter().map(|m| Member::read(m).host).collect();
        if name == self.name && hosts.iter().any(|host| host == self.own()) {
            return Ok(());
        }
        Err(Fault::new(
            self.what(),
            format!("the host has the set {name} of {}", hosts.join(", ")),
        )
        .hint("data of another set is never taken over"))
    }
}

fn elsewhere(primary: &str) -> String {
    match primary {
        "" => "none: no writes are taken".to_owned(),
        primary => format!(
            "{primary}; what this host took alone before is rolled back when it follows (dbPath/rollback keeps it)"
        ),
    }
}

impl Manage for SetMembers {
    fn id(&self) -> Id {
        Id::new(Kind::SetMembers, &self.name)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        Some(self.describe(&self.name, &self.members))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        match self.connection.standing(context)? {
            Standing::Absent | Standing::Open(_) => Ok(None),
            Standing::Unreached(why) => Ok(Some(unreached(&why))),
            Standing::Managed(hello) if hello.get_str("setName").is_err() => Ok(None),
            Standing::Managed(hello) => self.found(&hello, context).map(Some),
        }
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let hello = match self.connection.settled(context)? {
            Standing::Managed(hello) if hello.get_str("setName").is_ok() => hello,
            Standing::Managed(_) => {
                return Err(Fault::new(self.what(), "the host is in no set")
                    .hint("the set must come before its members"));
            }
            standing => return Err(missing(&self.what(), &standing)),
        };
        self.refuse_foreign(context)?;
        if self.force {
            return self.force(context);
        }
        self.refuse_elsewhere(&hello)?;
        self.connection.wait_until_writable(context)?;
        self.reconfigure(context)
    }
}
