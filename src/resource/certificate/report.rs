//! How the certificate of an application stands on a host, for an operator.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attempts;
use super::described::Described;
use super::lineage;
use crate::agent::system::{Fault, Invocation, System};

/// A host's certificate and its renewal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The certificate on disk; `None` where there is none.
    pub certificate: Option<OnDisk>,
    /// Whether the last run of certbot's timer failed.
    pub renewal_failed: bool,
    /// What systemd says of that run: `exit-code`, and when it ended.
    pub renewal: String,
    /// Why the last attempt of a provision was refused; empty where none was.
    pub refused: String,
}

/// A certificate on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnDisk {
    /// The names in it.
    pub names: Vec<String>,
    /// Its issuer's common name.
    pub issuer: String,
    /// Its serial number, hex.
    pub serial: String,
    /// The beginning of its validity.
    pub not_before: Timestamp,
    /// The end of its validity.
    pub not_after: Timestamp,
}

/// The report; `None` where the host has no certificate of that application and never asked for one.
///
/// # Errors
/// When the certificate or the attempts cannot be read.
pub fn report(app: &str, system: &dyn System) -> Result<Option<Report>, Fault> {
    let lineage = lineage(app);
    let found = Described::read(&lineage, system)?;
    let mark = attempts::mark(&lineage, system)?;
    if found.is_none() && mark.why.is_empty() {
        return Ok(None);
    }
    let (renewal_failed, renewal) = last_run(system)?;
    Ok(Some(Report {
        certificate: found.map(|found| OnDisk {
            names: found.names,
            issuer: found.issuer,
            serial: found.serial,
            not_before: found.not_before,
            not_after: found.not_after,
        }),
        renewal_failed,
        renewal,
        refused: mark.why,
    }))
}

/// How the last run of certbot's timer ended; a unit that never ran counts as well.
fn last_run(system: &dyn System) -> Result<(bool, String), Fault> {
    let what = "cannot ask how certbot's last run ended";
    let argv = [
        "systemctl",
        "show",
        "--property=Result,ExecMainExitTimestamp",
        "certbot.service",
    ];
    let output = system
        .run(&Invocation::new(&argv))
        .map_err(|error| Fault::new(what, error))?
        .checked(what)?;
    let property = |name: &str| {
        let mut lines = output.stdout.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    };
    let result = property("Result").unwrap_or("unknown");
    let ended = property("ExecMainExitTimestamp").unwrap_or_default();
    Ok((
        result != "success",
        format!("{result} {ended}").trim().to_owned(),
    ))
}
