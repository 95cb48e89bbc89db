//! Undoes a firewall change unless a fresh connection confirms it: armed on disk, so that a reboot does not disarm it.
//!
//! The three ends of an undo are names of one folder, `armed`, `confirmed` and `undone`: a rename is atomic, so that
//! exactly one of confirming and undoing wins.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::paths;
use super::system::{Fault, Invocation, System};
use crate::resource::Ownership;

const SERVICE: &str = "geodeploy-undo.service";
const TIMER: &str = "geodeploy-undo.timer";
const UNITS: &str = "/etc/systemd/system";

/// How an armed undo ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A fresh connection came in time.
    Confirmed,
    /// None came; what was before is back.
    Undone,
}

/// What a file was before.
#[derive(Serialize, Deserialize)]
struct Saved {
    path: PathBuf,
    bytes: Option<Vec<u8>>,
    mode: u32,
}

fn folder(run: &str, state: &str) -> PathBuf {
    paths::state().join("undo").join(format!("{run}.{state}"))
}

fn fault(error: impl ToString) -> Fault {
    Fault::new("cannot arm the undo of the firewall change", error)
        .hint("nothing was changed; free space or inodes on /var, then run it again")
}

/// Saves those files and starts the timer that puts them back after `seconds`, also after a reboot.
///
/// # Errors
/// When it cannot be armed; the change must then not be made.
pub(super) fn arm(
    run: &str,
    seconds: u64,
    files: &[PathBuf],
    system: &dyn System,
) -> Result<(), Fault> {
    let saved = files
        .iter()
        .map(|path| save(path, system))
        .collect::<io::Result<Vec<_>>>()
        .map_err(fault)?;
    let armed = folder(run, "armed");
    fs::create_dir_all(&armed).map_err(fault)?;
    let body = serde_json::to_vec(&saved).map_err(fault)?;
    system
        .write(&armed.join("files.json"), &body, &Ownership::root(0o600))
        .map_err(fault)?;
    let program = std::env::current_exe().map_err(fault)?;
    let root = paths::other_root()
        .map(|root| format!("Environment={}={}\n", paths::ROOT, root.display()))
        .unwrap_or_default();
    let service = format!(
        "[Unit]\nDescription=Undo an unconfirmed firewall change of geodeploy\n\
         [Service]\nType=oneshot\n{root}ExecStart={} agent --undo {run}\n",
        program.display()
    );
    // OnActiveSec counts from the timer's own start, which a boot repeats.
    let timer = format!(
        "[Unit]\nDescription=Undo an unconfirmed firewall change of geodeploy in {seconds} s\n\
         [Timer]\nOnActiveSec={seconds}\nAccuracySec=100ms\n[Install]\nWantedBy=timers.target\n"
    );
    for (name, text) in [(SERVICE, service), (TIMER, timer)] {
        system
            .write(
                &Path::new(UNITS).join(name),
                text.as_bytes(),
                &Ownership::root(0o644),
            )
            .map_err(fault)?;
    }
    systemctl(system, &["daemon-reload"])?;
    systemctl(system, &["enable", "--quiet", TIMER])?;
    systemctl(system, &["restart", TIMER])
}

fn save(path: &Path, system: &dyn System) -> io::Result<Saved> {
    let mode = system
        .metadata(path)?
        .map_or(0o640, |metadata| metadata.ownership.mode);
    Ok(Saved {
        path: path.to_owned(),
        bytes: system.read(path)?,
        mode,
    })
}

fn systemctl(system: &dyn System, arguments: &[&str]) -> Result<(), Fault> {
    let argv = [&["systemctl"], arguments].concat();
    let what = argv.join(" ");
    system
        .run(&Invocation::new(&argv))
        .map_err(fault)?
        .checked(&what)
        .map(drop)
}

/// Says that the host can still be reached; `false` when it was undone already, or never armed.
pub(super) fn confirm(run: &str) -> bool {
    fs::rename(folder(run, "armed"), folder(run, "confirmed")).is_ok()
}

/// Waits for the end of an armed undo and clears what arming left behind.
///
/// # Errors
/// When the timer cannot be removed.
pub(super) fn wait(run: &str, system: &dyn System) -> Result<End, Fault> {
    let end = loop {
        if folder(run, "confirmed").exists() {
            break End::Confirmed;
        }
        if folder(run, "undone").exists() {
            break End::Undone;
        }
        system.sleep(Duration::from_millis(100));
    };
    disarm(run, system)?;
    Ok(end)
}

fn disarm(run: &str, system: &dyn System) -> Result<(), Fault> {
    systemctl(system, &["disable", "--quiet", "--now", TIMER])?;
    for name in [TIMER, SERVICE] {
        system.remove(&Path::new(UNITS).join(name)).map_err(fault)?;
    }
    systemctl(system, &["daemon-reload"])?;
    for state in ["armed", "confirmed", "undone"] {
        match fs::remove_dir_all(folder(run, state)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Puts the saved files back and lets ufw load them. Called by the timer; does nothing when it was confirmed.
///
/// # Errors
/// When a file cannot be written or ufw refuses.
pub(super) fn undo(run: &str, system: &dyn System) -> Result<(), Fault> {
    let undoing = folder(run, "undoing");
    if fs::rename(folder(run, "armed"), &undoing).is_err() && !undoing.exists() {
        return Ok(());
    }
    let what = "cannot undo the firewall change";
    let body = fs::read(undoing.join("files.json")).map_err(|error| Fault::new(what, error))?;
    let saved: Vec<Saved> =
        serde_json::from_slice(&body).map_err(|error| Fault::new(what, error))?;
    let enabled = saved.iter().any(|file| {
        file.path.ends_with("ufw.conf")
            && file.bytes.as_deref().is_some_and(|bytes| {
                String::from_utf8_lossy(bytes)
                    .lines()
                    .any(|line| line.trim() == "ENABLED=yes")
            })
    });
    let ufw = |arguments: &[&str]| {
        let argv = [&["ufw"], arguments].concat();
        let output = system
            .run(&Invocation::new(&argv))
            .map_err(|error| Fault::new(what, error))?;
        output.checked(&argv.join(" "))
    };
    if !enabled {
        // Before the files are put back: disabling writes ufw.conf itself.
        ufw(&["--force", "disable"])?;
    }
    for file in &saved {
        let result = match &file.bytes {
            Some(bytes) => system.write(&file.path, bytes, &Ownership::root(file.mode)),
            None => system.remove(&file.path),
        };
        result.map_err(|error| {
            Fault::new(format!("cannot restore {}", file.path.display()), error)
        })?;
    }
    if enabled {
        ufw(&["reload"])?;
    }
    fs::rename(undoing, folder(run, "undone")).map_err(|error| Fault::new(what, error))
}
