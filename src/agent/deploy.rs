//! Starts a generation beside the running one, sees it healthy, and lets the old one drain.
//!
//! Both listen on the socket that systemd holds, so that there is no moment in which nobody does.

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::generation::{self, Generation, Ingredients};
use super::http::{self, Answer};
use super::message::{Event, Outcome, Target};
use super::system::{Fault, Invocation, System};
use super::{database_link, paths, units};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// Lines of a unit's journal that a failure shows.
const LOG_LINES: usize = 20;
/// Health is asked for this often.
const POLL: Duration = Duration::from_millis(200);
/// A generation is healthy when it says so this many times in a row.
const STEADY: usize = 3;

/// What a deployment would change; `None` when the release with this environment serves already.
///
/// # Errors
/// When the host is not provisioned or has nothing to go back to.
pub(super) fn plan(target: &Target, key: &FingerprintKey) -> Result<Option<Change>, Fault> {
    let ingredients = generation::ingredients(&target.app, &target.choice)?;
    let unreadable = |error: io::Error| Fault::new("cannot read the generations", error);
    let current = generation::current().map_err(unreadable)?;
    let id = Id::new(Kind::Release, &target.app);
    let describe = |release: &str, environment: &[u8]| {
        Attributes::new()
            .text("release", release)
            .sealed("environment", key.fingerprint(environment))
    };
    let after = describe(&ingredients.release, &ingredients.environment);
    let Some(current) = current else {
        return Ok(Change::between(id, None, Some(after)));
    };
    let environment = current.environment().map_err(unreadable)?;
    let before = describe(&current.release, &environment);
    let again = matches!(target.choice, super::message::Choice::Again);
    Ok(if again {
        let number = |number: u64| number.to_string();
        Change::between(
            id,
            Some(before.text("generation", number(current.number))),
            Some(after.text("generation", number(current.number + 1))),
        )
    } else {
        Change::between(id, Some(before), Some(after))
    })
}

/// Switches to the chosen generation, or leaves everything as it was.
pub(super) fn run(target: &Target, system: &dyn System, emit: &dyn Fn(Event)) -> Outcome {
    let deploy = Deploy {
        target,
        system,
        emit,
    };
    match deploy.switch() {
        Ok(outcome) => outcome,
        Err(fault) => Outcome::Failed {
            what: fault.what,
            why: fault.why,
            hint: fault.hint,
        },
    }
}

struct Deploy<'a> {
    target: &'a Target,
    system: &'a dyn System,
    emit: &'a dyn Fn(Event),
}

impl Deploy<'_> {
    fn switch(&self) -> Result<Outcome, Fault> {
        let app = &self.target.app;
        self.check_provisioned()?;
        let ingredients = generation::ingredients(app, &self.target.choice)?;
        self.wait_for_drain()?;
        database_link::gate(&ingredients.environment, self.emit)?;
        let old = units::running(app, self.system)?;
        let new = self.step(1, "prepare the generation", || self.prepare(&ingredients))?;
        let unit = units::instance(app, &new.id());
        let healthy = self
            .step(2, &format!("start {unit}"), || self.start(&unit))
            .and_then(|()| {
                self.step(3, "wait until it is healthy", || {
                    self.wait_until_healthy(&unit, &new)
                })
            });
        if let Err(fault) = healthy {
            return self.roll_back(&unit, &new, &fault, old.is_empty());
        }
        self.step(4, "switch", || self.make_current(&new))?;
        self.step(5, "drain the old generation", || {
            for id in &old {
                self.systemctl(&["stop", "--no-block", &units::instance(app, id)])?;
            }
            Ok(())
        })?;
        let cleared = generation::prune(self.target.keep, &[old, vec![new.id()]].concat());
        if let Err(error) = cleared {
            (self.emit)(Event::Note {
                text: format!("old releases stay on the disk: {error}"),
            });
        }
        Ok(Outcome::Converged {
            changed: 1,
            restarted: vec![unit],
        })
    }

    fn step<T>(
        &self,
        number: usize,
        title: &str,
        work: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        (self.emit)(Event::Started {
            number,
            of: 5,
            step: title.to_owned(),
        });
        let begun = Instant::now();
        let result = work()?;
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        (self.emit)(Event::Done {
            number,
            milliseconds,
        });
        Ok(result)
    }

    fn check_provisioned(&self) -> Result<(), Fault> {
        let unit = PathBuf::from(format!("/etc/systemd/system/{}@.service", self.target.app));
        match self.system.metadata(&unit) {
            Ok(Some(_)) => Ok(()),
            _ => Err(
                Fault::new("cannot deploy", format!("{} is not there", unit.display()))
                    .hint("run `geodeploy provision` first"),
            ),
        }
    }

    /// At most two generations run at a time: slots are counted over both, and memory is sized for both.
    fn wait_for_drain(&self) -> Result<(), Fault> {
        let app = &self.target.app;
        let mut told = false;
        while units::draining(app, self.system)? > 0 {
            if !told {
                let text = "waiting for an older generation that still drains".to_owned();
                (self.emit)(Event::Note { text });
                told = true;
            }
            self.system.sleep(POLL);
        }
        Ok(())
    }

    fn prepare(&self, ingredients: &Ingredients) -> Result<Generation, Fault> {
        let release = &ingredients.release;
        let fault =
            |error: io::Error| Fault::new(format!("cannot prepare release {release}"), error);
        if !generation::adopt_agent(release).map_err(fault)? {
            return Err(fault(io::Error::other("it is not on the host")));
        }
        generation::create(ingredients).map_err(fault)
    }

    fn start(&self, unit: &str) -> Result<(), Fault> {
        self.systemctl(&["start", &format!("{}.socket", self.target.app)])?;
        let argv = ["systemctl", "start", unit];
        let deadline = Duration::from_secs(self.target.healthy_within);
        let what = argv.join(" ");
        let output = self
            .system
            .run(&Invocation::new(&argv).deadline(deadline))
            .map_err(|error| Fault::new(&what, error))?;
        output.checked(&what).map(drop)
    }

    fn wait_until_healthy(&self, unit: &str, new: &Generation) -> Result<(), Fault> {
        let app = &self.target.app;
        let socket = PathBuf::from("/run")
            .join(app)
            .join(format!("{}.sock", new.id()));
        let begun = Instant::now();
        let mut steady = 0;
        let mut last = "no answer".to_owned();
        while steady < STEADY {
            if begun.elapsed() > Duration::from_secs(self.target.healthy_within) {
                return Err(Fault::new(
                    format!(
                        "{unit} was not healthy within {} s",
                        self.target.healthy_within
                    ),
                    last,
                ));
            }
            if !units::is_active(unit, self.system)? {
                return Err(Fault::new(format!("{unit} ended"), last));
            }
            match self.health(&socket) {
                Ok(()) => steady += 1,
                Err(why) => {
                    steady = 0;
                    last = why;
                }
            }
            self.system.sleep(POLL);
        }
        Ok(())
    }

    /// The generation itself over its own socket, and the public way in through nginx.
    fn health(&self, socket: &std::path::Path) -> Result<(), String> {
        let ok = |where_: &str, answer: io::Result<Answer>| match answer {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(answer) => Err(format!(
                "{where_} answers {}: {}",
                answer.status,
                answer.body.trim()
            )),
            Err(error) => Err(format!("{where_}: {error}")),
        };
        ok("the server", http::get_unix(socket, "/api/health"))?;
        match &self.target.public_name {
            Some(name) => ok("nginx", http::get_loopback(80, name, "/api/health")),
            None => Ok(()),
        }
    }

    fn make_current(&self, new: &Generation) -> Result<(), Fault> {
        let fault = |error: io::Error| Fault::new("cannot switch", error);
        self.system
            .symlink(&paths::current(), &new.folder())
            .map_err(fault)?;
        new.mark_good().map_err(fault)?;
        // From now on a boot starts this generation.
        self.systemctl(&[
            "start",
            "--no-block",
            &format!("{}.service", self.target.app),
        ])
    }

    fn roll_back(
        &self,
        unit: &str,
        new: &Generation,
        fault: &Fault,
        first: bool,
    ) -> Result<Outcome, Fault> {
        let log = units::log(unit, LOG_LINES, self.system);
        self.systemctl(&["stop", unit])?;
        // Nothing to reset where it never ran long enough to fail.
        drop(self.systemctl(&["reset-failed", unit]));
        if let Err(error) = std::fs::remove_dir_all(new.folder()) {
            (self.emit)(Event::Note {
                text: format!("{} stays: {error}", new.folder().display()),
            });
        }
        let after = if first {
            "no release served before, none serves now"
        } else {
            "the old release serves as before"
        };
        Ok(Outcome::RolledBack {
            what: format!("{}; {after}", fault.what),
            why: fault.why.clone(),
            log,
        })
    }

    fn systemctl(&self, arguments: &[&str]) -> Result<(), Fault> {
        units::systemctl(arguments, self.system)
    }
}
