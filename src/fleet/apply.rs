//! Makes consented changes on several hosts.

use futures_util::future::join_all;

use super::run::{follow, settle};
use super::{Member, Project};
use crate::agent::message::Operation;
use crate::error::{Error, ErrorKind};
use crate::inventory::Region;
use crate::plan::Plan;
use crate::resource::{Requirement, Resource};

/// One host's part.
pub struct Job<'a> {
    /// The host.
    pub member: &'a Member,
    /// Its region.
    pub region: &'a Region,
    /// All its resources, in order.
    pub resources: &'a [Resource],
    /// What the host must still offer when the changes begin.
    pub requirements: &'a [Requirement],
    /// What was consented to.
    pub plan: &'a Plan,
}

/// Runs all jobs in parallel. Each gives the number of changes and the units that heard of them.
pub async fn apply(
    project: &Project,
    jobs: &[Job<'_>],
) -> Vec<Result<(usize, Vec<String>), Error>> {
    join_all(jobs.iter().map(|job| one(project, job))).await
}

async fn one(project: &Project, job: &Job<'_>) -> Result<(usize, Vec<String>), Error> {
    let lane = &job.member.lane;
    if job.plan.is_empty() {
        lane.done("nothing to change");
        return Ok((0, Vec::new()));
    }
    let run = name("provision");
    let operation = Operation::Apply {
        run: run.clone(),
        resources: job.resources.to_vec(),
        requirements: job.requirements.to_vec(),
        changes: job.plan.changes.clone(),
        confirm_within: job.region.firewall.confirm_within.as_secs(),
    };
    let ended = match follow(project, job.member, &run, operation).await {
        Ok(outcome) => settle(job.member.session.region(), outcome),
        Err(error) => Err(error),
    };
    match &ended {
        Ok((changed, _)) => lane.done(&crate::text::count(*changed, "change")),
        Err(error) => lane.fail(short(error)),
    }
    ended
}

/// A name for a run that no other has: `provision-20241201T120000Z-1f3a`.
pub(super) fn name(what: &str) -> String {
    let now = jiff::Timestamp::now();
    let text = now.strftime("%Y%m%dT%H%M%SZ");
    let fraction = now.subsec_nanosecond() ^ i32::try_from(std::process::id()).unwrap_or_default();
    format!("{what}-{text}-{:04x}", fraction & 0xffff)
}

/// An error in a word or two, for the end of a lane; the whole of it is told once, at the end.
pub(super) fn short(error: &Error) -> &'static str {
    match error.kind {
        ErrorKind::RolledBack => "rolled back",
        ErrorKind::Unreachable => "connection lost",
        ErrorKind::Stale => "moved since the plan",
        ErrorKind::LeaseHeld => "busy",
        ErrorKind::LoginRefused => "login refused",
        ErrorKind::Failed
        | ErrorKind::Partial
        | ErrorKind::Usage
        | ErrorKind::Input
        | ErrorKind::Interrupted => "failed",
    }
}
