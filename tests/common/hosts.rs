//! Twins with an inventory and an operator's state of their own: what the program is run against.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use geodeploy::inventory::EXAMPLE;
use geodeploy::rehearse::substitute::{Stand, Surroundings, substitute};
use geodeploy::rehearse::{Lab, LabSpec, Shape, SwitchProgram, TwinSpec};
use geodeploy::state::write_private;

use tempfile::TempDir;

use crate::common::{Held, run, up};

/// The regions of the example inventory.
const REGIONS: [&str; 2] = ["us", "cn"];

/// A lab, the inventory that describes it, and the state of the operator who works on it.
pub(crate) struct Hosts {
    pub(crate) held: Held,
    pub(crate) inventory: PathBuf,
    /// Short, as the path of a socket must be.
    state: TempDir,
}

impl Hosts {
    /// Bare twins of the example's regions, all ends near each other; what is missing for that is told on stderr.
    pub(crate) fn up(name: &str) -> Option<Self> {
        let twins = REGIONS.map(TwinSpec::new).to_vec();
        let words = [env!("CARGO_BIN_EXE_geodeploy"), "rehearse-switch"];
        let switch = SwitchProgram::Program(words.map(str::to_owned).to_vec());
        let held = up(name, || {
            LabSpec::new(format!("{name}-{}", std::process::id()), twins, switch)
        })?;
        let state = tempfile::tempdir().unwrap();
        let inventory = write_inventory(&held.lab);
        Some(Self {
            held,
            inventory,
            state,
        })
    }

    pub(crate) fn lab(&self) -> &Lab {
        &self.held.lab
    }

    /// Puts all ends this far from each other, bandwidth unlimited.
    pub(crate) fn set_round_trip(&self, round_trip: Duration) {
        let [us, cn] = REGIONS;
        for (a, b) in [("operator", us), ("operator", cn), (us, cn)] {
            let shape = Shape::new(round_trip, None);
            self.lab().link(a, b).set(shape).unwrap();
        }
    }

    /// Runs the program with this state and inventory; it must succeed.
    pub(crate) fn geodeploy(&self, words: &[&str]) -> (Output, Duration) {
        let state = format!("XDG_STATE_HOME={}", self.state.path().display());
        let inventory = self.inventory.to_string_lossy();
        let program = [
            "env",
            &state,
            env!("CARGO_BIN_EXE_geodeploy"),
            "--yes",
            "-i",
            &inventory,
        ];
        let begun = Instant::now();
        let output = run(&[&program[..], words].concat());
        let took = begun.elapsed();
        assert!(output.status.success(), "{words:?}: {output:?}");
        (output, took)
    }

    /// Makes the hosts what the inventory says.
    pub(crate) fn provision(&self) {
        self.geodeploy(&["provision"]);
    }

    /// Runs a provisioning that must find nothing to change.
    pub(crate) fn provision_again(&self) -> Duration {
        let (output, took) = self.geodeploy(&["provision"]);
        let text = String::from_utf8_lossy(&output.stdout);
        for region in REGIONS {
            let line = format!("{region}: nothing to change");
            assert!(text.contains(&line), "{output:?}");
        }
        took
    }

    /// Ends the connections that earlier runs left, and nothing else of their state.
    pub(crate) fn disconnect(&self) {
        for master in
            files(self.state.path()).filter(|path| path.extension().is_some_and(|e| e == "master"))
        {
            let text = std::fs::read_to_string(&master).unwrap();
            let socket = text.lines().nth(1).unwrap();
            run(&["ssh", "-F", "none", "-S", socket, "-O", "exit", "host"]);
        }
    }

    /// The most round trips, one after another, that any region's link with the operator has seen since the last reset.
    pub(crate) fn round_trips(&self) -> f64 {
        let counters = self.lab().counters().unwrap();
        let near = |name: &str| name == "operator";
        let chains = counters
            .iter()
            .filter(|entry| near(&entry.from) || near(&entry.to));
        chains.map(|entry| entry.chain).max().unwrap_or(0) as f64 / 2.0
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.disconnect();
    }
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.into_iter()
}

fn write_inventory(lab: &Lab) -> PathBuf {
    let stand = |twin: &geodeploy::rehearse::Twin| Stand {
        region: twin.name.clone(),
        endpoint: twin.endpoint.clone(),
        host_key: twin.host_key().unwrap(),
    };
    let stands: Vec<_> = lab.twins().iter().map(stand).collect();
    let secret = lab.folder().join("secret");
    write_private(&secret, &[b's'; 48]).unwrap();
    let around = Surroundings {
        operator: &lab.operator(),
        key: &lab.operator_key(),
        mirror: &lab.mirror_url(),
        secret: &secret,
    };
    let file = lab.folder().join("geodeploy.toml");
    let text = substitute(EXAMPLE, &stands, &around).unwrap();
    write_private(&file, text.as_bytes()).unwrap();
    file
}
