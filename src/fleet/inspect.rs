//! What would change on each host.

use super::{Member, Project, clock};
use crate::agent::message::{Event, Facts, Holder, Operation, Outcome, Target, Unmet};
use crate::error::{Error, ErrorKind};
use crate::host::{Reply, Session};
use crate::plan::Plan;
use crate::resource::{Requirement, Resource};

/// A host's answer.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// What would change.
    pub plan: Plan,
    /// The host itself.
    pub facts: Facts,
    /// A run that is under way.
    pub busy: Option<Holder>,
    /// What the host lacks.
    pub unmet: Vec<Unmet>,
    /// The release that must be sent first.
    pub needs_release: bool,
}

/// Compares a host with its resources, and looks whether it has what they need.
///
/// # Errors
/// When the connection is lost, or the agent cannot read a resource.
pub async fn inspect(
    member: &Member,
    resources: &[Resource],
    requirements: &[Requirement],
) -> Result<Inspected, Error> {
    let operation = Operation::Inspect {
        resources: resources.to_vec(),
        requirements: requirements.to_vec(),
    };
    ask(&member.session, member, operation).await
}

/// Compares a host again after a run, over a new connection where the first was lost meanwhile.
///
/// # Errors
/// When the host cannot be reached any more, or the agent cannot read a resource.
pub async fn inspect_again(
    project: &Project,
    member: &Member,
    resources: &[Resource],
    requirements: &[Requirement],
) -> Result<Inspected, Error> {
    match inspect(member, resources, requirements).await {
        Err(error) if error.kind == ErrorKind::Unreachable => {
            let session = member.reconnect(project).await?;
            let operation = Operation::Inspect {
                resources: resources.to_vec(),
                requirements: requirements.to_vec(),
            };
            let answer = ask(&session, member, operation).await;
            session.close().await;
            answer
        }
        answer => answer,
    }
}

/// Compares a host's generation with the wanted one.
///
/// # Errors
/// When the connection is lost, the host is not provisioned, or has nothing to go back to.
pub async fn inspect_release(member: &Member, target: Target) -> Result<Inspected, Error> {
    ask(&member.session, member, Operation::InspectRelease(target)).await
}

async fn ask(session: &Session, member: &Member, operation: Operation) -> Result<Inspected, Error> {
    let region = session.region();
    let mut answer = None;
    let mut needs_release = false;
    let reply = session
        .request(operation, &[], |event| match event {
            Event::Inspected {
                facts,
                resources,
                changes,
                busy,
                unmet,
            } => {
                let plan = Plan {
                    target: region.to_owned(),
                    resources,
                    changes,
                };
                answer = Some((plan, facts, busy, unmet));
            }
            Event::NeedsRelease { .. } => needs_release = true,
            Event::Note { text } => member.lane.note(&text),
            _ => {}
        })
        .await?;
    match (reply, answer) {
        (Reply::Finished(Outcome::Converged { .. }), Some((plan, facts, busy, mut unmet))) => {
            match clock::compare(facts.synchronised, session.skew()) {
                clock::Verdict::Right => {}
                clock::Verdict::Wrong(wrong) => unmet.push(wrong),
                clock::Verdict::Unknown(note) => member.lane.note(&note),
            }
            Ok(Inspected {
                plan,
                facts,
                busy,
                unmet,
                needs_release,
            })
        }
        (Reply::Finished(Outcome::Failed { what, why, hint }), _) => {
            let error = Error::new(ErrorKind::Failed, format!("{region}: {what}")).cause(why);
            Err(hint.into_iter().fold(error, Error::hint))
        }
        (Reply::Lost(_), _) => Err(Error::new(
            ErrorKind::Unreachable,
            format!("{region}: the connection was lost"),
        )
        .hint("nothing was changed; run it again")),
        (Reply::Finished(_), _) => Err(Error::new(
            ErrorKind::Failed,
            format!("{region}: the agent gave no inspection"),
        )),
    }
}
