//! Attempts that an authority answered with a refusal, as a mark on disk: more of them than it allows would shut it for
//! longer than the mistake lasts.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::agent::paths;
use crate::agent::system::Fault;
use crate::resource::{Context, Ownership};

/// Let's Encrypt allows five failed validations an account, a name and an hour; the timer's own may be one of them.
const MOST: usize = 4;
const HOUR: i64 = 3600;

/// What was refused in the last hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempts {
    path: PathBuf,
    pub(super) mark: Mark,
}

/// The mark's text, JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// When attempts were refused, seconds since 1970, the oldest first.
    pub refused: Vec<i64>,
    /// Why the last one was.
    pub why: String,
}

impl Mark {
    /// From when on the next attempt may be made, where that is later than now.
    pub(super) fn closed_until(&self, now: i64) -> Option<i64> {
        let recent = self.refused.iter().filter(|then| now - **then < HOUR);
        let recent: Vec<&i64> = recent.collect();
        let first = recent.len().checked_sub(MOST)?;
        Some(recent[first] + HOUR)
    }
}

fn path(lineage: &str) -> PathBuf {
    paths::state()
        .join("certificates")
        .join(format!("{lineage}.json"))
}

/// The mark of a lineage; an empty one where there is none, or where it cannot be understood.
pub(super) fn mark(
    lineage: &str,
    system: &dyn crate::agent::system::System,
) -> Result<Mark, Fault> {
    let path = path(lineage);
    let bytes = system
        .read(&path)
        .map_err(|error| Fault::new(format!("cannot read {}", path.display()), error))?;
    let mark = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok(mark.unwrap_or_default())
}

/// A time as operators and authorities write it: `2026-11-24 03:04 UTC`.
pub(super) fn shown(second: i64) -> String {
    match Timestamp::from_second(second) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => second.to_string(),
    }
}

impl Attempts {
    pub(super) fn read(lineage: &str, context: &Context<'_>) -> Result<Self, Fault> {
        Ok(Self {
            path: path(lineage),
            mark: mark(lineage, context.system)?,
        })
    }

    fn now(context: &Context<'_>) -> i64 {
        Timestamp::try_from(context.system.now()).map_or(i64::MAX, Timestamp::as_second)
    }

    pub(super) fn refuse_too_many(&self, what: &str, context: &Context<'_>) -> Result<(), Fault> {
        let Some(until) = self.mark.closed_until(Self::now(context)) else {
            return Ok(());
        };
        let why = format!(
            "{MOST} attempts of the last hour were refused, the last one because: {}",
            self.mark.why
        );
        Err(Fault::pending(what, why).hint(format!(
            "run `geodeploy provision` again after {}; authorities allow five failures an hour. To try at once: `rm {}` on the host",
            shown(until),
            self.path.display()
        )))
    }

    /// Notes that an attempt was refused, durably.
    pub(super) fn failed(&mut self, why: &str, context: &Context<'_>) -> Result<(), Fault> {
        let now = Self::now(context);
        self.mark.refused.retain(|then| now - then < HOUR);
        self.mark.refused.push(now);
        why.clone_into(&mut self.mark.why);
        let text = serde_json::to_vec(&self.mark).unwrap_or_default();
        let fault = |error| Fault::new(format!("cannot write {}", self.path.display()), error);
        let folder = self.path.parent().map(std::path::Path::to_owned);
        folder
            .map_or(Ok(()), |folder| context.system.make_directory(&folder))
            .and_then(|()| {
                let ownership = Ownership::root(0o644);
                context.system.write(&self.path, &text, &ownership)
            })
            .map_err(fault)
    }

    /// How many more are allowed within this hour.
    pub(super) fn left(&self) -> usize {
        MOST.saturating_sub(self.mark.refused.len())
    }

    /// After one that succeeded.
    pub(super) fn forget(&self, context: &Context<'_>) -> Result<(), Fault> {
        context
            .system
            .remove(&self.path)
            .map_err(|error| Fault::new(format!("cannot remove {}", self.path.display()), error))
    }
}
