//! The agent under a name that stays, for units that outlive the agent's own path.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Context, Manage};
use crate::agent::system::{Entry, Fault};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// A link to the agent that manages the host now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Program {
    /// Where, absolute.
    pub path: PathBuf,
}

/// What the kernel says of the agent that runs.
const OWN: &str = "/proc/self/exe";

/// The attribute of a link that points there.
const CURRENT: &str = "the agent of this run";

impl Program {
    fn target(path: &Path, context: &Context<'_>) -> Result<Option<Entry>, Fault> {
        let found = context.system.metadata(path);
        let found =
            found.map_err(|error| Fault::new(format!("cannot read {}", path.display()), error))?;
        Ok(found.map(|found| found.entry))
    }

    fn own(context: &Context<'_>) -> Result<PathBuf, Fault> {
        match Self::target(Path::new(OWN), context)? {
            Some(Entry::Symlink(path)) => Ok(path),
            _ => Err(Fault::new(
                format!("cannot read {OWN}"),
                "the agent does not know its own path",
            )
            .hint("is /proc mounted on the host?")),
        }
    }
}

impl Manage for Program {
    fn id(&self) -> Id {
        Id::new(Kind::Program, self.path.to_string_lossy())
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        Some(Attributes::new().text("runs", CURRENT))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let runs = match Self::target(&self.path, context)? {
            None => return Ok(None),
            Some(Entry::Symlink(path)) if path == Self::own(context)? => CURRENT.to_owned(),
            Some(Entry::Symlink(path)) => path.to_string_lossy().into_owned(),
            Some(_) => "not a symbolic link".to_owned(),
        };
        Ok(Some(Attributes::new().text("runs", runs)))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let place = self.path.display();
        let what = format!("cannot change the link {place}");
        if !matches!(
            Self::target(&self.path, context)?,
            None | Some(Entry::Symlink(_))
        ) {
            return Err(
                Fault::new(what, "something that is not a link has this name")
                    .hint(format!("look at it and move it away: `ls -ld {place}`")),
            );
        }
        let own = Self::own(context)?;
        if let Some(folder) = self.path.parent() {
            let made = context.system.make_directory(folder);
            made.map_err(|error| Fault::new(&what, error))?;
        }
        let linked = context.system.symlink(&self.path, &own);
        linked.map_err(|error| Fault::new(what, error))
    }
}
