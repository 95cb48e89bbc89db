//! Snapshots on this machine: files in the project's state, named by their time.

use std::path::PathBuf;

use super::Zone;
use crate::dns::Snapshot;
use crate::error::{Error, ErrorContext, ErrorKind};
use crate::fleet::Project;
use crate::state::write_private;

/// Writes a snapshot and returns its name.
pub(super) fn keep(project: &Project, snapshot: &Snapshot) -> Result<String, Error> {
    let name = snapshot.created.strftime("%Y%m%dT%H%M%S%.3fZ").to_string();
    let file = project.state.zones()?.join(format!("{name}.json"));
    write_private(&file, snapshot.to_json()?.as_bytes())?;
    Ok(name)
}

/// The folder of this project's snapshots.
pub(super) fn folder(project: &Project) -> Result<PathBuf, Error> {
    project.state.zones()
}

/// The snapshots of a zone, the newest first. One that cannot be read is no snapshot of it.
pub(super) fn list(zone: &Zone<'_>) -> Result<Vec<(String, Snapshot)>, Error> {
    let folder = folder(zone.project)?;
    let entries = std::fs::read_dir(&folder).context(ErrorKind::Failed, || {
        format!("cannot read {}", folder.display())
    })?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()))
        .collect();
    names.sort_unstable_by(|one, other| other.cmp(one));
    let read = |name: String| {
        let snapshot = read(zone, &name).ok()?;
        Some((name, snapshot))
    };
    Ok(names.into_iter().filter_map(read).collect())
}

/// The snapshot of that name, if it is of this zone.
pub(super) fn read(zone: &Zone<'_>, name: &str) -> Result<Snapshot, Error> {
    let file = folder(zone.project)?.join(format!("{name}.json"));
    let text = std::fs::read_to_string(&file).map_err(|error| {
        Error::new(ErrorKind::Usage, format!("there is no snapshot {name}"))
            .cause(format!("cannot read {}: {error}", file.display()))
            .hint("`geodeploy dns status` lists the snapshots that there are")
    })?;
    let snapshot = Snapshot::parse(&text, name)?;
    snapshot.check(zone.dns.provider.name(), zone.wanted, name)?;
    Ok(snapshot)
}
