//! A symbolic link.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Context, Manage, Notify};
use crate::agent::system::{Entry, Fault};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// A symbolic link; `target: None` means that it must not be there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Symlink {
    /// Where, absolute.
    pub path: PathBuf,
    /// Where it points.
    pub target: Option<PathBuf>,
    /// Services that must hear of a change.
    pub notifies: Vec<Notify>,
}

impl Manage for Symlink {
    fn id(&self) -> Id {
        Id::new(Kind::Symlink, self.path.to_string_lossy())
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        let target = self.target.as_ref()?;
        Some(Attributes::new().text("target", target.to_string_lossy()))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let found = context
            .system
            .metadata(&self.path)
            .map_err(|error| Fault::new(format!("cannot read {}", self.path.display()), error))?;
        Ok(found.map(|found| match found.entry {
            Entry::Symlink(target) => Attributes::new().text("target", target.to_string_lossy()),
            Entry::File(_) | Entry::Directory | Entry::Other => {
                Attributes::new().text("type", "not a symbolic link")
            }
        }))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let place = self.path.display();
        let what = format!("cannot change the link {place}");
        let fault = |error| Fault::new(&what, error);
        let found = context.system.metadata(&self.path).map_err(fault)?;
        if found.is_some_and(|found| !matches!(found.entry, Entry::Symlink(_))) {
            return Err(
                Fault::new(what, "something that is not a link has this name")
                    .hint(format!("look at it and move it away: `ls -ld {place}`")),
            );
        }
        let Some(target) = &self.target else {
            return context.system.remove(&self.path).map_err(fault);
        };
        if let Some(folder) = self.path.parent() {
            context.system.make_directory(folder).map_err(fault)?;
        }
        context.system.symlink(&self.path, target).map_err(fault)
    }

    fn notifies(&self) -> &[Notify] {
        &self.notifies
    }
}
