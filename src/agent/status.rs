//! What runs on the host, as a report.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::system::{Fault, System};
use super::{generation, http, inspect, run, units};
use crate::resource::certificate;

/// The report of one host:
/// `{app, current, generations: [{id, release, state, since, good}], health: {status, body}, sse, busy, disk, certificate}`.
///
/// # Errors
/// When systemd or the generations cannot be read.
pub(super) fn report(app: &str, system: &dyn System) -> Result<Value, Fault> {
    let unreadable = |error: std::io::Error| Fault::new("cannot read the generations", error);
    let states = units::states(app, system)?;
    let current = generation::current()
        .map_err(unreadable)?
        .map(|current| current.id());
    let mut generations = Vec::new();
    for found in generation::all().map_err(unreadable)? {
        let id = found.id();
        let state = states
            .iter()
            .find(|(running, _)| *running == id)
            .map(|(_, state)| state.as_str());
        generations.push(json!({
            "id": id,
            "release": found.release,
            "state": state.unwrap_or("stopped"),
            "since": if state.is_some() { units::since(&units::instance(app, &id), system)? } else { String::new() },
            "good": found.is_good(),
        }));
    }
    let health = current.as_ref().map(|id| {
        let socket = PathBuf::from("/run").join(app).join(format!("{id}.sock"));
        match http::get_unix(&socket, "/api/health") {
            Ok(answer) => json!({
                "status": answer.status,
                "body": serde_json::from_str::<Value>(&answer.body).unwrap_or(Value::String(answer.body)),
            }),
            Err(error) => json!({ "status": 0, "body": error.to_string() }),
        }
    });
    let facts = inspect::facts(system, None);
    Ok(json!({
        "app": app,
        "current": current,
        "generations": generations,
        "health": health,
        "busy": run::active().map_err(unreadable)?,
        "certificate": certificate::report(app, system)?,
        "host": { "distribution": facts.distribution, "release": facts.release, "free_disk_mib": facts.free_disk },
    }))
}
