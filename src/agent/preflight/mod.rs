//! What a host must offer, looked at before anything on it is changed. All that is missing is told at once.

mod data;
mod disk;
mod names;
mod port;
mod processor;
mod supported;
#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use super::message::Unmet;
use super::system::{Fault, Invocation};
use crate::resource::{Context, Requirement};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// What is missing, in the order of the requirements.
    pub unmet: Vec<Unmet>,
    /// What could not be told, or is not as it should be and does not stop a run.
    pub notes: Vec<String>,
    /// Whether a time server sets the clock; `None` where nobody asked.
    pub synchronised: Option<bool>,
}

/// How a requirement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Met,
    Unmet(Unmet),
    Noted(String),
}

impl Verdict {
    fn unmet(what: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Unmet(Unmet {
            what: what.into(),
            found: found.into(),
            remedy: remedy.into(),
        })
    }
}

/// The operator compares the clocks; what sets this one is asked where a request seems older or newer than this.
const DOUBTFUL: Duration = Duration::from_secs(1);

/// Looks at all of them. Changes nothing. `sent` is when the operator asked, by the operator's clock.
pub(super) fn look(
    requirements: &[Requirement],
    sent: Option<SystemTime>,
    context: &Context<'_>,
) -> Findings {
    let mut findings = Findings::default();
    for requirement in requirements {
        if let Requirement::Clock = requirement {
            let doubtful = sent.is_some_and(|sent| apart(sent, context.system.now()) > DOUBTFUL);
            findings.synchronised = doubtful.then(|| synchronised(context));
            continue;
        }
        match verdict(requirement, context) {
            Ok(Verdict::Met) => {}
            Ok(Verdict::Unmet(unmet)) => findings.unmet.push(unmet),
            Ok(Verdict::Noted(note)) => findings.notes.push(note),
            Err(fault) => findings.notes.push(fault.to_string()),
        }
    }
    findings
}

/// All that is missing as one fault, for a run that is refused.
pub(super) fn refusal(unmet: &[Unmet]) -> Fault {
    let what = match unmet.len() {
        1 => "the host does not meet 1 requirement; nothing was changed".to_owned(),
        count => format!("the host does not meet {count} requirements; nothing was changed"),
    };
    let why: Vec<String> = unmet
        .iter()
        .map(|unmet| format!("{}: {}", unmet.what, unmet.found))
        .collect();
    let remedies: Vec<&str> = unmet.iter().map(|unmet| &*unmet.remedy).collect();
    Fault::new(what, why.join("\n")).hint(remedies.join("\n"))
}

fn verdict(requirement: &Requirement, context: &Context<'_>) -> Result<Verdict, Fault> {
    match requirement {
        Requirement::SupportedSystem { systems, tolerated } => {
            supported::look(systems, tolerated, context)
        }
        Requirement::VectorInstructions => processor::vectors(context),
        Requirement::MemoryLock => processor::locked_memory(context),
        Requirement::FreeDisk(wanted) => disk::look(wanted, context),
        Requirement::PortFree { port, unit } => port::look(*port, unit, context),
        Requirement::OwnData(own) => data::look(own, context),
        Requirement::NameResolves { name, addresses } => names::look(name, addresses, context),
        // The operator compares the clocks, who knows both ends of the link.
        Requirement::Clock => Ok(Verdict::Met),
    }
}

fn apart(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other)
        .unwrap_or_else(|error| error.duration())
}

/// Whether the kernel's clock is set by a time server, whichever program asks it.
fn synchronised(context: &Context<'_>) -> bool {
    let argv = [
        "timedatectl",
        "show",
        "--property=NTPSynchronized",
        "--value",
    ];
    let output = context.system.run(&Invocation::new(&argv));
    output.is_ok_and(|output| output.stdout.trim() == "yes")
}

/// A file of the kernel's or the distribution's; empty where there is none.
fn text(path: &str, context: &Context<'_>) -> Result<String, Fault> {
    let bytes = context
        .system
        .read(std::path::Path::new(path))
        .map_err(|error| Fault::new(format!("cannot read {path}"), error))?;
    Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}
