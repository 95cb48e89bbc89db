//! Reloads and restarts that are owed, as marks on disk.
//!
//! A mark is made before a resource is changed and cleared after the service has heard of it, so that a run cut
//! short between the two leaves the debt where the next run sees it. A mark is void when what runs was started
//! after the change: after a reboot, or later than the moment at which the mark was settled.

use std::path::{Path, PathBuf};

use super::{Action, Context, Notify, Ownership};
use crate::agent::paths;
use crate::agent::system::Fault;

/// One file a unit: `reload BOOT-ID [MICROSECONDS]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    action: Action,
    boot: String,
    /// Microseconds since boot at which the change was complete; `None` while it is under way.
    settled: Option<u64>,
}

impl Mark {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let action = match words.next()? {
            "rotate" => Action::Rotate,
            "reload" => Action::Reload,
            "restart" => Action::Restart,
            _ => return None,
        };
        Some(Self {
            action,
            boot: words.next()?.to_owned(),
            settled: words.next().and_then(|word| word.parse().ok()),
        })
    }

    fn text(&self) -> String {
        let settled = self.settled.map(|time| format!(" {time}"));
        format!(
            "{} {}{}\n",
            self.action.word(),
            self.boot,
            settled.unwrap_or_default()
        )
    }

    fn void(&self, boot: &str, started: u64) -> bool {
        self.boot != boot || self.settled.is_some_and(|settled| started > settled)
    }
}

/// Makes a change that units must hear of: marked before it, settled after it. A change that fails leaves everything as
/// it was, the marks too, so that nothing is owed for it.
///
/// # Errors
/// When a mark cannot be written, and those of the change.
pub fn around(
    context: &Context<'_>,
    notifies: &[&Notify],
    change: impl FnOnce() -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut earlier = Vec::new();
    for notify in notifies {
        earlier.push((&notify.unit, load(context, &notify.unit)?));
        mark(context, notify)?;
    }
    if let Err(fault) = change() {
        for (unit, mark) in earlier.iter().rev() {
            let back = match mark {
                Some(mark) => store(context, unit, mark),
                None => clear(context, unit),
            };
            // The failure that led here is the one to tell; a mark too many costs a reload.
            back.ok();
        }
        return Err(fault);
    }
    notifies
        .iter()
        .try_for_each(|notify| settle(context, &notify.unit))
}

/// Marks the unit as owing `notify.action`, durably, before the change; of two actions the stronger one stays.
///
/// # Errors
/// When the mark cannot be written; the change must then not be made.
pub fn mark(context: &Context<'_>, notify: &Notify) -> Result<(), Fault> {
    let earlier = read(context, &notify.unit)?;
    store(
        context,
        &notify.unit,
        &Mark {
            action: earlier.map_or(notify.action, |action| action.max(notify.action)),
            boot: boot(context)?,
            settled: None,
        },
    )
}

/// Notes that the change is complete: a unit that starts from now on has seen it.
///
/// # Errors
/// When the mark cannot be written.
pub fn settle(context: &Context<'_>, unit: &str) -> Result<(), Fault> {
    let Some(mark) = load(context, unit)? else {
        return Ok(());
    };
    let settled = Some(uptime(context)?);
    store(context, unit, &Mark { settled, ..mark })
}

/// What the unit still owes; `None` when it owes nothing, does not run, or was started after the change.
///
/// # Errors
/// When the mark or the unit's state cannot be read.
pub fn read(context: &Context<'_>, unit: &str) -> Result<Option<Action>, Fault> {
    let Some(mark) = load(context, unit)? else {
        return Ok(None);
    };
    let state = context.facts.unit(context.system, unit)?;
    let runs = matches!(&*state.active, "active" | "reloading" | "activating");
    let owed = runs && !mark.void(&boot(context)?, state.started);
    Ok(owed.then_some(mark.action))
}

/// Clears the unit's mark: it has heard of every change.
///
/// # Errors
/// When the mark cannot be removed.
pub fn clear(context: &Context<'_>, unit: &str) -> Result<(), Fault> {
    let path = path(unit);
    context
        .system
        .remove(&path)
        .map_err(|error| Fault::new(format!("cannot remove {}", path.display()), error))
}

fn path(unit: &str) -> PathBuf {
    // An escaped unit name has no slash (systemd-escape(1)).
    paths::pending().join(unit.replace('/', "-"))
}

fn load(context: &Context<'_>, unit: &str) -> Result<Option<Mark>, Fault> {
    let path = path(unit);
    let bytes = context
        .system
        .read(&path)
        .map_err(|error| Fault::new(format!("cannot read {}", path.display()), error))?;
    Ok(bytes.and_then(|bytes| Mark::parse(&String::from_utf8_lossy(&bytes))))
}

fn store(context: &Context<'_>, unit: &str, mark: &Mark) -> Result<(), Fault> {
    let path = path(unit);
    let fault = |error| Fault::new(format!("cannot write {}", path.display()), error);
    context
        .system
        .make_directory(&paths::pending())
        .map_err(fault)?;
    context
        .system
        .write(&path, mark.text().as_bytes(), &Ownership::root(0o600))
        .map_err(fault)
}

pub(super) fn boot(context: &Context<'_>) -> Result<String, Fault> {
    kernel(context, "/proc/sys/kernel/random/boot_id")
}

pub(super) fn uptime(context: &Context<'_>) -> Result<u64, Fault> {
    let path = "/proc/uptime";
    let text = kernel(context, path)?;
    let seconds: Option<f64> = text.split(' ').next().and_then(|word| word.parse().ok());
    let seconds = seconds.ok_or_else(|| Fault::new(format!("cannot read {path}"), &text))?;
    // The kernel gives hundredths of a second, cut off: the end of that hundredth is the safe side.
    Ok(std::time::Duration::from_secs_f64(seconds.max(0.0) + 0.01)
        .as_micros()
        .try_into()
        .unwrap_or(u64::MAX))
}

fn kernel(context: &Context<'_>, path: &str) -> Result<String, Fault> {
    let bytes = context
        .system
        .read(Path::new(path))
        .map_err(|error| Fault::new(format!("cannot read {path}"), error))?
        .ok_or_else(|| Fault::new(format!("cannot read {path}"), "it is not there"))?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixture::{Bench, Fixture};

    fn host(started: u64) -> Fixture {
        let system = Fixture::new();
        system.put("/proc/sys/kernel/random/boot_id", "boot-1\n");
        system.put("/proc/uptime", "100.00 50.00\n");
        system.script(
            "systemctl show *",
            &format!(
                "LoadState=loaded\nActiveState=active\nExecMainStartTimestampMonotonic={started}\n"
            ),
        );
        system
    }

    #[test]
    fn the_stronger_action_stays_until_it_is_cleared() {
        let bench = Bench::new(host(1));
        let context = bench.context();
        mark(&context, &Notify::restart("a.service")).unwrap();
        mark(&context, &Notify::reload("a.service")).unwrap();
        assert_eq!(read(&context, "a.service").unwrap(), Some(Action::Restart));
        assert_eq!(read(&context, "b.service").unwrap(), None);
        clear(&context, "a.service").unwrap();
        assert_eq!(read(&context, "a.service").unwrap(), None);
    }

    #[test]
    fn a_unit_started_during_the_change_still_owes_and_one_started_after_it_does_not() {
        let bench = Bench::new(host(101_000_000));
        let context = bench.context();
        mark(&context, &Notify::reload("a.service")).unwrap();
        assert_eq!(read(&context, "a.service").unwrap(), Some(Action::Reload));
        settle(&context, "a.service").unwrap();
        assert_eq!(read(&context, "a.service").unwrap(), None);
    }

    #[test]
    fn a_settled_mark_of_a_unit_that_has_run_since_before_is_owed() {
        let bench = Bench::new(host(99_000_000));
        let context = bench.context();
        mark(&context, &Notify::reload("a.service")).unwrap();
        settle(&context, "a.service").unwrap();
        assert_eq!(read(&context, "a.service").unwrap(), Some(Action::Reload));
    }

    #[test]
    fn a_change_that_fails_owes_nothing_new_and_forgives_nothing_old() {
        let bench = Bench::new(host(1));
        let context = bench.context();
        let notify = Notify::restart("a.service");
        let fails = || around(&context, &[&notify, &notify], || Err(Fault::new("x", "y")));
        fails().unwrap_err();
        assert_eq!(read(&context, "a.service").unwrap(), None);
        around(&context, &[&Notify::reload("a.service")], || Ok(())).unwrap();
        fails().unwrap_err();
        assert_eq!(read(&context, "a.service").unwrap(), Some(Action::Reload));
    }

    #[test]
    fn a_reboot_pays_every_debt() {
        let bench = Bench::new(host(1));
        let context = bench.context();
        mark(&context, &Notify::reload("a.service")).unwrap();
        bench
            .system
            .put("/proc/sys/kernel/random/boot_id", "boot-2\n");
        assert_eq!(read(&context, "a.service").unwrap(), None);
    }
}
