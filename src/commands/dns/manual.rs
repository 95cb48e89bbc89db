//! Providers without an interface: what somebody has to enter.

use serde::Serialize;

use super::{Action, Zone};
use crate::commands::Outcome;
use crate::dns::manual::{Entry, entries};
use crate::error::{Error, ErrorKind};

#[derive(Serialize)]
struct Record {
    name: String,
    r#type: &'static str,
    ttl: u64,
    value: String,
}

/// Runs the verb: whatever is asked, the records are shown. Nothing is written by it.
///
/// # Errors
/// There is nothing to lead back.
pub(super) fn run(zone: &Zone<'_>, action: &Action) -> Result<Outcome, Error> {
    if matches!(action, Action::Rollback(_)) {
        let what =
            "provider = \"manual\": geodeploy changes no record, so there is none to put back";
        return Err(Error::new(ErrorKind::Usage, what)
            .hint("`geodeploy dns plan` shows what the records should be"));
    }
    let entries = entries(zone.wanted);
    let records: Vec<Record> = entries.iter().map(record).collect();
    zone.project.ui.report("dns-records", &records, |_| {
        let width = entries.iter().map(|entry| entry.name.as_str().len() + 1);
        let width = width.max().unwrap_or_default();
        let lines: Vec<String> = entries.iter().map(|entry| entry.line(width)).collect();
        format!(
            "enter these records in the zone {} by hand:\n{}",
            zone.wanted.zone,
            lines.join("\n")
        )
    });
    Ok(Outcome::Done)
}

fn record(entry: &Entry) -> Record {
    Record {
        name: entry.name.to_string(),
        r#type: entry.record_type(),
        ttl: entry.ttl,
        value: entry.address.to_string(),
    }
}
