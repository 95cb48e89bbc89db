//! A run detached from the connection that started it: one at a time on a host, with a journal that anyone may tail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::message::Holder;
use super::paths;

/// How long a detached run may take to begin.
const BEGIN: Duration = Duration::from_secs(15);

/// Why a run did not start.
#[derive(Debug)]
pub(super) enum Refused {
    /// Somebody else's run is under way.
    Busy(Holder),
    /// The machine did not let us.
    Io(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The host's one lock, held by a run for as long as its process lives; the kernel frees it.
pub(super) struct Lock {
    _file: File,
}

fn open_lock() -> io::Result<File> {
    fs::create_dir_all(paths::runtime())?;
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(paths::runtime().join("lock"))
}

impl Lock {
    /// Takes the lock and writes down who holds it.
    ///
    /// # Errors
    /// [`Refused::Busy`] with the holder when it is taken.
    pub(super) fn take(holder: &Holder) -> Result<Self, Refused> {
        let mut file = open_lock()?;
        if let Err(error) = file.try_lock() {
            let held = holder_in(&mut file);
            return Err(match (error, held) {
                (fs::TryLockError::WouldBlock, Some(held)) => Refused::Busy(held),
                (error, _) => Refused::Io(error.into()),
            });
        }
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&serde_json::to_vec(holder).map_err(io::Error::from)?)?;
        Ok(Self { _file: file })
    }
}

fn holder_in(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Whose run is under way.
///
/// # Errors
/// When the lock cannot be looked at.
pub(super) fn active() -> io::Result<Option<Holder>> {
    let mut file = open_lock()?;
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(fs::TryLockError::WouldBlock) => Ok(holder_in(&mut file)),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Whether that run is under way. An unreadable lock counts as alive: a tail then waits instead of giving up.
pub(super) fn alive(run: &str) -> bool {
    active().map_or(true, |holder| {
        holder.is_some_and(|holder| holder.run == run)
    })
}

/// Stores the request and starts a process of its own for it, which the end of this one does not end.
///
/// # Errors
/// [`Refused::Busy`] when another run is under way, [`Refused::Io`] when the process does not begin.
pub(super) fn start(run: &str, frame: &[u8]) -> Result<(), Refused> {
    match active()? {
        Some(holder) if holder.run == run => return Ok(()),
        Some(holder) => return Err(Refused::Busy(holder)),
        None => {}
    }
    store_request(&paths::request(run), frame)?;
    spawn(run)?;
    let begun = Instant::now();
    while !paths::journal(run).exists() {
        if begun.elapsed() > BEGIN {
            return Err(Refused::Io(io::Error::other(format!(
                "the run {run} did not begin within {} s; see journalctl -u geodeploy-run-{run}",
                BEGIN.as_secs()
            ))));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn store_request(path: &Path, frame: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(frame)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the run's own process, not a resource's"
)]
fn spawn(run: &str) -> io::Result<()> {
    let program = std::env::current_exe()?;
    let arguments = ["agent", "--run", run];
    // Units belong to the machine: under another root the run is a plain process, which inherits that root.
    if paths::other_root().is_none() && Path::new("/run/systemd/system").exists() {
        let unit = format!("--unit=geodeploy-run-{run}");
        let output = Command::new("systemd-run")
            .args([
                "--quiet",
                "--collect",
                &unit,
                "--property=RuntimeMaxSec=2h",
                "--",
            ])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .output()?;
        return if output.status.success() {
            Ok(())
        } else {
            Err(io::Error::other(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ))
        };
    }
    Command::new(program)
        .args(arguments)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
}
