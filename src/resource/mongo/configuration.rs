//! mongod's configuration file, checked by mongod itself before it takes its place.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::UNIT;
use super::settings::{exposed, settings};
use crate::agent::system::{Fault, Invocation};
use crate::plan::{Attributes, Change, Id};
use crate::resource::{Content, Context, File, Manage, Ownership, previous};
use crate::secrets::FingerprintKey;

/// The configuration that mongod is started with. That the running server has it is the matter of
/// [`super::Mongod`], which restarts it: a change of a comment restarts nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MongodConfiguration {
    /// Where, absolute: `/etc/mongod.conf`.
    pub path: PathBuf,
    /// The whole text, YAML.
    pub content: String,
}

impl MongodConfiguration {
    fn file(&self) -> File {
        File {
            path: self.path.clone(),
            content: Some(Content::Plain(self.content.clone())),
            ownership: Ownership::root(0o644),
            notifies: Vec::new(),
        }
    }

    fn what(&self) -> String {
        format!("cannot change {}", self.path.display())
    }

    /// Beside the file, so that what a run that was cut short left is found by the next one.
    fn candidate(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".geodeploy-check");
        PathBuf::from(name)
    }

    /// mongod reads its options, tells how it understands them, and does not start.
    fn checked(&self, candidate: &Path, context: &Context<'_>) -> Result<(), Fault> {
        let path = candidate.to_string_lossy();
        let argv = ["mongod", "--config", &path, "--outputConfig"];
        let output = context
            .system
            .run(&Invocation::new(&argv))
            .map_err(|error| Fault::new(self.what(), error))?;
        if output.status == 127 {
            return Err(Fault::new(
                self.what(),
                "mongod is not installed, and nothing else can check it",
            )
            .hint("its package must come before it"));
        }
        let output = output.checked(&self.what()).map_err(|fault| {
            let why = fault.why.replace(&*path, &self.path.to_string_lossy());
            Fault::new(
                fault.what,
                format!("mongod refuses it, and the old file was kept; {why}"),
            )
            .hint("mend the template mongod.conf.j2, or take it out of the folder of templates")
        })?;
        let mistakes = exposed(&settings(&output.stdout));
        if mistakes.is_empty() {
            return Ok(());
        }
        Err(Fault::new(self.what(), mistakes.join("\n"))
            .hint("mend the template mongod.conf.j2, or take it out of the folder of templates"))
    }
}

impl Manage for MongodConfiguration {
    fn id(&self) -> Id {
        self.file().id()
    }

    fn desired(&self, key: &FingerprintKey) -> Option<Attributes> {
        self.file().desired(key)
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        self.file().inspect(context)
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let fault = |error| Fault::new(self.what(), error);
        let candidate = self.candidate();
        let ownership = Ownership::root(0o644);
        let written = context
            .system
            .write(&candidate, self.content.as_bytes(), &ownership);
        let checked = written
            .map_err(fault)
            .and_then(|()| self.checked(&candidate, context));
        context.system.remove(&candidate).map_err(fault)?;
        checked?;
        previous::keep(context, UNIT, self.path.clone())?;
        context
            .system
            .write(&self.path, self.content.as_bytes(), &ownership)
            .map_err(fault)
    }
}

#[cfg(test)]
mod tests;
