//! A unit's configuration as it was before a change, kept until the unit has started with the new one: a start that fails
//! goes back to what worked, also when the run that made the change was cut short.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Context, Ownership, pending};
use crate::agent::paths;
use crate::agent::system::Fault;

/// A file that a unit ran with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Previous {
    /// Where it was.
    pub path: PathBuf,
    /// What was in it.
    text: String,
    /// Whose it was.
    ownership: Ownership,
    boot: String,
    /// Microseconds since boot at which it was replaced.
    replaced: u64,
}

impl Previous {
    /// Puts it back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn put_back(&self, context: &Context<'_>) -> Result<(), Fault> {
        let written = context
            .system
            .write(&self.path, self.text.as_bytes(), &self.ownership);
        written
            .map_err(|error| Fault::new(format!("cannot put back {}", self.path.display()), error))
    }
}

/// Keeps the file that is at this path now, before it is replaced, where the unit runs with it. A package's own, which
/// nobody ever ran, is not worth going back to; nor is one that the unit has not started with since it was written itself:
/// then the one before it stays.
///
/// # Errors
/// When it cannot be kept; the change must then not be made.
pub(super) fn keep(context: &Context<'_>, unit: &str, path: PathBuf) -> Result<(), Fault> {
    if unproven(context, unit)?.is_some_and(|earlier| earlier.path == path) {
        return Ok(());
    }
    if context.facts.unit(context.system, unit)?.active != "active" {
        return forget(context, unit);
    }
    let fault = |error| Fault::new(format!("cannot keep {}", path.display()), error);
    let (bytes, found) = (
        context.system.read(&path).map_err(fault)?,
        context.system.metadata(&path).map_err(fault)?,
    );
    let (Some(bytes), Some(found)) = (bytes, found) else {
        return Ok(());
    };
    let previous = Previous {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        ownership: found.ownership,
        boot: pending::boot(context)?,
        replaced: pending::uptime(context)?,
        path: path.clone(),
    };
    let json = serde_json::to_vec(&previous).map_err(|error| fault(error.into()))?;
    let kept = paths::previous(unit);
    if let Some(folder) = kept.parent() {
        context.system.make_directory(folder).map_err(fault)?;
    }
    let private = Ownership::root(0o600);
    context.system.write(&kept, &json, &private).map_err(fault)
}

/// The configuration to go back to where the unit does not start; `None` where it has started since the change.
///
/// # Errors
/// When it, or the unit's state, cannot be read.
pub(super) fn unproven(context: &Context<'_>, unit: &str) -> Result<Option<Previous>, Fault> {
    let path = paths::previous(unit);
    let bytes = context.system.read(&path);
    let bytes =
        bytes.map_err(|error| Fault::new(format!("cannot read {}", path.display()), error))?;
    let Some(previous) = bytes.and_then(|bytes| serde_json::from_slice::<Previous>(&bytes).ok())
    else {
        return Ok(None);
    };
    let state = context.facts.unit(context.system, unit)?;
    let later = previous.boot != pending::boot(context)? || state.started > previous.replaced;
    Ok((state.active != "active" || !later).then_some(previous))
}

/// The unit has started: there is nothing to go back to.
///
/// # Errors
/// When it cannot be removed.
pub(super) fn forget(context: &Context<'_>, unit: &str) -> Result<(), Fault> {
    let path = paths::previous(unit);
    let removed = context.system.remove(&path);
    removed.map_err(|error| Fault::new(format!("cannot remove {}", path.display()), error))
}
