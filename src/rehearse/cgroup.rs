//! Control groups of the lab: every process of a lab is in one, so that all of them, and none else, can be ended.
//!
//! Membership survives the operator's death and cannot be mistaken as a process id can.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::error::{Error, Result};
use super::shell::Call;

/// The folder of all labs below the mount of cgroup version 2.
const FOLDER: &str = "geodeploy-rehearsal";

/// Where version 2 is mounted: the only hierarchy, or beside version 1.
pub(crate) fn mount_point() -> Option<PathBuf> {
    mount_points("cgroup2").into_iter().next()
}

fn mount_points(wanted: &str) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let found = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (path, kind) = (words.nth(1)?, words.next()?);
        (kind == wanted).then(|| PathBuf::from(path))
    });
    found.collect()
}

/// One group of processes.
#[derive(Clone, Debug)]
pub(crate) struct Group(PathBuf);

impl Group {
    /// The group of a whole lab; it need not exist yet.
    ///
    /// # Errors
    /// When cgroup version 2 is not mounted.
    pub(crate) fn of_lab(lab: &str) -> Result<Self> {
        let root = mount_point().ok_or_else(|| {
            Error::new(
                "cannot find cgroup version 2",
                "no cgroup2 in /proc/self/mounts",
                "mount it: mount -t cgroup2 none /sys/fs/cgroup",
            )
        })?;
        Ok(Self(root.join(FOLDER).join(lab)))
    }

    /// A group below this one; it need not exist yet.
    pub(crate) fn below(&self, name: &str) -> Self {
        Self(self.0.join(name))
    }

    /// Makes the group, with the controllers that its parents have.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn make(&self) -> Result<()> {
        fs::create_dir_all(&self.0).map_err(|why| Error::file(&self.0, why))?;
        let ours = self
            .0
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.iter().any(|part| part == FOLDER));
        let mut parents: Vec<_> = ours.collect();
        parents.reverse();
        for folder in parents {
            let controllers =
                fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
            for controller in controllers.split_whitespace() {
                // Beside version 1 there are none here to hand on, and a twin boots without.
                fs::write(
                    folder.join("cgroup.subtree_control"),
                    format!("+{controller}"),
                )
                .ok();
            }
        }
        Ok(())
    }

    /// The group's folder.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A program that will start inside the group, which is made if it is not there.
    ///
    /// # Errors
    /// When the group cannot be made.
    pub(crate) fn enter<'a>(&self, argv: impl IntoIterator<Item = &'a str>) -> Result<Call> {
        self.make()?;
        let door = self.0.join("cgroup.procs").to_string_lossy().into_owned();
        let script = "echo 0 > \"$0\" && exec \"$@\"";
        let mut words = ["sh", "-c", script, &door].map(str::to_owned).to_vec();
        words.extend(argv.into_iter().map(str::to_owned));
        Ok(Call::new(words))
    }

    /// The group and all groups below it, deepest first.
    fn tree(&self) -> Vec<PathBuf> {
        tree(&self.0)
    }

    /// The folders of the same name that systemd-nspawn makes in each hierarchy of version 1.
    fn shadows(&self) -> Vec<PathBuf> {
        let Some(name) =
            mount_point().and_then(|root| self.0.strip_prefix(root).ok().map(Path::to_owned))
        else {
            return Vec::new();
        };
        let roots = mount_points("cgroup").into_iter();
        roots.flat_map(|root| tree(&root.join(&name))).collect()
    }

    /// The processes in the group and below, as this machine numbers them.
    pub(crate) fn processes(&self) -> Vec<i32> {
        self.tree()
            .iter()
            .filter_map(|folder| fs::read_to_string(folder.join("cgroup.procs")).ok())
            .flat_map(|text| {
                text.lines()
                    .filter_map(|line| line.parse().ok())
                    .collect::<Vec<_>>()
            })
            .filter(|process| *process > 0)
            .collect()
    }

    /// The process that is PID 1 of a namespace of its own, if there is one in the group.
    pub(crate) fn leader(&self) -> Option<i32> {
        self.processes().into_iter().find(|process| {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
            numbers.is_some_and(|line| {
                let numbers: Vec<_> = line.split_whitespace().collect();
                numbers.len() > 1 && numbers.last() == Some(&"1")
            })
        })
    }

    /// Kills everything in the group and below, waits until it is gone, and removes the groups.
    ///
    /// # Errors
    /// When something is still there after ten seconds.
    pub(crate) fn kill(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            for process in self.processes() {
                if let Some(pid) = Pid::from_raw(process) {
                    // It may have gone in the meantime, which is what is wanted.
                    kill_process(pid, Signal::KILL).ok();
                }
            }
            for folder in self.shadows().into_iter().chain(self.tree()) {
                fs::remove_dir(folder).ok();
            }
            if !self.0.exists() {
                // The folder of all labs goes with the last one.
                let folders = [mount_points("cgroup"), mount_points("cgroup2")].concat();
                folders
                    .iter()
                    .for_each(|root| drop(fs::remove_dir(root.join(FOLDER))));
                return Ok(());
            }
            if started.elapsed() > Duration::from_secs(10) {
                return Err(Error::new(
                    format!("cannot end the processes of {}", self.0.display()),
                    format!("{:?} still run", self.processes()),
                    "look at them with `ps`; they wait for the kernel, usually for a disk",
                ));
            }
            sleep(Duration::from_millis(10));
        }
    }
}

/// A folder and all folders below it, deepest first.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut index = 0;
    while let Some(folder) = found.get(index).cloned() {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        found.extend(
            entries
                .map(|entry| entry.path())
                .filter(|path| path.is_dir()),
        );
        index += 1;
    }
    found.reverse();
    found
}
