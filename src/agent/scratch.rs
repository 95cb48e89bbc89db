//! A mongod for a drill: on a Unix socket in a folder that root alone enters, with no network, and gone afterwards.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::system::{Fault, Invocation, System};
use crate::backup::server::{Address, Login, Server};
use crate::resource::Ownership;

/// Its unit.
const UNIT: &str = "geodeploy-drill.service";

/// The user of MongoDB's package.
const USER: &str = "mongodb";

/// How long it may take to start.
const START: Duration = Duration::from_secs(60);

/// How long it may take to stop.
const STOP: Duration = Duration::from_secs(30);

const WHAT: &str = "cannot start a scratch MongoDB";

/// A running one.
pub(super) struct Scratch<'s> {
    folder: PathBuf,
    system: &'s dyn System,
    unit: bool,
}

impl<'s> Scratch<'s> {
    /// Starts it with an empty data folder; what an earlier one left is removed.
    pub(super) fn start(
        folder: &Path,
        program: &str,
        system: &'s dyn System,
    ) -> Result<Self, Fault> {
        let scratch = Self {
            folder: folder.to_owned(),
            system,
            // Under another root there is no unit and no such user.
            unit: super::paths::other_root().is_none() && Path::new("/run/systemd/system").exists(),
        };
        scratch.remove()?;
        scratch.prepare().map_err(|error| Fault::new(WHAT, error))?;
        let data = folder.join("data").to_string_lossy().into_owned();
        let log = folder.join("log").to_string_lossy().into_owned();
        let number = scratch.number().to_string_lossy().into_owned();
        let socket = scratch.socket().to_string_lossy().into_owned();
        let mut argv = vec![program, "--dbpath", &data, "--logpath", &log];
        argv.extend(["--bind_ip", &socket, "--nounixsocket"]);
        // It must not compete with the server for memory, nor remove what is expired by now.
        argv.extend(["--wiredTigerCacheSizeGB", "0.25"]);
        argv.extend(["--setParameter", "ttlMonitorEnabled=false"]);
        argv.extend(["--setParameter", "diagnosticDataCollectionEnabled=false"]);
        let unit = format!("--unit={UNIT}");
        let user = format!("--uid={USER}");
        if scratch.unit {
            let own = [
                "--property=RuntimeMaxSec=6h",
                "--property=PrivateNetwork=yes",
            ];
            let mut words = vec!["systemd-run", "--quiet", "--collect", &unit, &user];
            words.extend(own);
            words.extend(["--nice=10", "--"]);
            argv.splice(0..0, words);
        } else {
            argv.extend(["--fork", "--pidfilepath", &number]);
        }
        let begun = Instant::now();
        let started = system.run(&Invocation::new(&argv).deadline(START));
        let output = started.map_err(|error| Fault::new(WHAT, error))?;
        output.checked(WHAT)?;
        while scratch.connect(None).is_err() {
            if begun.elapsed() > START {
                let log = fs::read_to_string(&log).unwrap_or_default();
                let last = log
                    .lines()
                    .next_back()
                    .unwrap_or("it wrote no log")
                    .to_owned();
                scratch.remove()?;
                return Err(Fault::new(WHAT, last));
            }
            system.sleep(Duration::from_millis(100));
        }
        Ok(scratch)
    }

    fn prepare(&self) -> io::Result<()> {
        fs::create_dir_all(self.folder.join("data"))?;
        let owner = if self.unit { USER } else { return Ok(()) };
        let ownership = Ownership {
            mode: 0o700,
            owner: owner.to_owned(),
            group: owner.to_owned(),
        };
        for folder in [self.folder.join("data"), self.folder.clone()] {
            self.system.set_ownership(&folder, &ownership)?;
        }
        Ok(())
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("mongod.sock")
    }

    /// Whether that process runs in this folder: after a reboot the number may be anybody's.
    fn is_ours(&self, number: &str) -> bool {
        let command = fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command);
        command.contains(&*self.folder.to_string_lossy())
    }

    fn number(&self) -> PathBuf {
        self.folder.join("pid")
    }

    /// A connection to it.
    pub(super) fn connect(&self, login: Option<&Login>) -> Result<Server, Fault> {
        let socket = self.socket();
        if !socket.exists() {
            return Err(Fault::new(WHAT, "it does not listen"));
        }
        Server::connect(&Address::Socket(socket), login)
    }

    /// Ends it and removes its folder; nothing there is no fault.
    pub(super) fn remove(&self) -> Result<(), Fault> {
        let what = "cannot remove the scratch MongoDB";
        let fault = |error| Fault::new(what, error);
        if self.unit {
            let stop = Invocation::new(&["systemctl", "stop", UNIT]).deadline(4 * STOP);
            self.system.run(&stop).map_err(fault)?;
        } else if let Ok(number) = fs::read_to_string(self.number()) {
            let number = number.trim();
            let end = Invocation::new(&["kill", number]);
            let asked = Instant::now();
            while self.is_ours(number) && asked.elapsed() < STOP {
                self.system.run(&end).map_err(fault)?;
                self.system.sleep(Duration::from_millis(100));
            }
        }
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Fault::new(what, error)),
            _ => Ok(()),
        }
    }
}
