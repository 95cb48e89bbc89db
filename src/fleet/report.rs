//! Asks a host's agent for a report.

use serde_json::Value;

use super::{Member, settle};
use crate::agent::message::{Event, Operation, Outcome};
use crate::error::{Error, ErrorKind};
use crate::host::Reply;

/// The report that the operation gives.
///
/// # Errors
/// The agent's own fault; a connection that was lost.
pub async fn report(member: &Member, operation: Operation) -> Result<Value, Error> {
    let region = member.session.region();
    let mut report = None;
    let reply = member
        .session
        .request(operation, &[], |event| {
            if let Event::Report { value } = event {
                report = Some(value);
            }
        })
        .await?;
    let failed = || {
        let what = format!("{region}: the agent gave no report");
        Error::new(ErrorKind::Failed, what)
    };
    match (reply, report) {
        (Reply::Finished(Outcome::Converged { .. }), Some(report)) => Ok(report),
        (Reply::Finished(outcome), _) => Err(settle(region, outcome).err().unwrap_or_else(failed)),
        (Reply::Lost(_), _) => Err(Error::new(
            ErrorKind::Unreachable,
            format!("{region}: the connection was lost"),
        )
        .hint("nothing was changed; run it again")),
    }
}
