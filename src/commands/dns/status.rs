//! `geodeploy dns status`.

use jiff::Timestamp;
use serde::Serialize;

use super::show::Document;
use super::{Zone, show, snapshots};
use crate::commands::Outcome;
use crate::dns::{Consent, Lock, Looked, Provider, Target, Task, seconds_left};
use crate::error::Error;
use crate::plan::{Id, Verb};
use crate::text::{Palette, printable_line};

/// So many snapshots are shown.
const SNAPSHOTS: usize = 5;

/// Show what is there beside what is wanted, who holds the zone, and the last snapshots; exit with 2 on differences
#[derive(clap::Args)]
pub struct Args {}

/// How one object is.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    AsWanted,
    Missing,
    Differs,
    NotWanted,
    InTheWay,
}

#[derive(Serialize)]
struct Row {
    id: Id,
    state: State,
    handle: Option<String>,
}

#[derive(Serialize)]
struct Status<'a> {
    #[serde(flatten)]
    plan: Document<'a>,
    objects: Vec<Row>,
    lock: Option<Lock>,
    snapshots: Vec<String>,
}

/// Runs the verb. It only reads.
///
/// # Errors
/// Those of the provider.
pub(super) async fn run<P: Provider>(provider: &P, zone: &Zone<'_>) -> Result<Outcome, Error> {
    let task = Task {
        provider,
        wanted: zone.wanted,
        target: Target::Inventory,
        consent: &Consent::default(),
    };
    let looked = task.look().await?;
    let lock = provider.read_lock(&looked.listing.context).await?;
    let names = snapshots::list(zone)?.into_iter().map(|(name, _)| name);
    let status = Status {
        plan: show::document(zone, &looked),
        objects: rows(&looked),
        lock,
        snapshots: names.take(SNAPSHOTS).collect(),
    };
    show::tell(zone, &looked.desired);
    let ui = &zone.project.ui;
    ui.report("dns-status", &status, |palette| {
        text(zone, &status, &looked, palette, ui.look().verbose)
    });
    Ok(if looked.reconciled.is_empty() {
        Outcome::Done
    } else {
        Outcome::Differences
    })
}

fn rows<C>(looked: &Looked<C>) -> Vec<Row> {
    let reconciled = &looked.reconciled;
    let change = |id: &Id| {
        reconciled
            .plan
            .changes
            .iter()
            .find(|change| change.id == *id)
    };
    let handle = |id: &Id| {
        let mut objects = looked.listing.objects.iter();
        let found = objects.find(|found| found.object.id == *id);
        found.map(|found| found.handle.clone())
    };
    let conflicts = &reconciled.conflicts;
    let is_conflict = |id: &Id| conflicts.iter().any(|conflict| conflict.id == *id);
    let wanted = looked.desired.objects.iter().map(|object| &object.id);
    let wanted = wanted.filter(|id| !is_conflict(id)).map(|id| {
        let state = match change(id).map(|change| change.verb()) {
            Some(Verb::Update | Verb::Delete) => State::Differs,
            Some(Verb::Create) => State::Missing,
            // What a conflict keeps from being made is in no plan.
            None if handle(id).is_none() => State::Missing,
            None => State::AsWanted,
        };
        (id, state)
    });
    let deletions = reconciled.plan.changes.iter();
    let going = deletions.filter(|change| change.verb() == Verb::Delete);
    let going = going.map(|change| (&change.id, State::NotWanted));
    let conflicts = conflicts.iter().map(|found| (&found.id, State::InTheWay));
    let all = wanted.chain(going).chain(conflicts);
    all.map(|(id, state)| Row {
        id: id.clone(),
        state,
        handle: handle(id),
    })
    .collect()
}

fn text<C>(
    zone: &Zone<'_>,
    status: &Status<'_>,
    looked: &Looked<C>,
    palette: Palette,
    verbose: bool,
) -> String {
    let mut lines = vec![zone.place()];
    lines.extend(status.objects.iter().map(line));
    let now = Timestamp::now();
    lines.push(match &status.lock {
        None => "nobody changes it now".to_owned(),
        Some(lock) => {
            let holder = printable_line(&lock.holder);
            match seconds_left(lock, now) {
                0 => format!("a lock that {holder} left has lapsed"),
                left => format!("{holder} changes it now, for {left} s unless renewed"),
            }
        }
    });
    lines.push(match status.snapshots.as_slice() {
        [] => "no snapshot on this machine".to_owned(),
        names => format!("last snapshots: {}", names.join(", ")),
    });
    lines.push(show::text(&looked.reconciled, palette, verbose));
    lines.join("\n")
}

fn line(row: &Row) -> String {
    let state = match row.state {
        State::AsWanted => "as wanted",
        State::Missing => "missing",
        State::Differs => "differs",
        State::NotWanted => "not wanted",
        State::InTheWay => "in the way",
    };
    format!("  {state:<10}  {}", printable_line(&row.id.to_string()))
}
