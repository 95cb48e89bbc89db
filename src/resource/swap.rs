//! A swap file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Context, Manage, Ownership};
use crate::agent::system::{Entry, Fault, Invocation};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// A swap file that is in use now and after a reboot. Where the host has other swap of at least that size, it is as desired.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Swap {
    /// Where: `/swapfile`.
    pub path: PathBuf,
    /// MiB.
    pub megabytes: u64,
}

/// Space that must stay free beside the swap file, in MiB.
const SPARE: u64 = 512;

const FSTAB: &str = "/etc/fstab";

struct Found {
    megabytes: Option<u64>,
    active: bool,
    at_boot: bool,
}

impl Swap {
    fn describe(megabytes: u64, active: bool, at_boot: bool) -> Attributes {
        let yes_or_no = |value| if value { "yes" } else { "no" };
        Attributes::new()
            .text("size", format!("{megabytes} MiB"))
            .text("active", yes_or_no(active))
            .text("at_boot", yes_or_no(at_boot))
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Fault> {
        let found = context
            .system
            .metadata(&self.path)
            .map_err(|error| Fault::new(format!("cannot read {}", self.path.display()), error))?;
        let areas = areas(context)?;
        let used = areas.iter().find(|(path, _)| *path == self.path);
        let size = match found.map(|found| found.entry) {
            Some(Entry::File(bytes)) => Some(bytes >> 20),
            Some(Entry::Directory | Entry::Symlink(_) | Entry::Other) => Some(0),
            None => None,
        };
        let megabytes = used.map(|(_, megabytes)| *megabytes).or(size);
        let active = used.is_some();
        let at_boot = text(context, FSTAB)?
            .lines()
            .any(|line| self.is_entry(line));
        Ok(Found {
            megabytes,
            active,
            at_boot,
        })
    }

    fn is_entry(&self, line: &str) -> bool {
        line.split_whitespace().next() == self.path.to_str()
    }

    fn make(&self, context: &Context<'_>) -> Result<(), Fault> {
        let what = format!("cannot make the swap file {}", self.path.display());
        let fault = |error| Fault::new(&what, error);
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let free = context.system.free_space(folder).map_err(fault)? >> 20;
        if free < self.megabytes + SPARE {
            let why = format!(
                "{} has {free} MiB free; the file takes {} MiB and {SPARE} MiB stay free",
                folder.display(),
                self.megabytes
            );
            return Err(Fault::new(what, why)
                .hint("free some space, or make the swap smaller in the inventory"));
        }
        (context.progress)(&format!("swap: {} MiB", self.megabytes));
        // 0600 from its first moment: memory will be in it.
        context
            .system
            .write(&self.path, b"", &Ownership::root(0o600))
            .map_err(fault)?;
        let path = self.path.to_string_lossy();
        let size = format!("{}MiB", self.megabytes);
        run(context, &what, &["fallocate", "--length", &size, &path])
            .and_then(|()| run(context, &what, &["mkswap", &path]))
            .and_then(|()| run(context, &what, &["swapon", &path]))
            .map_err(|fault| {
                context.system.remove(&self.path).ok();
                fault.hint("a container has the swap of the machine that runs it, and some file systems hold no swap file: set the swap to 0 in the inventory")
            })
    }

    fn enter(&self, context: &Context<'_>) -> Result<(), Fault> {
        let mut table = text(context, FSTAB)?;
        if !table.is_empty() && !table.ends_with('\n') {
            table.push('\n');
        }
        table.push_str(&format!("{} none swap sw 0 0\n", self.path.display()));
        let fault = |error| Fault::new(format!("cannot write {FSTAB}"), error);
        let path = Path::new(FSTAB);
        let ownership = context
            .system
            .metadata(path)
            .map_err(fault)?
            .map_or(Ownership::root(0o644), |found| found.ownership);
        context
            .system
            .write(path, table.as_bytes(), &ownership)
            .map_err(fault)
    }
}

impl Manage for Swap {
    fn id(&self) -> Id {
        Id::new(Kind::Swap, self.path.to_string_lossy())
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        Some(Self::describe(self.megabytes, true, true))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let areas = areas(context)?;
        let others = areas.iter().filter(|(path, _)| *path != self.path);
        let elsewhere: u64 = others.map(|(_, megabytes)| megabytes).sum();
        if elsewhere >= self.megabytes {
            return Ok(Some(Self::describe(self.megabytes, true, true)));
        }
        let found = self.look(context)?;
        let size = found.megabytes;
        Ok(size.map(|megabytes| Self::describe(megabytes, found.active, found.at_boot)))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let found = self.look(context)?;
        let path = self.path.to_string_lossy();
        if found.megabytes != Some(self.megabytes) || !found.active {
            let what = format!("cannot replace the swap file {path}");
            if found.active {
                run(context, &what, &["swapoff", &path])?;
            }
            // A file that is not in use may be half made: it is made anew.
            context
                .system
                .remove(&self.path)
                .map_err(|error| Fault::new(what, error))?;
            self.make(context)?;
        }
        if found.at_boot {
            Ok(())
        } else {
            self.enter(context)
        }
    }
}

fn run(context: &Context<'_>, what: &str, argv: &[&str]) -> Result<(), Fault> {
    let invocation = Invocation::new(argv).deadline(Duration::from_secs(300));
    context
        .system
        .run(&invocation)
        .map_err(|error| Fault::new(what, error))?
        .checked(what)
        .map(drop)
}

fn text(context: &Context<'_>, path: &str) -> Result<String, Fault> {
    let bytes = context
        .system
        .read(Path::new(path))
        .map_err(|error| Fault::new(format!("cannot read {path}"), error))?;
    Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}

/// The swap areas in use with their MiB, from /proc/swaps: one header, then `path type KiB used priority`. The kernel
/// counts a file less its first page, so sizes are rounded up.
fn areas(context: &Context<'_>) -> Result<Vec<(PathBuf, u64)>, Fault> {
    let table = text(context, "/proc/swaps")?;
    Ok(table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let path = words.next()?;
            let kibibytes: u64 = words.nth(1)?.parse().ok()?;
            Some((PathBuf::from(path), kibibytes.div_ceil(1024)))
        })
        .collect())
}
