//! What there was before a run wrote, so that it can be had again. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Found, Listing, Mark, Object, Reconciled, Wanted};
use crate::error::{Error, ErrorKind};
use crate::plan::{Attributes, Change, Id};

/// The version of the form that this program writes, and the only one that it reads.
const VERSION: u32 = 1;

/// An object as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The object.
    #[serde(flatten)]
    pub object: Object,
    /// Whether it was somebody else's, and became ours by the run.
    pub foreign: bool,
}

/// A zone's objects before a run: ours, and those that the run took over. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The version of this form.
    pub version: u32,
    /// The provider, as the inventory names it.
    pub provider: String,
    /// The zone.
    pub zone: String,
    /// The mark of the project.
    pub owner: String,
    /// When the run began to write.
    pub created: Timestamp,
    /// What there was.
    pub objects: Vec<Kept>,
    /// What the run was about to change.
    pub planned: Vec<Change>,
}

impl Snapshot {
    /// What there is, and what is about to be done.
    pub fn of<C>(
        provider: &str,
        wanted: &Wanted,
        created: Timestamp,
        listing: &Listing<C>,
        reconciled: &Reconciled,
    ) -> Self {
        let adopted = |found: &Found| reconciled.adopted.contains(&found.object.id);
        let kept = listing.objects.iter().filter_map(|found| match found.mark {
            Mark::Ours => Some((found, false)),
            Mark::Foreign if adopted(found) => Some((found, true)),
            Mark::Foreign | Mark::OtherProject(_) => None,
        });
        Self {
            version: VERSION,
            provider: provider.to_owned(),
            zone: wanted.zone.to_string(),
            owner: wanted.owner.clone(),
            created,
            objects: kept
                .map(|(found, foreign)| Kept {
                    object: found.object.clone(),
                    foreign,
                })
                .collect(),
            planned: reconciled.plan.changes.clone(),
        }
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never in practice: every part has a JSON form.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(self)
            .map(|text| text + "\n")
            .map_err(|source| {
                Error::new(ErrorKind::Failed, "cannot write the snapshot as JSON").source(&source)
            })
    }

    /// Reads a file's text; `name` is the file's name, for errors.
    ///
    /// # Errors
    /// When it is no snapshot, or one of another version.
    pub fn parse(text: &str, name: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let refuse = |source: serde_json::Error| {
            Error::new(
                ErrorKind::Input,
                format!("{name} is not a snapshot of a zone"),
            )
            .source(&source)
            .hint("`geodeploy dns status` lists the snapshots that there are")
        };
        let head: Head = serde_json::from_str(text).map_err(refuse)?;
        if head.version != VERSION {
            return Err(Error::new(
                ErrorKind::Input,
                format!(
                    "{name} is a snapshot of version {}, this program reads version {VERSION}",
                    head.version
                ),
            )
            .hint("take the program that wrote it"));
        }
        serde_json::from_str(text).map_err(refuse)
    }

    /// Nothing, or that it is of something else.
    ///
    /// # Errors
    /// Another provider, zone or project.
    pub fn check(&self, provider: &str, wanted: &Wanted, name: &str) -> Result<(), Error> {
        let is = (&*self.provider, &*self.zone, &*self.owner);
        let asked = (provider, wanted.zone.as_str(), &*wanted.owner);
        if is == asked {
            return Ok(());
        }
        let tell = |(provider, zone, owner)| format!("{zone} at {provider} for {owner}");
        Err(Error::new(
            ErrorKind::Input,
            format!(
                "{name} is of {}, the inventory has {}",
                tell(is),
                tell(asked)
            ),
        )
        .hint("name another snapshot, or the inventory that it belongs to with -i FILE"))
    }

    /// The objects, as what is wanted.
    pub fn wanted_objects(&self) -> Vec<Object> {
        let objects = self.objects.iter();
        objects.map(|kept| kept.object.clone()).collect()
    }

    /// Those that go back to whoever they belonged to.
    pub fn released(&self) -> Vec<Id> {
        let foreign = self.objects.iter().filter(|kept| kept.foreign);
        foreign.map(|kept| kept.object.id.clone()).collect()
    }

    /// Nothing, or what of what a way back would touch somebody else has changed since. To be asked of the newest snapshot.
    ///
    /// # Errors
    /// Stale, with the objects.
    pub fn unmoved<C>(&self, listing: &Listing<C>, back: &Reconciled) -> Result<(), Error> {
        let moved = self.moved(listing, back);
        if moved.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = moved.iter().map(ToString::to_string).collect();
        let what = format!(
            "{}: somebody else has changed {}",
            self.zone,
            names.join(", ")
        );
        Err(Error::new(ErrorKind::Stale, what)
            .cause(format!(
                "it is neither as the run of {} found it nor as that run left it; nothing was changed",
                self.created
            ))
            .hint("see what is there with `geodeploy dns status`"))
    }

    /// What is not as the run of this snapshot found or left it.
    fn moved<C>(&self, listing: &Listing<C>, back: &Reconciled) -> Vec<Id> {
        let changes = back.plan.changes.iter().map(|change| &change.id);
        let conflicts = back.conflicts.iter().map(|conflict| &conflict.id);
        let state = |id: &Id| {
            let mut objects = listing.objects.iter();
            let found = objects.find(|found| found.object.id == *id);
            found.map(|found| &found.object.attributes)
        };
        let moved = changes.filter(|id| !self.left(id).contains(&state(id)));
        moved.chain(conflicts).cloned().collect()
    }

    /// The states in which the run may have left an object; one that was killed may not have come to it.
    fn left(&self, id: &Id) -> Vec<Option<&Attributes>> {
        if let Some(change) = self.planned.iter().find(|change| change.id == *id) {
            return vec![change.before.as_ref(), change.after.as_ref()];
        }
        let mut kept = self.objects.iter();
        let kept = kept.find(|kept| kept.object.id == *id);
        vec![kept.map(|kept| &kept.object.attributes)]
    }
}

#[cfg(test)]
mod tests;
