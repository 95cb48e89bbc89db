//! What is written down about a lab, so that another process finds it, also after this one was killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::base::{self, Suite};
use super::super::cgroup::Group;
use super::super::error::{Error, Result};
use super::super::layers::{Layers, remove};
use super::super::mirror::Mirror;
use super::super::network::{self, Network};
use super::super::twin::Twin;

/// Folders of all labs' run-time files: state, keys, sockets, consoles.
const RUN: &str = "/run/geodeploy/rehearsal";
/// Folder of all labs' file systems unless another is given.
pub(crate) const STORAGE: &str = "/var/lib/geodeploy/rehearsal";

/// One lab as written down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub network: Network,
    /// Its twins' releases and base systems, in the order of the network's twins.
    pub bases: Vec<(Suite, PathBuf)>,
    /// Where its twins' file systems are.
    pub storage: PathBuf,
    /// Where packages are kept between rehearsals.
    pub cache: PathBuf,
}

impl State {
    /// A lab's run-time folder.
    pub(crate) fn run_folder(name: &str) -> PathBuf {
        Path::new(RUN).join(name)
    }

    /// This lab's run-time folder.
    pub(crate) fn folder(&self) -> PathBuf {
        Self::run_folder(&self.name)
    }

    /// Takes a name and a free number, and writes the lab down before anything of it exists.
    ///
    /// # Errors
    /// When the name is taken or no number is free.
    pub(crate) fn claim(
        name: &str,
        twins: Vec<(String, Suite)>,
        folders: (PathBuf, PathBuf),
    ) -> Result<Self> {
        let folder = Self::run_folder(name);
        let path = Path::new(RUN).join(".lock");
        fs::create_dir_all(RUN).map_err(|why| Error::file(Path::new(RUN), why))?;
        let lock = File::create(&path).map_err(|why| Error::file(&path, why))?;
        lock.lock().map_err(|why| Error::file(&path, why))?;
        if Self::read(name).is_ok() {
            return Err(Error::new(
                format!("cannot bring up the lab {name}"),
                format!("there is one of that name: {}", folder.display()),
                "take it down: geodeploy rehearse down",
            ));
        }
        let number = free_number()?;
        fs::create_dir_all(&folders.0).map_err(|why| Error::file(&folders.0, why))?;
        // Mounts are listed by their real path.
        let storage = folders.0.canonicalize();
        let storage = storage
            .map_err(|why| Error::file(&folders.0, why))?
            .join(name);
        // Left by a machine that went down with a lab up, or by a process killed before it wrote anything down.
        remove(&storage)?;
        remove(&folder)?;
        fs::create_dir_all(&storage).map_err(|why| Error::file(&storage, why))?;
        let (names, suites): (Vec<_>, Vec<_>) = twins.into_iter().unzip();
        let state = Self {
            name: name.to_owned(),
            network: Network {
                number,
                twins: names,
            },
            bases: suites
                .into_iter()
                .map(|suite| (suite, PathBuf::new()))
                .collect(),
            storage,
            cache: folders.1.join(format!("apt-{number}")),
        };
        fs::create_dir(&folder).map_err(|why| Error::file(&folder, why))?;
        state.write()?;
        Ok(state)
    }

    /// Writes it down, whole or not at all.
    pub(crate) fn write(&self) -> Result<()> {
        let path = self.folder().join("state.json");
        let partial = self.folder().join("state.partial");
        let text = serde_json::to_string_pretty(self).map_err(|why| Error::file(&path, why))?;
        let written = fs::write(&partial, text).and_then(|()| fs::rename(&partial, &path));
        written.map_err(|why| Error::file(&path, why))
    }

    /// Reads a lab's state.
    ///
    /// # Errors
    /// When there is no such lab.
    pub(crate) fn read(name: &str) -> Result<Self> {
        let path = Self::run_folder(name).join("state.json");
        let state = fs::read_to_string(&path).map_err(|why| why.to_string());
        state
            .and_then(|text| serde_json::from_str(&text).map_err(|why| why.to_string()))
            .map_err(|why| {
                let names: Vec<_> = Self::all().into_iter().map(|state| state.name).collect();
                let remedy = format!(
                    "labs that are up: {names:?}; bring one up with geodeploy rehearse --keep"
                );
                Error::new(
                    format!("there is no lab {name}"),
                    format!("{}: {why}", path.display()),
                    remedy,
                )
            })
    }

    /// All labs that are written down.
    pub(crate) fn all() -> Vec<Self> {
        let entries = fs::read_dir(RUN).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| fs::read_to_string(entry.path().join("state.json")).ok())
            .filter_map(|text| serde_json::from_str(&text).ok())
            .collect()
    }

    /// The group of all its processes.
    pub(crate) fn group(&self) -> Result<Group> {
        Group::of_lab(&self.name)
    }

    /// The switch's control socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder().join("switch.socket")
    }

    /// The operator's key pair, made for this lab only; the public one has `.pub` appended.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder().join("operator_key")
    }

    /// The apt proxy.
    pub(crate) fn mirror(&self) -> Mirror {
        Mirror {
            address: self.network.mirror().ipv4,
            folder: self.folder().join("mirror"),
            cache: self.cache.clone(),
            archives: self.storage.join("archives"),
        }
    }

    /// Its twins.
    ///
    /// # Errors
    /// When cgroup version 2 is not mounted.
    pub(crate) fn twins(&self) -> Result<Vec<Twin>> {
        let group = self.group()?;
        let twins = self.network.twins.iter().zip(&self.bases);
        Ok(twins
            .filter_map(|(name, (suite, base))| {
                Some(Twin {
                    name: name.clone(),
                    suite: *suite,
                    endpoint: self.network.twin(name)?,
                    layers: Layers::new(self.storage.join("twins").join(name), base.clone()),
                    group: group.below(&format!("twin-{name}")),
                    network: self.network.clone(),
                    console: self.folder().join(format!("{name}.console")),
                })
            })
            .collect())
    }
}

/// A network number that neither a lab nor anything else on this machine uses.
fn free_number() -> Result<u8> {
    let mut taken = network::numbers_in_use()?;
    taken.extend(State::all().iter().map(|state| state.network.number));
    let free = (0..=u8::MAX).find(|number| !taken.contains(number));
    free.ok_or_else(|| {
        let why = "all of 10.77.0.0 to 10.77.255.0 are in use";
        let remedy = "take labs down: geodeploy rehearse down";
        Error::new("cannot find a free network", why, remedy)
    })
}

/// The folder of base systems and package caches unless another is given.
pub(crate) fn default_cache() -> PathBuf {
    PathBuf::from(base::FOLDER)
}
