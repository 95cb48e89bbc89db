//! `geodeploy dns sync`.

use std::sync::Mutex;

use jiff::Timestamp;
use serde::Serialize;

use super::{Consents, Zone, show, snapshots};
use crate::commands::Outcome;
use crate::dns::{LIFETIME, Looked, Provider, Surroundings, Target, Task};
use crate::error::Error;
use crate::fleet::operator;
use crate::text;

/// Make the zone's records what the inventory says; a second run changes nothing
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    consents: Consents,
    /// Go on where the provider cannot answer as the inventory asks, in the way that the plan says
    #[arg(long)]
    accept_degraded: bool,
}

/// What was done.
#[derive(Serialize)]
struct Done {
    zone: String,
    provider: &'static str,
    changed: usize,
    snapshot: Option<String>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub(super) async fn run<P: Provider>(
    provider: &P,
    zone: &Zone<'_>,
    args: Args,
) -> Result<Outcome, Error> {
    let mut consent = args.consents.names();
    consent.degraded = args.accept_degraded;
    let task = Task {
        provider,
        wanted: zone.wanted,
        target: Target::Inventory,
        consent: &consent,
    };
    let looked = task.look().await?;
    carry_out(zone, &task, &looked, "dns-sync").await
}

/// Shows the plan, asks, and makes the changes.
///
/// # Errors
/// Those of the run.
pub(super) async fn carry_out<P: Provider>(
    zone: &Zone<'_>,
    task: &Task<'_, P>,
    looked: &Looked<P::Context>,
    report: &str,
) -> Result<Outcome, Error> {
    let project = zone.project;
    if project.ui.look().json {
        show::tell(zone, &looked.desired);
    } else {
        show::report(zone, looked);
    }
    task.refuse(looked)?;
    if !looked.reconciled.plan.is_empty() {
        let question = format!("Apply these changes to {}?", zone.place());
        project.ui.consent(&question, project.yes, "--yes")?;
    }
    let (changed, snapshot) = change(zone, task, looked).await?;
    let done = Done {
        zone: zone.wanted.zone.to_string(),
        provider: task.provider.name(),
        changed,
        snapshot,
    };
    project.ui.report(report, &done, |_| summary(&done));
    Ok(Outcome::Done)
}

async fn change<P: Provider>(
    zone: &Zone<'_>,
    task: &Task<'_, P>,
    looked: &Looked<P::Context>,
) -> Result<(usize, Option<String>), Error> {
    let kept = Mutex::new(None);
    let lane = zone.project.ui.lane(zone.wanted.zone.as_str());
    let around = Surroundings {
        holder: &holder(),
        clock: &Timestamp::now,
        lifetime: LIFETIME,
        keep: &|snapshot| {
            let name = snapshots::keep(zone.project, snapshot)?;
            if let Ok(mut kept) = kept.lock() {
                *kept = Some(name);
            }
            Ok(())
        },
        progress: &|at, of, what| lane.step(at, of, what),
    };
    match task.carry_out(looked, &around).await {
        Ok(0) => {
            lane.done("nothing to change");
            Ok((0, None))
        }
        Ok(changed) => {
            lane.done("as planned");
            Ok((changed, kept.into_inner().unwrap_or_default()))
        }
        Err(error) => {
            lane.fail(error.kind.name());
            Err(error)
        }
    }
}

/// Whoever runs this, and a token that tells their runs apart.
fn holder() -> String {
    let run = format!("{} {}", std::process::id(), Timestamp::now());
    let token = crate::digest::sha256(run.as_bytes());
    format!("{} {}", operator(), token.get(..8).unwrap_or(&token))
}

fn summary(done: &Done) -> String {
    match &done.snapshot {
        None => format!("{}: nothing to change", done.zone),
        Some(snapshot) => format!(
            "{}: {}; `geodeploy dns rollback {snapshot}` leads back",
            done.zone,
            text::count(done.changed, "change")
        ),
    }
}
