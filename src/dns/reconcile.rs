//! From what is wanted and what there is to a plan. Pure.

use serde::Serialize;

use super::{Found, Listing, Mark, Object};
use crate::error::{Error, ErrorKind};
use crate::plan::{Attributes, Change, Id, Kind, Plan, Value};

/// What the operator agrees to by name, beside what a plan shows. A name is an object's own, `us.yourapp.com A`, or a DNS
/// name alone, for all its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// Foreign objects that become ours (`--adopt`).
    pub adopt: Vec<String>,
    /// Objects of ours that go (`--delete`).
    pub delete: Vec<String>,
    /// Answers other than the inventory asks for, where the provider can no better (`--accept-degraded`).
    pub degraded: bool,
}

/// What there is to be, in one provider's objects.
#[derive(Clone, Copy, Debug)]
pub struct Goal<'a> {
    /// The objects, in the order in which they are shown.
    pub objects: &'a [Object],
    /// Those of them that are to belong to somebody else again.
    pub released: &'a [Id],
}

/// An object that stands in the way and is not ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Which object.
    pub id: Id,
    /// What it is.
    pub attributes: Attributes,
    /// The provider's own id for it.
    pub handle: String,
    /// Whose it is.
    pub mark: Mark,
}

impl Conflict {
    /// What it is, with the provider's id: `record us.yourapp.com A is not ours (id 372e67954025): values 192.0.2.1`.
    pub fn what(&self) -> String {
        let whose = match &self.mark {
            Mark::OtherProject(owner) => format!("belongs to {owner}"),
            Mark::Foreign | Mark::Ours => "is not ours".to_owned(),
        };
        let attributes = self.attributes.iter().map(|(name, value)| match value {
            Value::Text(text) | Value::Lines(text) => format!("{name} {text}"),
            Value::List(entries) => format!("{name} {}", entries.join(", ")),
            Value::Sealed(fingerprint) => format!("{name} {fingerprint}"),
        });
        let attributes: Vec<String> = attributes.collect();
        format!(
            "{} {whose} (id {}): {}",
            self.id,
            self.handle,
            attributes.join("; ")
        )
    }

    /// What to type or change.
    pub fn remedy(&self) -> String {
        match &self.mark {
            Mark::OtherProject(owner) => format!(
                "choose another name in the inventory, or have {owner} give it up: it cannot be adopted"
            ),
            Mark::Foreign | Mark::Ours => format!(
                "to take it over: --adopt {}, which --yes does not stand for",
                consent_name(&self.id)
            ),
        }
    }
}

/// The difference between what is wanted and what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// What there is to do. What a conflict is about is left out of it.
    pub plan: Plan,
    /// What stands in the way, and is neither ours nor adopted.
    pub conflicts: Vec<Conflict>,
    /// The objects of ours that the plan deletes without consent.
    pub unconsented: Vec<Id>,
    /// The foreign objects that the plan takes over, by consent.
    pub adopted: Vec<Id>,
}

impl Reconciled {
    /// Whether everything is as wanted.
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty() && self.conflicts.is_empty()
    }

    /// Nothing, or why it is not carried out.
    ///
    /// # Errors
    /// Objects in the way, or deletions, each with the flag that names it.
    pub fn refuse(&self) -> Result<(), Error> {
        if self.conflicts.is_empty() {
            return self.deletions();
        }
        let count = crate::text::count(self.conflicts.len(), "object");
        let what = format!(
            "{}: {count} in the way; nothing was changed",
            self.plan.target
        );
        let mut refused = Error::new(ErrorKind::Failed, what);
        for conflict in &self.conflicts {
            refused = refused.cause(conflict.what()).hint(conflict.remedy());
        }
        refused.hints.dedup();
        Err(refused)
    }

    /// Nothing, or which deletions lack consent.
    ///
    /// # Errors
    /// They, with the flags that agree to them.
    pub fn deletions(&self) -> Result<(), Error> {
        if self.unconsented.is_empty() {
            return Ok(());
        }
        let listed = |text: fn(&Id) -> String| {
            let mut texts: Vec<String> = self.unconsented.iter().map(text).collect();
            texts.dedup();
            texts
        };
        let ids = listed(ToString::to_string).join(", ");
        let flags = listed(|id| format!("--delete {}", consent_name(id))).join(" ");
        Err(Error::new(
            ErrorKind::Failed,
            format!(
                "{}: the plan deletes {ids}; nothing was changed",
                self.plan.target
            ),
        )
        .hint(format!(
            "if they are to go: {flags}, which --yes does not stand for"
        )))
    }
}

/// The way from what there is to the goal: the goal's objects in their order, then what goes.
pub fn reconcile<C>(
    zone: &str,
    goal: Goal<'_>,
    listing: &Listing<C>,
    consent: &Consent,
) -> Reconciled {
    let desired = goal.objects;
    let mut done = Reconciled {
        plan: Plan {
            target: zone.to_owned(),
            resources: 0,
            changes: Vec::new(),
        },
        conflicts: Vec::new(),
        unconsented: Vec::new(),
        adopted: Vec::new(),
    };
    let mut going = Vec::new();
    let mut blocked: Vec<&Id> = Vec::new();
    for found in &listing.objects {
        let id = &found.object.id;
        let same = desired.iter().any(|object| object.id == *id);
        let in_the_way = || desired.iter().filter(|object| collide(id, &object.id));
        match &found.mark {
            Mark::Ours if same => {}
            Mark::Ours => {
                going.push(found);
                if !named(&consent.delete, id) {
                    done.unconsented.push(id.clone());
                }
            }
            Mark::Foreign if in_the_way().next().is_none() || given_back(goal, found) => {}
            Mark::Foreign if named(&consent.adopt, id) => {
                done.adopted.push(id.clone());
                if !same {
                    going.push(found);
                }
            }
            Mark::OtherProject(_) if in_the_way().next().is_none() => {}
            Mark::Foreign | Mark::OtherProject(_) => {
                blocked.extend(in_the_way().map(|object| &object.id));
                done.conflicts.push(conflict(found));
            }
        }
    }
    let after = desired
        .iter()
        .filter(|object| !blocked.contains(&&object.id));
    let coming = after.filter_map(|object| {
        let before = listing
            .objects
            .iter()
            .find(|found| found.object.id == object.id);
        let before = before.map(|found| found.object.attributes.clone());
        Change::between(object.id.clone(), before, Some(object.attributes.clone()))
    });
    done.plan.changes.extend(coming);
    let gone = going.iter().map(|found| Change {
        id: found.object.id.clone(),
        before: Some(found.object.attributes.clone()),
        after: None,
        consequences: Vec::new(),
    });
    done.plan.changes.extend(gone);
    done.plan.resources = desired.len() + going.len();
    done
}

/// Whether it is somebody else's again, and as it was.
fn given_back(goal: Goal<'_>, found: &Found) -> bool {
    goal.released.contains(&found.object.id) && goal.objects.contains(&found.object)
}

fn conflict(found: &Found) -> Conflict {
    Conflict {
        id: found.object.id.clone(),
        attributes: found.object.attributes.clone(),
        handle: found.handle.clone(),
        mark: found.mark.clone(),
    }
}

/// Whether two objects cannot both be there: the same one; two record sets of one name and type, of which one would answer
/// in the other's place; or anything beside an alias (RFC 1034 section 3.6.2).
fn collide(found: &Id, wanted: &Id) -> bool {
    if found == wanted {
        return true;
    }
    if found.kind != Kind::Record || wanted.kind != Kind::Record {
        return false;
    }
    let ((name, kind), (other, wanted)) = (name_and_type(found), name_and_type(wanted));
    name == other && (kind == wanted || kind == "CNAME" || wanted == "CNAME")
}

/// The first two words of a record's id: `us.yourapp.com` and `A`.
fn name_and_type(id: &Id) -> (&str, &str) {
    let mut words = id.name.split(' ');
    (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    )
}

/// The name by which an operator agrees to something about an object: a record's DNS name, another object's own.
fn consent_name(id: &Id) -> &str {
    match id.kind {
        Kind::Record => name_and_type(id).0,
        _ => &id.name,
    }
}

fn named(names: &[String], id: &Id) -> bool {
    names
        .iter()
        .any(|name| name == &id.name || name == consent_name(id))
}

#[cfg(test)]
mod tests;
