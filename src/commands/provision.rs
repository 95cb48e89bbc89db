//! `geodeploy provision`.

mod change;

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Outcome, adopt, block_on, combine, plan};
use crate::blueprint::Blueprint;
use crate::cli::Globals;
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Looked, Project};
use crate::inventory::Region;
use crate::plan::{Basis, Limits, SavedPlan, check_consent};
use crate::resource::{MongoIndex, Resource};

/// Make hosts what the inventory says; a second run changes nothing
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region only [default: all]
    pub region: Option<String>,
    /// Carry out this saved plan, and refuse if anything that it touches has moved since
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Let documents of this collection be deleted because its TTL index gives them a shorter life; may be repeated
    #[arg(long, value_name = "COLLECTION.INDEX")]
    pub shorten_ttl: Vec<String>,
    /// Take over the data that is in the database's folder of this region and is not this project's
    #[arg(long, value_name = "REGION", requires = "data_backup")]
    pub adopt_data: Option<String>,
    /// The backup of that data, on this machine; it is only looked whether it is there
    #[arg(long, value_name = "FILE", requires = "adopt_data")]
    pub data_backup: Option<PathBuf>,
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
}

/// What was done in one region.
#[derive(Serialize)]
struct Done {
    region: String,
    changed: usize,
    restarted: Vec<String>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    block_on(carry_out(&project, &args))
}

/// Plans, asks and provisions.
///
/// # Errors
/// Those of the run.
pub(super) async fn carry_out(project: &Project, args: &Args) -> Result<Outcome, Error> {
    let regions = project.regions(args.region.as_deref())?;
    let mut blueprints = project.blueprints(&regions)?;
    consent(&mut blueprints, &args.shorten_ttl)?;
    if let (Some(region), Some(backup)) = (&args.adopt_data, &args.data_backup) {
        adopt::consent(project, &mut blueprints, region, backup)?;
    }
    let caller = project.caller(args.host_binary.as_deref())?;
    let mut looked = fleet::look(project, &regions, &blueprints, &caller).await;
    if let Some(file) = &args.plan {
        take_saved(project, &mut looked, file)?;
    }
    match &args.plan {
        _ if project.ui.look().json => {}
        // It was shown when it was made.
        Some(_) => looked
            .iter()
            .filter_map(Looked::plan)
            .for_each(|plan| project.ui.print(&plan.summary())),
        None => plan::show(project, &looked),
    }
    finish(project, looked, &args.shorten_ttl).await
}

/// Plans, asks and makes these blueprints alone, as [`carry_out`] makes whole ones.
///
/// # Errors
/// Those of the run.
pub(super) async fn make(
    project: &Project,
    regions: &[&Region],
    blueprints: &[Blueprint],
    host_binary: Option<&Path>,
) -> Result<Outcome, Error> {
    let caller = project.caller(host_binary)?;
    let looked = fleet::look(project, regions, blueprints, &caller).await;
    plan::show(project, &looked);
    finish(project, looked, &[]).await
}

/// Refuses, asks, and makes what was shown.
async fn finish(
    project: &Project,
    looked: Vec<Looked<'_>>,
    shorten_ttl: &[String],
) -> Result<Outcome, Error> {
    let unmet = looked
        .iter()
        .filter_map(|looked| Some((looked.name(), Err(fleet::unmet(looked)?))));
    combine(unmet.collect())?;
    for looked in &looked {
        refuse(looked, shorten_ttl)?;
    }
    agree(project, &looked)?;
    fleet::send_mongodb(project, &looked).await?;
    let mut done = Vec::new();
    let ends = change::change(project, looked, &mut done).await;
    project.ui.report("provisioned", &done, |_| summary(&done));
    combine(ends)
}

/// Puts the saved plans in place of the found ones. A touched resource that moved meanwhile is seen by the host itself.
fn take_saved(project: &Project, looked: &mut [Looked<'_>], file: &Path) -> Result<(), Error> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        Error::new(ErrorKind::Input, format!("cannot read the plan {name}")).cause(error)
    })?;
    let saved = SavedPlan::parse(&text, &name)?;
    let key = project.state.fingerprint_key()?;
    saved.check(
        Basis {
            project: project.inventory.app.name.as_str(),
            inventory: &project.digest,
            key: &key,
        },
        &name,
    )?;
    for looked in looked {
        let region = looked.name();
        let Ok((_, inspected)) = &mut looked.answer else {
            continue;
        };
        let Some(plan) = saved.find(&region) else {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("{name} holds no plan for {region}"),
            )
            .hint(format!(
                "make one with `geodeploy plan {region} --out FILE`"
            )));
        };
        inspected.plan = plan.clone();
    }
    Ok(())
}

/// Tells the indexes that are named that their documents may live shorter.
fn consent(blueprints: &mut [Blueprint], names: &[String]) -> Result<(), Error> {
    let resources = blueprints.iter_mut().flat_map(|all| &mut all.resources);
    let mut indexes: Vec<&mut MongoIndex> = resources
        .filter_map(|resource| match resource {
            Resource::MongoIndex(index) if index.expire_after_seconds.is_some() => Some(index),
            _ => None,
        })
        .collect();
    for name in names {
        let known: Vec<String> = indexes.iter().map(|index| index.short_name()).collect();
        let Some(at) = known.iter().position(|known| known == name) else {
            let error = Error::new(
                ErrorKind::Usage,
                format!("--shorten-ttl: {name} is not a TTL index of these regions"),
            );
            return Err(match known.is_empty() {
                true => error.hint("none of them holds a MongoDB"),
                false => error.hint(format!("there is {}", known.join(", "))),
            });
        };
        indexes[at].shorten = true;
    }
    Ok(())
}

fn refuse(looked: &Looked<'_>, shorten: &[String]) -> Result<(), Error> {
    let Some(plan) = looked.plan() else {
        return Ok(());
    };
    Limits::default()
        .check(plan)
        .and_then(|()| check_consent(plan, shorten))
        .map_err(|refusal| Error::new(ErrorKind::Failed, refusal.what).hint(refusal.remedy))?;
    fleet::refuse_lockout(looked)
}

fn agree(project: &Project, looked: &[Looked<'_>]) -> Result<(), Error> {
    let regions: Vec<String> = looked
        .iter()
        .filter(|looked| looked.plan().is_some_and(|plan| !plan.is_empty()))
        .map(Looked::name)
        .collect();
    if regions.is_empty() {
        return Ok(());
    }
    project.ui.consent(
        &format!("Apply these changes to {}?", regions.join(" and ")),
        project.yes,
        "--yes",
    )
}

fn summary(done: &[Done]) -> String {
    let line = |done: &Done| {
        let heard = if done.restarted.is_empty() {
            String::new()
        } else {
            format!("; started or reloaded {}", done.restarted.join(", "))
        };
        match done.changed {
            0 => format!("{}: nothing to change", done.region),
            changed => format!(
                "{}: {}{heard}",
                done.region,
                crate::text::count(changed, "change")
            ),
        }
    };
    done.iter().map(line).collect::<Vec<_>>().join("\n")
}
