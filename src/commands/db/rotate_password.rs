//! `geodeploy db rotate-password`.

mod app;
mod concerned;
mod renew;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use futures_util::future::join_all;
use serde::Serialize;

use super::holders;
use crate::blueprint::Blueprint;
use crate::commands::{Outcome, block_on, combine, plan};
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Job, Looked, Project};
use crate::inventory::{Region, SecretReference, SecretSource};
use crate::plan::{Kind, Plan};
use crate::secrets::{Secret, Secrets};
use concerned::User;

/// Give a user of the database the password that the inventory's secret holds now
#[derive(clap::Args)]
pub struct Args {
    /// Give it to this user
    #[arg(value_enum)]
    pub user: User,
    /// Log in with the administrator's password until now, from env:NAME or file:PATH
    #[arg(long, value_name = "SOURCE", value_parser = concerned::source)]
    pub old_password_from: Option<SecretSource>,
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
}

/// What became of one region.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Rotated {
    region: String,
    changes: usize,
    /// How many times its server was started anew.
    renewed: usize,
}

impl Rotated {
    fn none(looked: &[Looked<'_>]) -> Vec<Self> {
        let none = looked.iter().map(|looked| Self {
            region: looked.name(),
            changes: 0,
            renewed: 0,
        });
        none.collect()
    }
}

/// Runs the action.
///
/// # Errors
/// When a host cannot be looked at: nothing is changed then. When a step fails: the next run does the rest.
pub(super) fn run(project: &Project, args: Args) -> Result<Outcome, Error> {
    let holders = holders(project, None)?;
    let old = old_password(project, &args)?;
    if args.user == User::App {
        return app::run(project, &args);
    }
    let regions: Vec<&Region> = holders.iter().map(|holder| holder.region).collect();
    let mut wanted = project.blueprints(&regions)?;
    for blueprint in &mut wanted {
        concerned::keep(args.user, &project.inventory, blueprint);
    }
    let until_now = old.map(|old| concerned::with_old_password(&wanted, &old));
    let caller = project.caller(args.host_binary.as_deref())?;
    block_on(async {
        let mut looked = fleet::look(project, &regions, &wanted, &caller).await;
        if let Some(blueprints) = &until_now
            && looked.iter().any(|looked| looked.answer.is_err())
        {
            looked = fleet::look(project, &regions, blueprints, &caller).await;
        }
        if let Some((_, error)) = fleet::failures(&mut looked).into_iter().next() {
            return Err(unseen(error, &args));
        }
        let name = concerned::name(args.user, &project.inventory);
        agree(
            project,
            &looked,
            false,
            &format!("Give {name} the inventory's password?"),
        )?;
        let made = join_all(looked.iter().zip(&wanted).map(|(looked, wanted)| async {
            match looked.plan() {
                Some(plan) => one(project, looked, &looked.blueprint.resources, plan, wanted).await,
                None => Ok(0),
            }
        }));
        let made = made.await;
        let mut rotated = Rotated::none(&looked);
        let mut ends = Vec::new();
        for (rotated, end) in rotated.iter_mut().zip(made) {
            rotated.changes = end.as_ref().map_or(0, |changes| *changes);
            ends.push((rotated.region.clone(), end.map(|_| Outcome::Done)));
        }
        close(looked).await;
        project.ui.report("rotated", &rotated, |_| shown(&rotated));
        combine(ends)
    })
}

fn old_password(project: &Project, args: &Args) -> Result<Option<Secret>, Error> {
    let Some(source) = &args.old_password_from else {
        return Ok(None);
    };
    if args.user != User::Admin {
        let what = "--old-password-from is for the administrator's own password";
        return Err(Error::new(ErrorKind::Usage, what)
            .cause("the others' are changed by the administrator")
            .hint("leave it out"));
    }
    let reference = SecretReference {
        source: source.clone(),
        key: "--old-password-from".to_owned(),
        line: 0,
    };
    let secret = Secrets::resolve_one(&project.inventory, &reference).map_err(|mistake| {
        Error::new(ErrorKind::Input, "the old password cannot be had")
            .cause(mistake.cause)
            .hint(mistake.remedy)
    })?;
    Ok(Some(secret))
}

fn unseen(error: Error, args: &Args) -> Error {
    let error = error.hint("nothing was changed");
    match (args.user, &args.old_password_from, error.kind) {
        (User::Admin, None, ErrorKind::Failed) => error.hint(
            "if the inventory has a new password of the administrator, name the one until now: `--old-password-from env:NAME` or file:PATH",
        ),
        (User::Admin, Some(_), ErrorKind::Failed) => {
            error.cause("neither the inventory's password nor the old one is accepted")
        }
        _ => error,
    }
}

/// Shows the plans; whether there is anything to do, and the operator agrees.
fn agree(
    project: &Project,
    looked: &[Looked<'_>],
    more: bool,
    question: &str,
) -> Result<bool, Error> {
    if !project.ui.look().json {
        plan::show(project, looked);
    }
    let mut plans = looked.iter().filter_map(Looked::plan);
    if !more && plans.all(Plan::is_empty) {
        return Ok(false);
    }
    project
        .ui
        .consent(question, project.yes, "--yes")
        .map(|()| true)
}

/// Ends the lanes in which nothing was to be done, and leaves the connections.
async fn close(looked: Vec<Looked<'_>>) {
    for looked in looked {
        if let Ok((member, inspected)) = looked.answer {
            if inspected.plan.is_empty() {
                member.lane.done("compared");
            }
            member.close().await;
        }
    }
}

/// Whether the plan gives that user another password than it has.
fn differs_in_password(plan: &Plan, user: &str) -> bool {
    let begin = format!("{user}@");
    plan.changes.iter().any(|change| {
        let password = |attributes: &Option<_>| {
            let attributes: &crate::plan::Attributes = attributes.as_ref()?;
            attributes.get("password").cloned()
        };
        change.id.kind == Kind::MongoUser
            && change.id.name.starts_with(&begin)
            && change.before.is_some()
            && password(&change.before) != password(&change.after)
    })
}

/// Looks at each host and makes it what the goal says; the number of changes of each.
async fn make(
    project: &Project,
    looked: &[Looked<'_>],
    goal: &[Blueprint],
) -> Vec<Result<usize, Error>> {
    let all = looked.iter().zip(goal).map(|(looked, goal)| async {
        let (member, _) = looked.answer.as_ref().map_err(Clone::clone)?;
        let found = fleet::inspect_again(project, member, &goal.resources, &[]).await?;
        one(project, looked, &goal.resources, &found.plan, goal).await
    });
    join_all(all).await
}

/// Makes the plan's changes and looks again, as those will who know the new password only.
async fn one(
    project: &Project,
    looked: &Looked<'_>,
    resources: &[crate::resource::Resource],
    plan: &Plan,
    wanted: &Blueprint,
) -> Result<usize, Error> {
    let (member, _) = looked.answer.as_ref().map_err(Clone::clone)?;
    if plan.is_empty() {
        return Ok(0);
    }
    let job = Job {
        member,
        region: looked.region,
        resources,
        requirements: &[],
        plan,
    };
    let ends = fleet::apply(project, &[job]).await;
    let changes: usize = ends
        .into_iter()
        .map(|end| end.map(|(changes, _)| changes))
        .sum::<Result<_, _>>()?;
    let again = fleet::inspect_again(project, member, &wanted.resources, &[]).await?;
    if again.plan.is_empty() {
        return Ok(changes);
    }
    let what = format!("{}: the second look found differences again", looked.name());
    Err(Error::new(ErrorKind::Failed, what).hint("run it again; it does what is left"))
}

fn shown(rotated: &[Rotated]) -> String {
    let line = |rotated: &Rotated| {
        let changes = match rotated.changes {
            0 => "nothing to change".to_owned(),
            changes => crate::text::count(changes, "change"),
        };
        let renewed = match rotated.renewed {
            0 => String::new(),
            times => format!(
                ", its server started anew {}",
                crate::text::count(times, "time")
            ),
        };
        format!("{}: {changes}{renewed}", rotated.region)
    };
    rotated.iter().map(line).collect::<Vec<_>>().join("\n")
}
