//! A folder.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Context, Manage, Ownership};
use crate::agent::system::{Entry, Fault};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// A folder with its owner and mode; what is in it is not looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Directory {
    /// Where, absolute.
    pub path: PathBuf,
    /// Whose it is.
    pub ownership: Ownership,
}

impl Manage for Directory {
    fn id(&self) -> Id {
        Id::new(Kind::Directory, self.path.to_string_lossy())
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        Some(self.ownership.describe(Attributes::new()))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let found = context
            .system
            .metadata(&self.path)
            .map_err(|error| Fault::new(format!("cannot read {}", self.path.display()), error))?;
        Ok(found.map(|found| {
            let attributes = match found.entry {
                Entry::Directory => Attributes::new(),
                Entry::File(_) | Entry::Symlink(_) | Entry::Other => {
                    Attributes::new().text("type", "not a folder")
                }
            };
            found.ownership.describe(attributes)
        }))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let place = self.path.display();
        let what = format!("cannot make the folder {place}");
        let found = context
            .system
            .metadata(&self.path)
            .map_err(|error| Fault::new(&what, error))?;
        if found.is_some_and(|found| found.entry != Entry::Directory) {
            return Err(
                Fault::new(what, "something that is not a folder has this name")
                    .hint(format!("look at it and move it away: `ls -ld {place}`")),
            );
        }
        context
            .system
            .make_directory(&self.path)
            .and_then(|()| context.system.set_ownership(&self.path, &self.ownership))
            .map_err(|error| Fault::new(what, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixture::{Bench, Fixture};

    #[test]
    fn a_file_in_the_folders_place_is_not_touched() {
        let bench = Bench::new(Fixture::new());
        bench.system.put("/srv/data", "somebody's");
        let directory = Directory {
            path: "/srv/data".into(),
            ownership: Ownership::root(0o755),
        };
        let change = Change::between(directory.id(), None, Some(Attributes::new())).unwrap();
        let fault = directory.apply(&change, &bench.context()).unwrap_err();
        assert!(fault.why.contains("not a folder"), "{fault}");
        assert_eq!(bench.system.text("/srv/data").unwrap(), "somebody's");
    }
}
