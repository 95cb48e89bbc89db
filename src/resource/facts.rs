//! What many resources ask of the same machine, asked once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use super::Resource;
use crate::agent::system::{Fault, Invocation, System};

/// Installed packages by name, and units' states, as of the first question; a change that touches them forgets them.
#[derive(Default)]
pub struct Facts {
    units: Vec<String>,
    packages: RefCell<Option<Rc<BTreeMap<String, PackageState>>>>,
    states: RefCell<BTreeMap<String, UnitState>>,
}

/// A package as dpkg knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageState {
    /// dpkg's word: `installed`, `half-configured`, `config-files`.
    pub state: String,
    /// Its version; empty where dpkg knows none.
    pub version: String,
    /// Whether apt leaves it alone.
    pub held: bool,
}

/// A unit as systemd knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitState {
    /// `loaded`, `not-found`, `masked`.
    pub load: String,
    /// `active`, `inactive`, `failed`, `activating`.
    pub active: String,
    /// `running`, `exited`, `auto-restart`.
    pub sub: String,
    /// `enabled`, `disabled`, `static`.
    pub file: String,
    /// Whether its file on disk is newer than what systemd has read.
    pub stale: bool,
    /// When what runs now was started, in microseconds since boot; 0 where nothing ran.
    pub started: u64,
}

impl Facts {
    /// Nothing asked yet; the units among the resources will be asked for together.
    pub fn about<'r>(resources: impl IntoIterator<Item = &'r Resource>) -> Self {
        let mut units = Vec::new();
        for resource in resources {
            if let Resource::Service(service) = resource {
                units.push(service.unit.clone());
            }
            let notified = resource.manage().notifies().iter();
            units.extend(notified.map(|notify| notify.unit.clone()));
        }
        units.sort();
        units.dedup();
        Self {
            units,
            ..Self::default()
        }
    }

    /// Everything is asked anew from here on.
    pub fn forget(&self) {
        self.packages.take();
        self.states.take();
    }

    /// All packages that dpkg knows, by name.
    ///
    /// # Errors
    /// When dpkg's status file cannot be read.
    pub fn packages(
        &self,
        system: &dyn System,
    ) -> Result<Rc<BTreeMap<String, PackageState>>, Fault> {
        if let Some(known) = &*self.packages.borrow() {
            return Ok(Rc::clone(known));
        }
        let path = "/var/lib/dpkg/status";
        let bytes = system
            .read(Path::new(path))
            .map_err(|error| Fault::new(format!("cannot read {path}"), error))?
            .unwrap_or_default();
        let found = Rc::new(packages(&String::from_utf8_lossy(&bytes)));
        self.packages.replace(Some(Rc::clone(&found)));
        Ok(found)
    }

    /// A unit's state; one that does not exist is `not-found`.
    ///
    /// # Errors
    /// When systemd does not answer.
    pub fn unit(&self, system: &dyn System, unit: &str) -> Result<UnitState, Fault> {
        if let Some(known) = self.states.borrow().get(unit) {
            return Ok(known.clone());
        }
        let together = self.units.iter().any(|name| name == unit);
        let names = if together {
            self.units.iter().map(String::as_str).collect()
        } else {
            vec![unit]
        };
        self.states.borrow_mut().extend(ask(system, &names)?);
        Ok(self.states.borrow().get(unit).cloned().unwrap_or_default())
    }
}

const PROPERTIES: &str = "--property=LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,\
ExecMainStartTimestampMonotonic,ActiveEnterTimestampMonotonic";

fn ask(system: &dyn System, names: &[&str]) -> Result<Vec<(String, UnitState)>, Fault> {
    let what = format!("cannot see the state of {}", names.join(", "));
    let argv = [&["systemctl", "show", PROPERTIES, "--"], names].concat();
    let output = system
        .run(&Invocation::new(&argv))
        .map_err(|error| Fault::new(&what, error))?
        .checked(&what)
        .map_err(|fault| {
            fault.hint("the host must run systemd: `systemctl is-system-running` on it")
        })?;
    let blocks = output.stdout.split("\n\n");
    Ok(names
        .iter()
        .zip(blocks)
        .map(|(name, block)| ((*name).to_owned(), unit_state(block)))
        .collect())
}

fn unit_state(block: &str) -> UnitState {
    let value = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .unwrap_or_default()
    };
    let time = |name| value(name).parse().unwrap_or(0);
    // Only services have a main process; a timer or a socket has the time when it became active.
    let started = match time("ExecMainStartTimestampMonotonic") {
        0 => time("ActiveEnterTimestampMonotonic"),
        started => started,
    };
    UnitState {
        load: value("LoadState").to_owned(),
        active: value("ActiveState").to_owned(),
        sub: value("SubState").to_owned(),
        file: value("UnitFileState").to_owned(),
        stale: value("NeedDaemonReload") == "yes",
        started,
    }
}

/// The stanzas of /var/lib/dpkg/status (deb822; `Status: want error state`). Of a package of several
/// architectures the one that is installed counts.
fn packages(text: &str) -> BTreeMap<String, PackageState> {
    let mut found: BTreeMap<String, PackageState> = BTreeMap::new();
    for stanza in text.split("\n\n") {
        let field = |name: &str| {
            stanza
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let (Some(name), Some(status)) = (field("Package"), field("Status")) else {
            continue;
        };
        let mut words = status.split(' ');
        let held = words.next() == Some("hold");
        let state = words.nth(1).unwrap_or_default();
        if found
            .get(name)
            .is_some_and(|other| other.state == "installed")
        {
            continue;
        }
        found.insert(
            name.to_owned(),
            PackageState {
                state: state.to_owned(),
                version: field("Version").unwrap_or_default().to_owned(),
                held,
            },
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixture::Fixture;

    #[test]
    fn packages_are_read_with_state_version_and_hold() {
        let text = "Package: a\nStatus: install ok installed\nVersion: 1:2-3\n\n\
                    Package: b\nStatus: hold ok half-configured\nDescription: x\n Package: no\nVersion: 2\n\n\
                    Package: c\nStatus: deinstall ok config-files\n";
        let found = packages(text);
        assert_eq!(found.len(), 3);
        assert_eq!(found["a"].version, "1:2-3");
        assert!(found["b"].held && found["b"].state == "half-configured");
        assert_eq!(found["c"].state, "config-files");
    }

    #[test]
    fn all_units_of_a_run_are_asked_for_in_one_process() {
        let system = Fixture::new();
        system.script(
            "systemctl show *",
            "LoadState=loaded\nActiveState=active\nNeedDaemonReload=no\nExecMainStartTimestampMonotonic=7\n\n\
             LoadState=not-found\nActiveState=inactive\nNeedDaemonReload=no\n",
        );
        let service = |unit: &str| {
            Resource::Service(super::super::Service {
                unit: unit.to_owned(),
                enabled: true,
                running: None,
            })
        };
        let facts = Facts::about(&[service("a.service"), service("b.service")]);
        assert_eq!(facts.unit(&system, "a.service").unwrap().started, 7);
        assert_eq!(facts.unit(&system, "b.service").unwrap().load, "not-found");
        assert_eq!(system.ran().len(), 1);
        facts.forget();
        facts.unit(&system, "a.service").unwrap();
        assert_eq!(system.ran().len(), 2);
    }
}
