//! Space.

use std::path::Path;

use super::{Verdict, data};
use crate::agent::system::Fault;
use crate::resource::{Context, FreeDisk};

pub(super) fn look(wanted: &FreeDisk, context: &Context<'_>) -> Result<Verdict, Fault> {
    let path = present(&wanted.path, context)?;
    let fault = |error| Fault::new(format!("cannot see the space of {}", path.display()), error);
    let free = context.system.free_space(path).map_err(fault)? >> 20;
    let total = context.system.total_space(path).map_err(fault)? >> 20;
    let share = free * 100 / total.max(1);
    let enough = free >= wanted.plenty || share >= u64::from(wanted.percent);
    if free >= wanted.mebibytes && enough {
        return Ok(Verdict::Met);
    }
    let what = format!("there is too little space for {}", wanted.purpose);
    let found = format!(
        "{free} MiB of {total} MiB are free on the file system of {} ({share} %); needed are {} MiB, and {} % or {} MiB",
        wanted.path.display(),
        wanted.mebibytes,
        wanted.percent,
        wanted.plenty
    );
    // What is there already must be kept running, and can only be mended by further runs.
    if !data::entries(&wanted.path, context)?.is_empty() {
        return Ok(Verdict::Noted(format!("{what}: {found}")));
    }
    let remedy = "free space on it, enlarge it, or mount a larger disk there";
    Ok(Verdict::unmet(what, found, remedy))
}

/// The path itself or the nearest folder above it that is there.
fn present<'p>(path: &'p Path, context: &Context<'_>) -> Result<&'p Path, Fault> {
    for folder in path.ancestors() {
        let found = context.system.metadata(folder);
        let found = found
            .map_err(|error| Fault::new(format!("cannot look at {}", folder.display()), error))?;
        if found.is_some() {
            return Ok(folder);
        }
    }
    Ok(Path::new("/"))
}
