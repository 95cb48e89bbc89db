//! A file with its whole content.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Context, Manage, Notify, Ownership};
use crate::agent::system::{Entry, Fault};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::{FingerprintKey, Secret, wire};

/// What is in a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// Text that a plan shows as a diff.
    Plain(String),
    /// Text that a plan shows as a fingerprint.
    Secret(#[serde(with = "wire")] Secret),
}

/// A file, whole: nothing of what was in it before stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct File {
    /// Where, absolute.
    pub path: PathBuf,
    /// What is in it; `None` when the file must not be there.
    pub content: Option<Content>,
    /// Whose it is.
    pub ownership: Ownership,
    /// Services that must hear of a change.
    pub notifies: Vec<Notify>,
}

impl Content {
    fn describe(&self, key: &FingerprintKey, attributes: Attributes) -> Attributes {
        match self {
            Self::Plain(text) => attributes.lines("content", text),
            Self::Secret(secret) => {
                attributes.sealed("content", key.fingerprint(secret.expose().as_bytes()))
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(text) => text.as_bytes(),
            Self::Secret(secret) => secret.expose().as_bytes(),
        }
    }
}

impl Manage for File {
    fn id(&self) -> Id {
        Id::new(Kind::File, self.path.to_string_lossy())
    }

    fn desired(&self, key: &FingerprintKey) -> Option<Attributes> {
        let content = self.content.as_ref()?;
        Some(
            self.ownership
                .describe(content.describe(key, Attributes::new())),
        )
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let fault = |error| Fault::new(format!("cannot read {}", self.path.display()), error);
        let Some(found) = context.system.metadata(&self.path).map_err(fault)? else {
            return Ok(None);
        };
        if !matches!(found.entry, Entry::File(_)) {
            let attributes = Attributes::new().text("type", "not a regular file");
            return Ok(Some(found.ownership.describe(attributes)));
        }
        let bytes = context
            .system
            .read(&self.path)
            .map_err(fault)?
            .unwrap_or_default();
        let attributes = match self.content {
            Some(Content::Secret(_)) => {
                Attributes::new().sealed("content", context.key.fingerprint(&bytes))
            }
            Some(Content::Plain(_)) | None => {
                Attributes::new().lines("content", String::from_utf8_lossy(&bytes))
            }
        };
        Ok(Some(found.ownership.describe(attributes)))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let path = &self.path;
        let what = match self.content {
            Some(_) => format!("cannot write {}", path.display()),
            None => format!("cannot remove {}", path.display()),
        };
        let fault = |error| Fault::new(&what, error);
        let found = context.system.metadata(path).map_err(fault)?;
        if found.is_some_and(|found| matches!(found.entry, Entry::Directory | Entry::Other)) {
            return Err(
                Fault::new(what, "something that is not a file has this name").hint(format!(
                    "look at it and move it away: `ls -ld {}`",
                    path.display()
                )),
            );
        }
        let Some(content) = &self.content else {
            return context.system.remove(path).map_err(fault);
        };
        if let Some(folder) = path.parent() {
            context.system.make_directory(folder).map_err(fault)?;
        }
        context
            .system
            .write(path, content.bytes(), &self.ownership)
            .map_err(fault)
    }

    fn notifies(&self) -> &[Notify] {
        &self.notifies
    }
}
