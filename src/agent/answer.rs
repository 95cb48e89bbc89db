//! Answers one request from a connection.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::database::Driver;
use super::message::{self, Choice, Event, Operation, Outcome, Request, Target};
use super::system::{Fault, System};
use super::{
    archive, backup, census, converged, database_link, database_status, deploy, failed, generation,
    inspect, journal, paths, preflight, run, status, undo,
};
use crate::resource::{Context, Facts, Requirement, Resource};
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
        Operation::Inspect {
            resources,
            requirements,
        } => {
            let wanted = (&resources[..], &requirements[..], sent(request));
            inspect_resources(wanted, &key, peer, stdout, system).map(Some)
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
        Operation::ReceiveArchive { digest } => Ok(Some(match archive::receive(digest, stdin) {
            Ok(()) => converged(1),
            Err(error) => failed(&Fault::new("cannot store the file", error)),
        })),
        Operation::Backup(order) => {
            backup::answer(order, &request.operator, stdin, stdout, system).map(Some)
        }
        Operation::Status { app } => reported(status::report(app, system), stdout),
        Operation::DatabaseLink { app } => reported(link(app), stdout),
        Operation::DatabaseStatus(watch) => {
            let found = database_status::report(watch, system, &Driver::default());
            reported(found.and_then(|report| as_value(&report)), stdout)
        }
        Operation::Census {
            connection,
            database,
            others,
        } => reported(
            census::report(connection, database, others, &key, system),
            stdout,
        ),
    }
}

fn reported(report: Result<Value, Fault>, stdout: &mut impl Write) -> io::Result<Option<Outcome>> {
    match report {
        Ok(value) => {
            message::write_event(stdout, &Event::Report { value })?;
            Ok(Some(converged(0)))
        }
        Err(fault) => Ok(Some(failed(&fault))),
    }
}

fn as_value(report: &impl serde::Serialize) -> Result<Value, Fault> {
    serde_json::to_value(report).map_err(|error| Fault::new("the report cannot be written", error))
}

/// The link of the environment that the next generation gets.
fn link(app: &str) -> Result<Value, Fault> {
    let path = paths::environment(app);
    let environment = std::fs::read(&path).map_err(|error| {
        Fault::new(format!("cannot read {}", path.display()), error)
            .hint("the host is not provisioned yet: run `geodeploy provision` first")
    })?;
    let environment = zeroize::Zeroizing::new(environment);
    as_value(&database_link::test(&environment)?)
}

/// When the operator sent it, by the operator's clock.
fn sent(request: &Request) -> Option<SystemTime> {
    let since = Duration::from_millis(u64::try_from(request.sent).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

fn inspect_resources(
    (resources, requirements, sent): (&[Resource], &[Requirement], Option<SystemTime>),
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
    let found = preflight::look(requirements, sent, &context);
    let changes = inspect::changes(resources, &context);
    notes.borrow_mut().extend(found.notes);
    for text in notes.take() {
        message::write_event(stdout, &Event::Note { text })?;
    }
    match changes {
        Ok(changes) => {
            let mut facts = inspect::facts(system, peer.map(str::to_owned));
            facts.synchronised = found.synchronised;
            let event = Event::Inspected {
                facts,
                resources: resources.len(),
                changes,
                busy: run::active()?,
                unmet: found.unmet,
            };
            message::write_event(stdout, &event)?;
            Ok(converged(0))
        }
        // What the host lacks may be why it cannot be looked at: both are told.
        Err(fault) if found.unmet.is_empty() => Ok(failed(&fault)),
        Err(fault) => {
            let mut both = preflight::refusal(&found.unmet);
            both.why = format!("{}\n{fault}", both.why);
            Ok(failed(&both))
        }
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
    let event = Event::Inspected {
        facts: inspect::facts(system, peer.map(str::to_owned)),
        resources: 1,
        changes: change.into_iter().collect(),
        busy: run::active()?,
        unmet: Vec::new(),
    };
    message::write_event(stdout, &event)?;
    Ok(converged(0))
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
