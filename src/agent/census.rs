//! What the host's database holds, for a growth that compares before and after.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::database::Driver;
use super::system::database::Database as _;
use super::system::{Fault, System};
use crate::resource::mongo::Connection;
use crate::resource::{Context, Facts};
use crate::secrets::FingerprintKey;

/// Where a backup that was restored for a trial is noted: `{"verified_at": RFC3339}`.
const BACKUP: &str = "/var/lib/geodeploy/backup/state.json";

/// The report of one host: what [`Connection::census`] gives, `verified_at` of its backup or null, and `reach`, the
/// milliseconds of a round trip to each of the others, null where it is not reached.
///
/// # Errors
/// When the database answers and cannot be read.
pub(super) fn report(
    connection: &Connection,
    database: &str,
    others: &[String],
    key: &FingerprintKey,
    system: &dyn System,
) -> Result<Value, Fault> {
    let driver = Driver::default();
    let context = Context {
        system,
        database: &driver,
        key,
        facts: &Facts::default(),
        progress: &|_| (),
    };
    let mut report = connection.census(&context, database)?;
    let backup = system
        .read(Path::new(BACKUP))
        .map_err(|error| Fault::new(format!("cannot read {BACKUP}"), error))?;
    let backup: Option<Value> = backup.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    report["verified_at"] = backup.map_or(Value::Null, |mut state| state["verified_at"].take());
    let reach: Map<String, Value> = others
        .iter()
        .map(|host| {
            (
                host.clone(),
                json!(driver.reaches(host).ok().map(milliseconds)),
            )
        })
        .collect();
    report["reach"] = Value::Object(reach);
    Ok(report)
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
