//! A systemd unit's state.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Action, Context, Manage, UnitState, pending, previous};
use crate::agent::system::{Fault, Invocation};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// How long a unit may take to become active, stop, or reload.
const DEADLINE: Duration = Duration::from_secs(120);

/// How long a unit must have been active to count as started: a program that dies at once is seen.
const SETTLE: Duration = Duration::from_millis(300);

/// Whether a unit starts at boot and runs now, and whether what runs is what is on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Service {
    /// The unit's full name: `nginx.service`.
    pub unit: String,
    /// Whether it starts at boot.
    pub enabled: bool,
    /// Whether it must run now; `None` leaves that to somebody else, as the application is left to deploy.
    pub running: Option<bool>,
}

impl Service {
    fn describe(&self, enabled: &str, running: &str, pending: &str, loaded: &str) -> Attributes {
        let attributes = Attributes::new()
            .text("enabled", enabled)
            .text("pending", pending)
            .text("loaded", loaded);
        match self.running {
            Some(_) => attributes.text("running", running),
            None => attributes,
        }
    }

    fn enabled<'s>(&self, state: &'s UnitState) -> &'s str {
        match &*state.file {
            "enabled" => "yes",
            "disabled" | "enabled-runtime" | "linked" | "linked-runtime" => "no",
            // Units without an [Install] section start with what needs them: there is nothing to switch.
            "static" | "generated" | "indirect" | "alias" | "transient" => yes_or_no(self.enabled),
            other => other,
        }
    }

    fn running<'s>(&self, state: &'s UnitState) -> &'s str {
        match (&*state.active, self.running) {
            ("active" | "reloading", _) => "yes",
            ("inactive", _) | ("failed", Some(false) | None) => "no",
            (other, _) => other,
        }
    }

    fn state(&self, context: &Context<'_>) -> Result<UnitState, Fault> {
        context.facts.unit(context.system, &self.unit)
    }

    fn systemctl(&self, verb: &str, context: &Context<'_>) -> Result<(), Fault> {
        let what = format!("cannot {verb} {}", self.unit);
        let argv = ["systemctl", verb, "--", &self.unit];
        let output = context
            .system
            .run(&Invocation::new(&argv).deadline(DEADLINE));
        context.facts.forget();
        output
            .map_err(|error| Fault::new(&what, error))
            .and_then(|output| output.checked(&what))
            .map(drop)
            .map_err(|fault| self.with_journal(fault, context))
    }

    /// The fault with the unit's last 20 lines, which say why.
    fn with_journal(&self, fault: Fault, context: &Context<'_>) -> Fault {
        let argv = [
            "journalctl",
            "--no-pager",
            "--quiet",
            "--lines=20",
            "--output=cat",
            "--unit",
            &self.unit,
        ];
        let lines = match context.system.run(&Invocation::new(&argv)) {
            Ok(output) if output.success() => output.stdout,
            Ok(_) | Err(_) => String::new(),
        };
        let why = format!(
            "{}\nlast lines of {}:\n{}",
            fault.why,
            self.unit,
            lines.trim_end()
        );
        Fault { why, ..fault }.hint(format!("on the host: `systemctl status {}`", self.unit))
    }

    /// What it must do itself: certificates are another resource's.
    fn owed(&self, context: &Context<'_>) -> Result<Option<Action>, Fault> {
        let owed = pending::read(context, &self.unit)?;
        Ok(owed.filter(|action| *action != Action::Rotate))
    }

    /// Brings it up; where it does not start with a configuration that it never ran with, with the one before.
    fn bring_up_or_back(&self, context: &Context<'_>) -> Result<(), Fault> {
        let before = previous::unproven(context, &self.unit)?;
        let Some(before) = before else {
            return self.bring_up(context);
        };
        let Err(fault) = self.bring_up(context) else {
            return match previous::unproven(context, &self.unit)? {
                Some(_) => Ok(()),
                None => previous::forget(context, &self.unit),
            };
        };
        let path = before.path.display();
        before.put_back(context)?;
        let again = self
            .systemctl("restart", context)
            .and_then(|()| self.wait_until_active(true, context));
        let state = match again {
            Ok(()) => format!("the old {path} is back, and {} runs with it", self.unit),
            Err(second) => format!(
                "with the old {path} it does not start either: {}",
                second.why
            ),
        };
        Err(Fault {
            why: format!("{state}\n{}", fault.why),
            ..fault
        })
    }

    fn switch_at_boot(&self, context: &Context<'_>) -> Result<(), Fault> {
        let state = self.state(context)?;
        match self.enabled(&state) {
            found if found == yes_or_no(self.enabled) => Ok(()),
            "masked" | "masked-runtime" if self.enabled => Err(Fault::new(
                format!("cannot enable {}", self.unit),
                "somebody masked it",
            )
            .hint(format!(
                "if it is meant to run: `systemctl unmask {}` on the host",
                self.unit
            ))),
            _ => self.systemctl(if self.enabled { "enable" } else { "disable" }, context),
        }
    }

    fn bring_up(&self, context: &Context<'_>) -> Result<(), Fault> {
        let owed = self.owed(context)?;
        let state = self.state(context)?;
        let up = matches!(&*state.active, "active" | "reloading");
        match (up, self.running, owed) {
            (false, Some(true), _) => self.systemctl("start", context)?,
            (true, Some(false), _) => return self.systemctl("stop", context),
            (true, _, Some(action)) => self.systemctl(action.word(), context)?,
            _ => return Ok(()),
        }
        self.wait_until_active(owed != Some(Action::Reload) || !up, context)
    }

    fn wait_until_active(&self, started: bool, context: &Context<'_>) -> Result<(), Fault> {
        let pause = Duration::from_millis(200);
        let mut waited = Duration::ZERO;
        if started {
            context.system.sleep(SETTLE);
        }
        loop {
            context.facts.forget();
            let state = self.state(context)?;
            if state.active == "active" {
                return Ok(());
            }
            let hopeless =
                matches!(&*state.active, "failed" | "inactive") || state.sub == "auto-restart";
            if hopeless || waited >= DEADLINE {
                let why = format!(
                    "it is {} ({}) after {} s",
                    state.active,
                    state.sub,
                    waited.as_secs()
                );
                let fault = Fault::new(format!("{} did not start", self.unit), why);
                return Err(self.with_journal(fault, context));
            }
            context.system.sleep(pause);
            waited += pause;
        }
    }
}

fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

impl Manage for Service {
    fn id(&self) -> Id {
        Id::new(Kind::Service, &self.unit)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        let running = yes_or_no(self.running.unwrap_or_default());
        Some(self.describe(yes_or_no(self.enabled), running, "none", "current"))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let state = self.state(context)?;
        if state.load == "not-found" {
            return Ok(None);
        }
        let pending = self.owed(context)?;
        Ok(Some(self.describe(
            self.enabled(&state),
            self.running(&state),
            pending.map_or("none", Action::word),
            if state.stale { "stale" } else { "current" },
        )))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        context.facts.forget();
        if self.state(context)?.stale {
            reload_manager(context)?;
        }
        if self.state(context)?.load == "not-found" {
            return Err(Fault::new(
                format!("cannot switch {}", self.unit),
                "there is no such unit on this host",
            )
            .hint("the package or the unit file that brings it must come before it"));
        }
        self.switch_at_boot(context)?;
        self.bring_up_or_back(context)?;
        match pending::read(context, &self.unit)? {
            Some(Action::Rotate) => Ok(()),
            _ => pending::clear(context, &self.unit),
        }
    }
}

/// Makes systemd read the unit files that changed.
///
/// # Errors
/// When systemd does not answer.
pub(super) fn reload_manager(context: &Context<'_>) -> Result<(), Fault> {
    let what = "cannot make systemd read its unit files";
    let output = context
        .system
        .run(&Invocation::new(&["systemctl", "daemon-reload"]).deadline(DEADLINE))
        .map_err(|error| Fault::new(what, error))?;
    context.facts.forget();
    output.checked(what).map(drop)
}

#[cfg(test)]
mod tests;
