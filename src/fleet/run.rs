//! One detached run of one host, followed to its end.

use std::time::Duration;

use super::{Member, Project};
use crate::agent::message::{Event, Operation, Outcome};
use crate::error::{Error, ErrorKind};
use crate::host::{Reply, Session};

/// How often a lost connection is made anew before the run is left to itself.
const ATTEMPTS: u32 = 6;

/// Starts a run and follows it to its end, over a new connection where the first is lost.
///
/// # Errors
/// When another run is under way, or the connection stays lost; the run then goes on by itself.
pub(super) async fn follow(
    project: &Project,
    member: &Member,
    run: &str,
    operation: Operation,
) -> Result<Outcome, Error> {
    let mut seen = 0;
    let mut busy = None;
    let (confirm, mut confirmations) = tokio::sync::mpsc::unbounded_channel();
    let mut on_event = |event: Event| {
        seen += 1;
        match event {
            Event::Started { number, of, step } => member.lane.step(number, of, &step),
            Event::Note { text } => member.lane.note(&text),
            Event::AwaitingConfirmation { seconds } => drop(confirm.send(seconds)),
            Event::Busy { holder } => busy = Some(holder),
            _ => {}
        }
    };
    let request = member.session.request(operation, &[], &mut on_event);
    let reply = with_confirmation(project, member, run, request, &mut confirmations).await?;
    let mut reply = match reply {
        Reply::Finished(outcome) => Some(outcome),
        Reply::Lost(_) => None,
    };
    let mut attempt = 0;
    while reply.is_none() {
        attempt += 1;
        if attempt > ATTEMPTS {
            return Err(left_alone(member.session.region(), run));
        }
        member.lane.note("the connection was lost; the run goes on, connecting again");
        tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await;
        let Ok(session) = member.reconnect(project).await else { continue };
        let operation = Operation::Attach { run: run.to_owned(), seen };
        let mut on_event = |event: Event| {
            seen += 1;
            match event {
                Event::Started { number, of, step } => member.lane.step(number, of, &step),
                Event::Note { text } => member.lane.note(&text),
                Event::AwaitingConfirmation { seconds } => drop(confirm.send(seconds)),
                _ => {}
            }
        };
        let request = session.request(operation, &[], &mut on_event);
        if let Ok(Reply::Finished(outcome)) =
            with_confirmation(project, member, run, request, &mut confirmations).await
        {
            reply = Some(outcome);
        }
        session.close().await;
    }
    match (busy, reply) {
        (Some(holder), _) => Err(held(member.session.region(), &holder)),
        (None, Some(outcome)) => Ok(outcome),
        (None, None) => Err(left_alone(member.session.region(), run)),
    }
}

/// Waits for the end of a request and confirms over a fresh connection whatever asks for it meanwhile.
async fn with_confirmation(
    project: &Project,
    member: &Member,
    run: &str,
    request: impl Future<Output = Result<Reply, Error>>,
    confirmations: &mut tokio::sync::mpsc::UnboundedReceiver<u64>,
) -> Result<Reply, Error> {
    let confirming = async {
        while let Some(seconds) = confirmations.recv().await {
            confirm(project, member, run, seconds).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        reply = request => reply,
        () = confirming => Ok(Reply::Lost(0)),
    }
}

/// Shows the host that it can still be reached. Where that fails, the host undoes the change by itself.
async fn confirm(project: &Project, member: &Member, run: &str, seconds: u64) {
    member.lane.note(&format!("confirming the firewall over a fresh connection, within {seconds} s"));
    let attempt = async {
        let session: Session = member.reconnect(project).await?;
        let reply = session.request(Operation::Confirm { run: run.to_owned() }, &[], |_| {}).await;
        session.close().await;
        reply
    };
    let late = Duration::from_secs(seconds);
    match tokio::time::timeout(late, attempt).await {
        Ok(Ok(Reply::Finished(Outcome::Converged { .. }))) => {}
        Ok(Ok(_)) => member.lane.note("the host undid the change before it was confirmed"),
        Ok(Err(error)) => member.lane.note(&format!("no fresh connection: {}", error.what)),
        Err(_) => member.lane.note("no fresh connection in time"),
    }
}

pub(super) fn held(region: &str, holder: &crate::agent::message::Holder) -> Error {
    Error::new(ErrorKind::LeaseHeld, format!("{region}: another run is under way"))
        .cause(format!("{} runs {} since {} ({})", holder.operator, holder.what, holder.since, holder.run))
        .hint("wait for its end and run it again")
}

fn left_alone(region: &str, run: &str) -> Error {
    Error::new(ErrorKind::Unreachable, format!("{region}: the connection stays lost while a run is under way"))
        .cause(format!("the run {run} goes on without it and ends as it would have"))
        .hint("run the same command again: it sees what is done and does the rest")
}

/// An outcome as a result: how many changes were made and which units heard of them.
///
/// # Errors
/// Every outcome but convergence, with its exit code.
pub fn settle(region: &str, outcome: Outcome) -> Result<(usize, Vec<String>), Error> {
    match outcome {
        Outcome::Converged { changed, restarted } => Ok((changed, restarted)),
        Outcome::Stale { moved } => {
            let ids: Vec<String> = moved.iter().map(ToString::to_string).collect();
            Err(Error::new(ErrorKind::Stale, format!("{region}: the host or the inventory moved since the plan"))
                .cause(ids.join(", "))
                .hint("nothing was changed; make a new plan"))
        }
        Outcome::RolledBack { what, why, log } => {
            let error = Error::new(ErrorKind::RolledBack, format!("{region}: rolled back: {what}")).cause(why);
            Err(if log.is_empty() {
                error
            } else {
                error.cause(format!("its last lines:\n{}", log.join("\n")))
            })
        }
        Outcome::Failed { what, why, hint } => {
            let error = Error::new(ErrorKind::Failed, format!("{region}: {what}")).cause(why);
            Err(hint.into_iter().fold(error, Error::hint))
        }
    }
}
