//! Where backups are kept: whole files under their own names, and nothing else after the next run.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::config::{FREE_PERCENT, PLENTY_MEBIBYTES};
use super::manifest::Summary;
use crate::agent::system::Fault;

/// The ending of a backup's name.
pub const ENDING: &str = ".tar.zst.age";

/// What is being written.
const PARTIAL: &str = ".partial";

/// The last drill, beside the backups.
const STATE: &str = "state.json";

/// The last backup that was restored and compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// When, RFC 3339 in UTC.
    pub verified_at: String,
    /// Which.
    pub file: String,
    /// How long its restore took.
    pub rto_seconds: u64,
}

/// A folder of backups.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// The right to write in a folder; the kernel frees it with the process.
pub(super) struct Lock {
    _file: File,
}

impl Folder {
    /// That folder.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn fault(&self, error: impl ToString) -> Fault {
        Fault::new(format!("cannot use {}", self.path.display()), error)
    }

    /// One backup at a time.
    pub(super) fn lock(&self) -> Result<Lock, Fault> {
        let file = private(&self.path.join("lock")).map_err(|error| self.fault(error))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(fs::TryLockError::WouldBlock) => {
                Err(Fault::new("no backup is made", "another one is being made")
                    .hint("look at it: `systemctl status geodeploy-backup.service`"))
            }
            Err(fs::TryLockError::Error(error)) => Err(self.fault(error)),
        }
    }

    /// The backups, the newest first.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn backups(&self) -> Result<Vec<String>, Fault> {
        let mut names: Vec<String> = self.names()?;
        names.retain(|name| name.ends_with(ENDING));
        // The time in the name is of a fixed width.
        names.sort_by(|one, other| other.cmp(one));
        Ok(names)
    }

    /// What stands beside a backup.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn summary(&self, file: &str) -> Result<Summary, Fault> {
        let text =
            fs::read(self.path.join(beside(file, "json"))).map_err(|error| self.fault(error))?;
        serde_json::from_slice(&text).map_err(|error| self.fault(error))
    }

    /// The last drill; `None` where there was none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn verified(&self) -> Result<Option<Verified>, Fault> {
        match fs::read(self.path.join(STATE)) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|error| self.fault(error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.fault(error)),
        }
    }

    /// Writes the last drill down.
    ///
    /// # Errors
    /// When it cannot be written; what was there is then untouched.
    pub fn set_verified(&self, verified: &Verified) -> Result<(), Fault> {
        let text = serde_json::to_vec(verified).map_err(|error| self.fault(error))?;
        self.put(STATE, &text)
    }

    /// A new file for a backup, and what it will be called.
    pub(super) fn begin(
        &self,
        name: &str,
        began: jiff::Timestamp,
    ) -> Result<(File, String), Fault> {
        let file = format!("{name}-{}{ENDING}", began.strftime("%Y%m%dT%H%M%SZ"));
        if self.path.join(&file).exists() {
            return Err(self.fault(format!("{file} is there already")));
        }
        let open = private(&self.path.join(format!("{file}{PARTIAL}")));
        Ok((open.map_err(|error| self.fault(error))?, file))
    }

    /// Gives a backup its name, last: what has it is whole and has its checksum beside it.
    pub(super) fn commit(&self, summary: &Summary) -> Result<(), Fault> {
        let file = &summary.file;
        let text = serde_json::to_vec_pretty(summary).map_err(|error| self.fault(error))?;
        self.put(&beside(file, "json"), &text)?;
        let line = format!("{}  {file}\n", summary.sha256);
        self.put(&beside(file, "sha256"), line.as_bytes())?;
        let partial = self.path.join(format!("{file}{PARTIAL}"));
        fs::rename(partial, self.path.join(file))
            .and_then(|()| File::open(&self.path)?.sync_all())
            .map_err(|error| self.fault(error))
    }

    /// Removes what a run that died left: files without a name of their own, and what stands beside no backup.
    pub(super) fn clean(&self) -> Result<(), Fault> {
        let names = self.names()?;
        let orphan = |name: &String| {
            let owner = name.rsplit_once('.').map_or("", |(owner, _)| owner);
            name.ends_with(PARTIAL)
                || (owner.ends_with(ENDING) && !names.iter().any(|other| other == owner))
        };
        names
            .iter()
            .filter(|name| orphan(name))
            .try_for_each(|name| self.remove(name))
    }

    /// Removes all but the newest `keep`; the newest one that was restored and compared stays in any case.
    pub(super) fn retain(&self, keep: usize) -> Result<Vec<String>, Fault> {
        let verified = self.verified()?.map(|verified| verified.file);
        let old: Vec<String> = self
            .backups()?
            .into_iter()
            .skip(keep.max(1))
            .filter(|file| Some(file) != verified.as_ref())
            .collect();
        for file in &old {
            // The backup first: a name always stands for a whole one.
            for name in [file, &beside(file, "sha256"), &beside(file, "json")] {
                self.remove(name)?;
            }
        }
        Ok(old)
    }

    /// Refuses to fill the disk.
    pub(super) fn room(&self, needed: u64) -> Result<(), Fault> {
        let found = rustix::fs::statvfs(&self.path).map_err(|error| self.fault(error))?;
        let free = found.f_bavail * found.f_frsize;
        // As df counts: what is reserved for root is neither used nor free.
        let used = (found.f_blocks - found.f_bfree) * found.f_frsize;
        room(free, used + free, needed)
    }

    fn names(&self) -> Result<Vec<String>, Fault> {
        let entries = fs::read_dir(&self.path).map_err(|error| self.fault(error))?;
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<_>>()
            .map_err(|error| self.fault(error))
    }

    fn remove(&self, name: &str) -> Result<(), Fault> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.fault(error)),
            _ => Ok(()),
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let partial = self.path.join(format!("{name}{PARTIAL}"));
        let write = || -> io::Result<()> {
            let mut file = private(&partial)?;
            file.write_all(bytes)?;
            // What root writes after a drill is read by the user that makes the backups.
            let folder = fs::metadata(&self.path)?;
            if file.metadata()?.uid() != folder.uid() {
                std::os::unix::fs::fchown(&file, Some(folder.uid()), Some(folder.gid()))?;
            }
            file.sync_all()?;
            fs::rename(&partial, self.path.join(name))
        };
        write().map_err(|error| self.fault(error))
    }
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// What stands beside a backup: `NAME.sha256`.
pub fn beside(file: &str, ending: &str) -> String {
    format!("{file}.{ending}")
}

fn room(free: u64, all: u64, needed: u64) -> Result<(), Fault> {
    let what = "no backup is made";
    let hint = "make room on the disk, or write a smaller `keep` below [database.backup]";
    let percent = free.saturating_mul(100) / all.max(1);
    if percent < u64::from(FREE_PERCENT) && free < PLENTY_MEBIBYTES << 20 {
        let free = crate::text::bytes(free);
        let why = format!("{percent} % of the disk are free, less than {FREE_PERCENT} %: {free}");
        return Err(Fault::new(what, why).hint(hint));
    }
    if needed > free {
        let [needed, free] = [needed, free].map(crate::text::bytes);
        let why = format!("it may take {needed}, and {free} are free");
        return Err(Fault::new(what, why).hint(hint));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
