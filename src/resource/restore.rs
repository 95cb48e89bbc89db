//! A path as it was before a change, to be put back when the change fails.

use std::io;
use std::path::{Path, PathBuf};

use super::Ownership;
use crate::agent::system::{Entry, System};

/// What was at a path: bytes, a link, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Before {
    path: PathBuf,
    was: Was,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Was {
    Nothing,
    File(Vec<u8>, Ownership),
    Symlink(PathBuf),
}

impl Before {
    /// Remembers a file, a link or nothing; a folder or a device is an error.
    pub(super) fn save(path: &Path, system: &dyn System) -> io::Result<Self> {
        let was = match system.metadata(path)? {
            None => Was::Nothing,
            Some(found) => match found.entry {
                Entry::File(_) => {
                    let bytes = system.read(path)?.unwrap_or_default();
                    Was::File(bytes, found.ownership)
                }
                Entry::Symlink(target) => Was::Symlink(target),
                Entry::Directory | Entry::Other => {
                    return Err(io::Error::other("neither a file nor a link"));
                }
            },
        };
        let path = path.to_owned();
        Ok(Self { path, was })
    }

    /// Puts back what was there.
    pub(super) fn restore(&self, system: &dyn System) -> io::Result<()> {
        match &self.was {
            Was::Nothing => system.remove(&self.path),
            Was::File(bytes, ownership) => system.write(&self.path, bytes, ownership),
            Was::Symlink(target) => system.symlink(&self.path, target),
        }
    }
}

/// Runs `work`; when it fails, puts every path back in reverse order and gives the failure.
pub(super) fn guard<T, E>(
    paths: &[PathBuf],
    system: &dyn System,
    failed: impl Fn(io::Error) -> E,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let before: Vec<Before> = paths
        .iter()
        .map(|path| Before::save(path, system))
        .collect::<io::Result<_>>()
        .map_err(&failed)?;
    work().inspect_err(|_| {
        for before in before.iter().rev() {
            // The failure that led here is the one to tell; what could not be put back differs in the next plan.
            before.restore(system).ok();
        }
    })
}
