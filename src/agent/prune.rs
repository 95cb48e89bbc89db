//! What earlier runs left on the host and nobody needs any more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::paths;

/// Agents that stay besides the one that runs: two operators may be a version apart.
const AGENTS: usize = 3;
/// Journals that stay, for a look at what happened.
const JOURNALS: usize = 50;

/// Removes all but the newest agents and journals. What runs, what the host's timers run, and the agent of an armed
/// undo is never among them.
///
/// # Errors
/// When a folder cannot be read or removed.
pub(super) fn prune() -> io::Result<()> {
    let own = std::env::current_exe()?;
    let linked = fs::read_link(paths::program()).unwrap_or_default();
    let armed = !is_empty(&paths::state().join("undo"));
    if !armed {
        let agents = newest_first(&paths::opt().join("agents"))?;
        let old = agents
            .into_iter()
            .filter(|folder| !own.starts_with(folder) && !linked.starts_with(folder))
            .skip(AGENTS);
        old.into_iter().try_for_each(fs::remove_dir_all)?;
    }
    let journals = newest_first(&paths::state().join("runs"))?;
    journals
        .into_iter()
        .skip(JOURNALS)
        .try_for_each(fs::remove_dir_all)
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

fn newest_first(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in entries {
        let entry = entry?;
        found.push((entry.metadata()?.modified()?, entry.path()));
    }
    found.sort_by(|one, other| other.cmp(one));
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_come_first_and_a_missing_folder_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        for (name, age) in [("old", 100), ("new", 1), ("middle", 50)] {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            let when = SystemTime::now() - std::time::Duration::from_secs(age);
            fs::File::open(&path).unwrap().set_modified(when).unwrap();
        }
        let names: Vec<_> = newest_first(folder.path())
            .unwrap()
            .iter()
            .map(|path| path.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["new", "middle", "old"]);
        assert!(
            newest_first(&folder.path().join("absent"))
                .unwrap()
                .is_empty()
        );
    }
}
