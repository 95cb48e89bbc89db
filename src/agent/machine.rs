//! The machine that the agent runs on.

mod accounts;
mod process;

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;

use super::system::{Entry, Invocation, Metadata, Output, System};
use crate::resource::Ownership;
use accounts::Accounts;

/// The real machine. Everything happens at once and for good.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl System for Machine {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        present(fs::read(path))
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        let Some(found) = present(fs::symlink_metadata(path))? else {
            return Ok(None);
        };
        let kind = found.file_type();
        let entry = if kind.is_symlink() {
            Entry::Symlink(fs::read_link(path)?)
        } else if kind.is_dir() {
            Entry::Directory
        } else if kind.is_file() {
            Entry::File(found.len())
        } else {
            Entry::Other
        };
        let accounts = Accounts::read()?;
        Ok(Some(Metadata {
            entry,
            ownership: Ownership {
                mode: found.mode() & 0o7777,
                owner: accounts.user_name(found.uid()),
                group: accounts.group_name(found.gid()),
            },
        }))
    }

    fn list(&self, path: &Path) -> io::Result<Option<Vec<String>>> {
        let Some(entries) = present(fs::read_dir(path))? else {
            return Ok(None);
        };
        let mut names = entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(Some(names))
    }

    fn write(&self, path: &Path, bytes: &[u8], ownership: &Ownership) -> io::Result<()> {
        let accounts = Accounts::read()?;
        let user = accounts.user_id(&ownership.owner)?;
        let group = accounts.group_id(&ownership.group)?;
        let staged = beside(path)?;
        self.remove(&staged)?;
        let placed = fill(&staged, bytes, user, group, ownership.mode)
            .and_then(|()| fs::rename(&staged, path));
        if let Err(error) = placed {
            // The first error is the one that tells what happened.
            self.remove(&staged).ok();
            return Err(error);
        }
        sync_parent(path)
    }

    fn set_ownership(&self, path: &Path, ownership: &Ownership) -> io::Result<()> {
        let accounts = Accounts::read()?;
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK))
            .open(path)?;
        std::os::unix::fs::fchown(
            &file,
            Some(accounts.user_id(&ownership.owner)?),
            Some(accounts.group_id(&ownership.group)?),
        )?;
        file.set_permissions(fs::Permissions::from_mode(ownership.mode))?;
        file.sync_all()
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.make_directory(parent)?;
        }
        fs::DirBuilder::new().mode(0o755).create(path)?;
        // A umask may have taken bits away.
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        sync_parent(path)
    }

    fn symlink(&self, path: &Path, target: &Path) -> io::Result<()> {
        let staged = beside(path)?;
        self.remove(&staged)?;
        std::os::unix::fs::symlink(target, &staged)?;
        if let Err(error) = fs::rename(&staged, path) {
            self.remove(&staged).ok();
            return Err(error);
        }
        sync_parent(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let Some(found) = present(fs::symlink_metadata(path))? else {
            return Ok(());
        };
        if found.is_dir() {
            fs::remove_dir(path)?;
        } else {
            fs::remove_file(path)?;
        }
        sync_parent(path)
    }

    fn run(&self, invocation: &Invocation<'_>) -> io::Result<Output> {
        process::run(invocation)
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        let found = rustix::fs::statvfs(path)?;
        Ok(found.f_bavail * found.f_frsize)
    }

    fn total_space(&self, path: &Path) -> io::Result<u64> {
        let found = rustix::fs::statvfs(path)?;
        // What is kept for root counts for nobody, as in df.
        let used = found.f_blocks.saturating_sub(found.f_bfree);
        Ok((used + found.f_bavail) * found.f_frsize)
    }

    fn modified(&self, path: &Path) -> io::Result<Option<SystemTime>> {
        present(fs::metadata(path))?
            .map(|found| found.modified())
            .transpose()
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Always the same hidden name, so that what an interrupted write left is found and replaced by the next one.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the path has no file name"))?;
    Ok(path.with_file_name(format!(".{}.geodeploy", name.to_string_lossy())))
}

fn fill(path: &Path, bytes: &[u8], user: u32, group: u32, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(flags(OFlags::NOFOLLOW))
        .open(path)?;
    file.write_all(bytes)?;
    std::os::unix::fs::fchown(&file, Some(user), Some(group))?;
    // After the owner: a change of owner takes set-id bits away.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn flags(flags: OFlags) -> i32 {
    i32::try_from(flags.bits()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
