//! One detached run of one host, followed to its end.

use std::time::Duration;

use tokio::sync::mpsc;

use super::{Member, Project};
use crate::agent::message::{Event, Holder, Operation, Outcome};
use crate::error::{Error, ErrorKind};
use crate::host::{Reply, Session};

/// How often a lost connection is made anew before the run is left to itself.
const ATTEMPTS: u64 = 6;

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
    let mut follower = Follower::new(project, member, run);
    match follower.request(&member.session, operation).await? {
        Reply::Finished(outcome) => follower.end(outcome),
        Reply::Lost(_) => follower.reattach().await,
    }
}

/// Follows a run that is under way already.
///
/// # Errors
/// As [`follow`].
pub(super) async fn attach(
    project: &Project,
    member: &Member,
    run: &str,
) -> Result<Outcome, Error> {
    let operation = Operation::Attach {
        run: run.to_owned(),
        seen: 0,
    };
    follow(project, member, run, operation).await
}

struct Follower<'a> {
    project: &'a Project,
    member: &'a Member,
    run: &'a str,
    /// How many events were seen, over all connections.
    seen: usize,
    busy: Option<Holder>,
}

impl<'a> Follower<'a> {
    fn new(project: &'a Project, member: &'a Member, run: &'a str) -> Self {
        Self {
            project,
            member,
            run,
            seen: 0,
            busy: None,
        }
    }

    async fn request(&mut self, session: &Session, operation: Operation) -> Result<Reply, Error> {
        let (confirm, mut confirmations) = mpsc::unbounded_channel();
        let lane = &self.member.lane;
        let request = session.request(operation, &[], |event| {
            self.seen += 1;
            match event {
                Event::Started { number, of, step } => lane.step(number, of, &step),
                Event::Note { text } => lane.note(&text),
                Event::AwaitingConfirmation { seconds } => drop(confirm.send(seconds)),
                Event::Busy { holder } => self.busy = Some(holder),
                Event::Done { .. }
                | Event::Inspected { .. }
                | Event::NeedsRelease { .. }
                | Event::Report { .. }
                | Event::Finished { .. } => {}
            }
        });
        let confirming = async {
            while let Some(seconds) = confirmations.recv().await {
                confirm_afresh(self.project, self.member, self.run, seconds).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            reply = request => reply,
            () = confirming => Ok(Reply::Lost(0)),
        }
    }

    async fn reattach(&mut self) -> Result<Outcome, Error> {
        for attempt in 1..=ATTEMPTS {
            self.member
                .lane
                .note("the connection was lost; the run goes on, connecting again");
            tokio::time::sleep(Duration::from_secs(attempt)).await;
            let Ok(session) = self.member.reconnect(self.project).await else {
                continue;
            };
            let operation = Operation::Attach {
                run: self.run.to_owned(),
                seen: self.seen,
            };
            let reply = self.request(&session, operation).await;
            session.close().await;
            if let Ok(Reply::Finished(outcome)) = reply {
                return self.end(outcome);
            }
        }
        Err(left_alone(self.member.session.region(), self.run))
    }

    fn end(&mut self, outcome: Outcome) -> Result<Outcome, Error> {
        match self.busy.take() {
            Some(holder) => Err(held(self.member.session.region(), &holder)),
            None => Ok(outcome),
        }
    }
}

/// Shows the host that it can still be reached. Where that fails, the host undoes the change by itself.
async fn confirm_afresh(project: &Project, member: &Member, run: &str, seconds: u64) {
    member.lane.note(&format!(
        "confirming the firewall over a fresh connection, within {seconds} s"
    ));
    let attempt = async {
        let session: Session = member.reconnect(project).await?;
        let reply = session
            .request(
                Operation::Confirm {
                    run: run.to_owned(),
                },
                &[],
                |_| {},
            )
            .await;
        session.close().await;
        reply
    };
    let late = Duration::from_secs(seconds);
    match tokio::time::timeout(late, attempt).await {
        Ok(Ok(Reply::Finished(Outcome::Converged { .. }))) => {}
        Ok(Ok(_)) => member
            .lane
            .note("the host undid the change before it was confirmed"),
        Ok(Err(error)) => member
            .lane
            .note(&format!("no fresh connection: {}", error.what)),
        Err(_) => member.lane.note("no fresh connection in time"),
    }
}

pub(super) fn held(region: &str, holder: &Holder) -> Error {
    Error::new(
        ErrorKind::LeaseHeld,
        format!("{region}: another run is under way"),
    )
    .cause(format!(
        "{} runs {} since {} ({})",
        holder.operator, holder.what, holder.since, holder.run
    ))
    .hint("wait for its end and run it again")
}

fn left_alone(region: &str, run: &str) -> Error {
    Error::new(
        ErrorKind::Unreachable,
        format!("{region}: the connection stays lost while a run is under way"),
    )
    .cause(format!(
        "the run {run} goes on without it and ends as it would have"
    ))
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
            Err(Error::new(
                ErrorKind::Stale,
                format!("{region}: the host or the inventory moved since the plan"),
            )
            .cause(ids.join(", "))
            .hint("nothing was changed; make a new plan"))
        }
        Outcome::RolledBack { what, why, log } => {
            let error = Error::new(
                ErrorKind::RolledBack,
                format!("{region}: rolled back: {what}"),
            )
            .cause(why);
            Err(if log.is_empty() {
                error
            } else {
                error.cause(format!("its last lines:\n{}", log.join("\n")))
            })
        }
        Outcome::Pending { what, why, hint } => {
            let error =
                Error::new(ErrorKind::Partial, format!("{region}: pending: {what}")).cause(why);
            Err(hint.into_iter().fold(error, Error::hint))
        }
        Outcome::Failed { what, why, hint } => {
            let error = Error::new(ErrorKind::Failed, format!("{region}: {what}")).cause(why);
            Err(hint.into_iter().fold(error, Error::hint))
        }
    }
}
