//! A lab: twins, the links between them, their mirror; up, found again, and down.

mod build;
mod link;
mod spec;
mod state;

use std::path::PathBuf;

use super::error::{Error, Result};
use super::layers::remove;
use super::network::{MIRROR, OPERATOR};
use super::switch::{Client, LinkCounters, Reply, Request};
use super::twin::Twin;
use build::InsideSwitch;
use state::State;

pub use link::Link;
pub use spec::{Event, LabSpec, LinkSpec, SwitchProgram, TwinSpec};

/// A lab that is up. Dropping it takes it down unless it is [kept](Lab::keep) or was [opened](Lab::open).
#[derive(Debug)]
pub struct Lab {
    state: State,
    twins: Vec<Twin>,
    inside: Option<InsideSwitch>,
    owned: bool,
}

impl Lab {
    /// Brings up a lab: base systems where they are missing, switch, mirror, and all twins at once; returns when sshd
    /// answers on each. What was made is taken down again if anything fails.
    ///
    /// # Errors
    /// When a requirement is missing, the name is taken, or a twin does not boot.
    pub fn up(spec: &LabSpec, progress: &(dyn Fn(Event) + Sync)) -> Result<Self> {
        spec.check()?;
        let state = build::claim(spec)?;
        let mut lab = Self {
            state,
            twins: Vec::new(),
            inside: None,
            owned: true,
        };
        match build::build(&mut lab, spec, progress) {
            Ok(()) => Ok(lab),
            Err(error) => Err(match lab.down() {
                Ok(()) => error,
                Err(rest) => Error {
                    why: format!("{}\n  and then: {rest}", error.why),
                    ..error
                },
            }),
        }
    }

    /// Finds a lab that another process brought up. Dropping the result leaves the lab up.
    ///
    /// # Errors
    /// When there is no lab of that name, or its switch does not answer.
    pub fn open(name: &str) -> Result<Self> {
        let state = State::read(name)?;
        let twins = state.twins()?;
        let lab = Self {
            state,
            twins,
            inside: None,
            owned: false,
        };
        lab.switch().ask(&Request::Ping)?;
        Ok(lab)
    }

    /// The names of all labs on this machine, whole or left over.
    pub fn names() -> Vec<String> {
        State::all().into_iter().map(|state| state.name).collect()
    }

    /// Takes down a lab of this machine, whatever state it is in.
    ///
    /// # Errors
    /// When there is none of that name, or something of it does not go away.
    pub fn take_down(name: &str) -> Result<()> {
        clear(&State::read(name)?)
    }

    /// Takes down all labs of this machine and returns their names.
    ///
    /// # Errors
    /// The first failure, after all were tried.
    pub fn down_all() -> Result<Vec<String>> {
        let states = State::all();
        let results: Vec<_> = states.iter().map(clear).collect();
        results.into_iter().collect::<Result<Vec<()>>>()?;
        Ok(states.into_iter().map(|state| state.name).collect())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// The group of all its processes; what is started in it ends with the lab.
    pub(crate) fn group(&self) -> Result<super::cgroup::Group> {
        self.state.group()
    }

    /// Its twins.
    pub fn twins(&self) -> &[Twin] {
        &self.twins
    }

    /// A twin by its name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn twin(&self, name: &str) -> Result<&Twin> {
        self.twins
            .iter()
            .find(|twin| twin.name == name)
            .ok_or_else(|| {
                let names: Vec<_> = self.twins.iter().map(|twin| &twin.name).collect();
                Error::new(
                    format!("there is no twin {name}"),
                    format!("the lab has {names:?}"),
                    "use one of them",
                )
            })
    }

    /// The private key that every twin accepts for `root` and for `admin`; made for this lab, gone with it.
    pub fn operator_key(&self) -> PathBuf {
        self.state.key()
    }

    /// The address that the operator reaches twins from.
    pub fn operator(&self) -> super::switch::Endpoint {
        self.state.network.operator()
    }

    /// The apt proxy, `http://ADDRESS:3142`.
    pub fn mirror_url(&self) -> String {
        self.state.mirror().url()
    }

    /// A folder whose files twins can fetch, and its address as they see it: for archives made for the rehearsal.
    pub fn archives(&self) -> (PathBuf, String) {
        let mirror = self.state.mirror();
        let url = format!("{}/{}", mirror.url(), super::mirror::ARCHIVES);
        (mirror.archives, url)
    }

    /// Where consoles, sockets and logs are.
    pub fn folder(&self) -> PathBuf {
        self.state.folder()
    }

    fn switch(&self) -> Client {
        Client {
            socket: self.state.socket(),
        }
    }

    /// The link between two ends: twins' names, `operator` or `mirror`.
    pub fn link<'a>(&self, a: &'a str, b: &'a str) -> Link<'a> {
        Link {
            switch: self.switch(),
            a,
            b,
        }
    }

    /// What went through each direction since the last reset.
    ///
    /// # Errors
    /// When the switch does not answer.
    pub fn counters(&self) -> Result<Vec<LinkCounters>> {
        match self.switch().ask(&Request::Counters)? {
            Reply::Counters(counters) => Ok(counters),
            Reply::Done | Reply::Link { .. } | Reply::Refused(_) => Ok(Vec::new()),
        }
    }

    /// Sets all counters back to nothing.
    ///
    /// # Errors
    /// When the switch does not answer.
    pub fn reset_counters(&self) -> Result<()> {
        self.switch().ask(&Request::Reset).map(drop)
    }

    /// Leaves the lab up when this value goes: [`Lab::open`] finds it again, [`Lab::take_down`] ends it.
    ///
    /// # Errors
    /// When the switch runs inside this process, and would end with it.
    pub fn keep(mut self) -> Result<()> {
        if self.inside.is_some() {
            let why = "its switch runs inside this process";
            let remedy = "bring it up with a switch program of its own";
            return Err(Error::new(
                format!("cannot keep the lab {}", self.state.name),
                why,
                remedy,
            ));
        }
        self.owned = false;
        Ok(())
    }

    /// Takes the lab down: processes, mounts, namespaces, devices, files.
    ///
    /// # Errors
    /// The first failure, after everything was tried.
    pub fn down(mut self) -> Result<()> {
        self.owned = false;
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if let Some(inside) = self.inside.take() {
            inside.stop(&self.switch());
        }
        clear(&self.state)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.owned {
            // Nobody is left to tell; what stays behind is found by `down_all`.
            self.end().ok();
        }
    }
}

/// Removes everything of a lab: processes first, so that nothing holds the mounts.
fn clear(state: &State) -> Result<()> {
    let mut results = vec![state.group().and_then(|group| group.kill())];
    results.extend(state.twins()?.iter().map(|twin| twin.layers.remove()));
    results.push(state.network.lower());
    results.push(remove(&state.storage));
    results.into_iter().collect::<Result<()>>()?;
    remove(&state.folder())
}

/// Whether a name is one of the lab's own.
fn reserved(name: &str) -> bool {
    name == OPERATOR || name == MIRROR
}
