//! Asks a host's agent for a report.

use serde_json::Value;

use super::{Member, settle};
use crate::agent::message::{Event, Operation, Outcome};
use crate::error::{Error, ErrorKind};
use crate::host::Reply;

/// What to type next where an operation that changes nothing lost its connection.
pub const UNCHANGED: &str = "nothing was changed; run it again";

/// The report that the operation gives; `lost` is what to type next where the connection is lost.
///
/// # Errors
/// The agent's own fault; a connection that was lost.
pub async fn report(
    member: &Member,
    operation: Operation,
    lost: Option<&str>,
) -> Result<Value, Error> {
    let mut report = None;
    let reply = member
        .session
        .request(operation, &[], |event| {
            if let Event::Report { value } = event {
                report = Some(value);
            }
        })
        .await?;
    reported(member.session.region(), reply, report, lost)
}

/// The report that came before the end of an operation, where that ended well; `lost` as for [`report`].
///
/// # Errors
/// The agent's own fault; an end without a report; a connection that was lost.
pub fn reported(
    region: &str,
    reply: Reply,
    report: Option<Value>,
    lost: Option<&str>,
) -> Result<Value, Error> {
    let failed = || {
        let what = format!("{region}: the agent gave no report");
        Error::new(ErrorKind::Failed, what)
    };
    match (reply, report) {
        (Reply::Finished(Outcome::Converged { .. }), Some(report)) => Ok(report),
        (Reply::Finished(outcome), _) => Err(settle(region, outcome).err().unwrap_or_else(failed)),
        (Reply::Lost(_), _) => {
            let what = format!("{region}: the connection was lost");
            let error = Error::new(ErrorKind::Unreachable, what);
            Err(match lost {
                Some(hint) => error.hint(hint),
                None => error,
            })
        }
    }
}
