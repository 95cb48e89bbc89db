//! A systemd unit's file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Context, Manage, Notify, Ownership, service};
use crate::agent::paths;
use crate::agent::system::{Entry, Fault, Invocation};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// A unit file in /etc/systemd/system, checked with `systemd-analyze verify` before it is swapped in, and known to the running manager.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unit {
    /// Its file name: `yourapp@.service`.
    pub name: String,
    /// Its text.
    pub content: String,
    /// Services that must hear of a change.
    pub notifies: Vec<Notify>,
}

impl Unit {
    fn path(&self) -> PathBuf {
        Path::new("/etc/systemd/system").join(&self.name)
    }

    fn verify(&self, context: &Context<'_>) -> Result<(), Fault> {
        let staged = paths::staged_units().join(&self.name);
        let fault = |error| Fault::new(format!("cannot check {}", self.name), error);
        context
            .system
            .make_directory(&paths::staged_units())
            .map_err(fault)?;
        context
            .system
            .write(&staged, self.content.as_bytes(), &Ownership::root(0o644))
            .map_err(fault)?;
        let place = staged.to_string_lossy();
        let argv = ["systemd-analyze", "verify", "--man=no", &place];
        let output = context
            .system
            .run(&Invocation::new(&argv).deadline(Duration::from_secs(60)));
        context.system.remove(&staged).map_err(fault)?;
        let complaints = complaints(&output.map_err(fault)?.stderr, &place);
        if complaints.is_empty() {
            return Ok(());
        }
        let path = self.path();
        let complaints = complaints.replace(&*place, &path.to_string_lossy());
        Err(Fault::new(
            format!("{} is not put in place", path.display()),
            complaints,
        )
        .hint("correct the unit's template; the old unit is still there"))
    }
}

/// The lines that speak of the file itself. What it needs and what is not installed yet (its program, other units)
/// is no fault of the file.
fn complaints(stderr: &str, staged: &str) -> String {
    let lines = stderr.lines().filter(|line| {
        line.strip_prefix(staged)
            .is_some_and(|rest| rest.starts_with(':'))
            && !line.contains("is not executable")
    });
    lines.collect::<Vec<_>>().join("\n")
}

impl Manage for Unit {
    fn id(&self) -> Id {
        Id::new(Kind::Unit, &self.name)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        Some(Ownership::root(0o644).describe(Attributes::new().lines("content", &self.content)))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let path = self.path();
        let fault = |error| Fault::new(format!("cannot read {}", path.display()), error);
        let Some(found) = context.system.metadata(&path).map_err(fault)? else {
            return Ok(None);
        };
        if !matches!(found.entry, Entry::File(_)) {
            let attributes = Attributes::new().text("type", "not a regular file");
            return Ok(Some(found.ownership.describe(attributes)));
        }
        let bytes = context.system.read(&path).map_err(fault)?;
        let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        let attributes = Attributes::new().lines("content", text);
        Ok(Some(found.ownership.describe(attributes)))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        self.verify(context)?;
        let path = self.path();
        context
            .system
            .write(&path, self.content.as_bytes(), &Ownership::root(0o644))
            .map_err(|error| Fault::new(format!("cannot write {}", path.display()), error))?;
        service::reload_manager(context)
    }

    fn notifies(&self) -> &[Notify] {
        &self.notifies
    }
}

#[cfg(test)]
mod tests;
