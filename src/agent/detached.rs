//! The process of a detached run.

use std::cell::RefCell;
use std::io;

use super::database::Driver;
use super::journal::Journal;
use super::message::{self, Event, Holder, Operation, Outcome, Request};
use super::system::{Fault, System};
use super::{apply, deploy, failed, paths, prune, run};
use crate::resource::{Context, Facts};
use crate::secrets::FingerprintKey;

/// Carries out a stored request, holding the host's lock, every event in the journal.
pub(super) fn carry_out(run: &str, system: &dyn System) -> io::Result<()> {
    let frame = std::fs::read(paths::request(run))?;
    let request = message::decode(&mut &frame[..])?;
    let what = match &request.operation {
        Operation::Deploy { .. } => "deploy",
        _ => "apply",
    };
    let holder = Holder {
        run: run.to_owned(),
        operator: request.operator.clone(),
        since: jiff::Timestamp::now().to_string(),
        what: what.to_owned(),
    };
    let _lock = match run::Lock::take(&holder) {
        Ok(lock) => lock,
        Err(run::Refused::Busy(other)) => {
            let why = format!(
                "{} runs {} since {}",
                other.operator, other.what, other.since
            );
            let outcome = failed(&Fault::new("another run was first", why));
            return Journal::open(&paths::journal(run))?.append(&Event::Finished { outcome });
        }
        Err(run::Refused::Io(error)) => return Err(error),
    };
    let journal = RefCell::new(Journal::open(&paths::journal(run))?);
    // A full disk must not stop a run half-way: what cannot be written down is still done.
    let emit = |event: Event| drop(journal.borrow_mut().append(&event));
    let outcome = perform(&request, system, &emit);
    if let Err(error) = prune::prune() {
        emit(Event::Note {
            text: format!("what earlier runs left stays on the disk: {error}"),
        });
    }
    // Before the end is told: whoever hears of it may count on the secrets being gone.
    let removed = std::fs::remove_dir_all(paths::runtime().join("runs").join(run));
    let ended = journal.borrow_mut().append(&Event::Finished { outcome });
    removed.and(ended)
}

fn perform(request: &Request, system: &dyn System, emit: &dyn Fn(Event)) -> Outcome {
    let key = FingerprintKey::new(request.key.clone());
    let progress = |text: &str| {
        emit(Event::Note {
            text: text.to_owned(),
        });
    };
    match &request.operation {
        Operation::Apply {
            run,
            resources,
            requirements,
            changes,
            confirm_within,
        } => {
            let facts = Facts::about(resources);
            let context = Context {
                system,
                database: &Driver::default(),
                key: &key,
                facts: &facts,
                progress: &progress,
            };
            let apply = apply::Apply {
                run,
                resources,
                requirements,
                changes,
                confirm_within: *confirm_within,
            };
            apply.run(&context, emit)
        }
        Operation::Deploy { target, .. } => deploy::run(target, system, emit),
        Operation::Inspect { .. }
        | Operation::Attach { .. }
        | Operation::Confirm { .. }
        | Operation::Receive { .. }
        | Operation::ReceiveArchive { .. }
        | Operation::InspectRelease(_)
        | Operation::Backup(_)
        | Operation::Census { .. }
        | Operation::Status { .. }
        | Operation::DatabaseLink { .. }
        | Operation::DatabaseStatus(_) => failed(&Fault::new(
            "this request does not run detached",
            "it changes nothing",
        )),
    }
}
