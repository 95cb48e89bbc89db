//! A file of nginx's configuration, tested before it is swapped in.

mod complaint;
mod stage;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Context, Manage, Notify, Ownership, restore};
use crate::agent::system::{Entry, Fault};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;
use stage::Stage;

/// A file below /etc/nginx. All nginx files of a run are tested together in a staged copy before any of them is put in place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Nginx {
    /// Where: `/etc/nginx/sites-available/yourapp`.
    pub path: PathBuf,
    /// Its text; `None` when it must not be there.
    pub content: Option<String>,
    /// The template that it came from, for the error of a failed test: `templates/site.conf.j2`.
    pub template: String,
    /// For each rendered line, the line of the template that it came from; empty where that is not known.
    pub template_lines: Vec<u32>,
    /// Whether a link in sites-enabled switches it on.
    pub enabled_site: bool,
}

const PROGRAM: &str = "/usr/sbin/nginx";

static RELOAD: LazyLock<[Notify; 1]> = LazyLock::new(|| [Notify::reload("nginx.service")]);

/// Tests all these files together in a copy of nginx's configuration, then puts them in place.
///
/// # Errors
/// When nginx refuses them: with the file, the line, and the template's line. Nothing is changed then; when a write
/// fails, what was written before it is put back.
pub fn apply_all(files: &[&Nginx], context: &Context<'_>) -> Result<(), Fault> {
    Stage::standard().test(files, context)?;
    let paths: Vec<PathBuf> = files
        .iter()
        .flat_map(|file| [Some(file.path.clone()), file.link()])
        .flatten()
        .collect();
    let fault = |error| Fault::new("cannot change nginx's configuration", error);
    restore::guard(&paths, context.system, fault, || {
        files.iter().try_for_each(|file| file.put(context))
    })
}

impl Nginx {
    /// The link that switches a file of sites-available on.
    fn link(&self) -> Option<PathBuf> {
        let folder = self.path.parent()?;
        (folder.file_name()? == "sites-available").then(|| {
            Some(
                folder
                    .parent()?
                    .join("sites-enabled")
                    .join(self.path.file_name()?),
            )
        })?
    }

    fn describe(&self, ownership: &Ownership, content: &str, enabled: &str) -> Attributes {
        let attributes = ownership.describe(Attributes::new().lines("content", content));
        match self.link() {
            Some(_) => attributes.text("enabled", enabled),
            None => attributes,
        }
    }

    fn enabled(&self, context: &Context<'_>) -> Result<&'static str, Fault> {
        let Some(link) = self.link() else {
            return Ok("no");
        };
        let found = context
            .system
            .metadata(&link)
            .map_err(|error| Fault::new(format!("cannot read {}", link.display()), error))?;
        let relative =
            Path::new("../sites-available").join(self.path.file_name().unwrap_or_default());
        Ok(match found.map(|found| found.entry) {
            None => "no",
            Some(Entry::Symlink(target)) if target == self.path || target == relative => "yes",
            Some(Entry::Symlink(_)) => "a link to another file",
            Some(Entry::File(_) | Entry::Directory | Entry::Other) => "a file of its own",
        })
    }

    fn put(&self, context: &Context<'_>) -> Result<(), Fault> {
        let system = context.system;
        let fault = |error| Fault::new(format!("cannot change {}", self.path.display()), error);
        let link = self.link();
        let enabled = self.enabled(context)?;
        if let Some(link) = &link
            && enabled == "a file of its own"
        {
            let link = link.display();
            return Err(Fault::new(
                format!("cannot change {link}"),
                "it is a file of its own, not a link",
            )
            .hint(format!(
                "look at it and move it away: `ls -l {link}` on the host"
            )));
        }
        let on = self.enabled_site && self.content.is_some();
        if let Some(link) = link.as_ref().filter(|_| !on) {
            system.remove(link).map_err(fault)?;
        }
        let Some(content) = &self.content else {
            return system.remove(&self.path).map_err(fault);
        };
        if let Some(folder) = self.path.parent() {
            system.make_directory(folder).map_err(fault)?;
        }
        system
            .write(&self.path, content.as_bytes(), &Ownership::root(0o644))
            .map_err(fault)?;
        match link.filter(|_| on && enabled != "yes") {
            Some(link) => {
                let folder = link.parent().unwrap_or(Path::new("/"));
                system.make_directory(folder).map_err(fault)?;
                system.symlink(&link, &self.path).map_err(fault)
            }
            None => Ok(()),
        }
    }
}

impl Manage for Nginx {
    fn id(&self) -> Id {
        Id::new(Kind::Nginx, self.path.to_string_lossy())
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        let content = self.content.as_ref()?;
        let enabled = if self.enabled_site { "yes" } else { "no" };
        Some(self.describe(&Ownership::root(0o644), content, enabled))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let fault = |error| Fault::new(format!("cannot read {}", self.path.display()), error);
        let installed = context.system.metadata(Path::new(PROGRAM)).map_err(fault)?;
        if installed.is_none() {
            return Ok(None);
        }
        let enabled = self.enabled(context)?;
        let Some(found) = context.system.metadata(&self.path).map_err(fault)? else {
            let dangling = Attributes::new().text("enabled", enabled);
            return Ok((enabled != "no").then_some(dangling));
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
        let content = String::from_utf8_lossy(&bytes);
        Ok(Some(self.describe(&found.ownership, &content, enabled)))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        apply_all(&[self], context)
    }

    fn notifies(&self) -> &[Notify] {
        &*RELOAD
    }
}

#[cfg(test)]
mod tests;
