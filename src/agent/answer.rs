//! Answers one request from a connection.

use std::cell::RefCell;
use std::io::{self, Read, Write};

use super::database::Driver;
use super::message::{self, Choice, Event, Operation, Outcome, Request, Target};
use super::system::{Fault, System};
use super::{converged, deploy, failed, generation, inspect, journal, paths, run, status, undo};
use crate::plan::Change;
use crate::resource::{Context, Facts, Resource};
use crate::secrets::FingerprintKey;

/// Answers a request; `None` when the last event was written already, by the tail of a journal.
pub(super) fn answer(
    request: &Request,
    peer: Option<&str>,
    stdin: &mut impl Read,
    stdout: &mut impl Write,
    system: &dyn System,
) -> io::Result<Option<Outcome>> {
    let key = FingerprintKey::new(request.key.clone());
    match &request.operation {
        Operation::Inspect { resources } => {
            inspect_resources(resources, &key, peer, stdout, system).map(Some)
        }
        Operation::InspectRelease(target) => {
            inspect_release(target, &key, peer, stdout, system).map(Some)
        }
        Operation::Apply { run, .. } | Operation::Deploy { run, .. } => start(request, run, stdout),
        Operation::Attach { run, seen } => tail(run, *seen, stdout),
        Operation::Confirm { run } => Ok(Some(confirm(run))),
        Operation::Receive { digest } => Ok(Some(match generation::receive(digest, stdin) {
            Ok(()) => converged(1),
            Err(error) => failed(&Fault::new("cannot store the release", error)),
        })),
        Operation::Status { app } => match status::report(app, system) {
            Ok(value) => {
                message::write_event(stdout, &Event::Report { value })?;
                Ok(Some(converged(0)))
            }
            Err(fault) => Ok(Some(failed(&fault))),
        },
    }
}

fn inspect_resources(
    resources: &[Resource],
    key: &FingerprintKey,
    peer: Option<&str>,
    stdout: &mut impl Write,
    system: &dyn System,
) -> io::Result<Outcome> {
    let notes = RefCell::new(Vec::new());
    let progress = |text: &str| notes.borrow_mut().push(text.to_owned());
    let facts = Facts::about(resources);
    let context = Context {
        system,
        database: &Driver::default(),
        key,
        facts: &facts,
        progress: &progress,
    };
    let changes = inspect::changes(resources, &context);
    for text in notes.take() {
        message::write_event(stdout, &Event::Note { text })?;
    }
    match changes {
        Ok(changes) => inspected(resources.len(), changes, peer, stdout, system),
        Err(fault) => Ok(failed(&fault)),
    }
}

fn inspect_release(
    target: &Target,
    key: &FingerprintKey,
    peer: Option<&str>,
    stdout: &mut impl Write,
    system: &dyn System,
) -> io::Result<Outcome> {
    let change = match deploy::plan(target, key) {
        Ok(change) => change,
        Err(fault) => return Ok(failed(&fault)),
    };
    if let Choice::Release(release) = &target.choice
        && !generation::adopt_agent(release)?
    {
        message::write_event(
            stdout,
            &Event::NeedsRelease {
                digest: release.clone(),
            },
        )?;
    }
    inspected(1, change.into_iter().collect(), peer, stdout, system)
}

fn start(request: &Request, run: &str, stdout: &mut impl Write) -> io::Result<Option<Outcome>> {
    let frame = zeroize::Zeroizing::new(message::encode(request)?);
    match run::start(run, &frame) {
        Ok(()) => tail(run, 0, stdout),
        Err(run::Refused::Busy(holder)) => {
            message::write_event(stdout, &Event::Busy { holder })?;
            Ok(Some(converged(0)))
        }
        Err(run::Refused::Io(error)) => {
            Ok(Some(failed(&Fault::new("cannot start the run", error))))
        }
    }
}

fn confirm(run: &str) -> Outcome {
    if undo::confirm(run) {
        converged(0)
    } else {
        failed(&Fault::new(
            "nothing to confirm",
            "the change was undone already",
        ))
    }
}

fn inspected(
    resources: usize,
    changes: Vec<Change>,
    peer: Option<&str>,
    stdout: &mut impl Write,
    system: &dyn System,
) -> io::Result<Outcome> {
    let event = Event::Inspected {
        facts: inspect::facts(system, peer.map(str::to_owned)),
        resources,
        changes,
        busy: run::active()?,
    };
    message::write_event(stdout, &event)?;
    Ok(converged(0))
}

fn tail(run: &str, seen: usize, stdout: &mut impl Write) -> io::Result<Option<Outcome>> {
    let path = paths::journal(run);
    if journal::tail(&path, seen, || run::alive(run), stdout)? {
        return Ok(None);
    }
    Ok(Some(failed(
        &Fault::new(
            format!("the run {run} ended in the middle"),
            "its process died",
        )
        .hint("run the same command again: it completes what is missing"),
    )))
}
