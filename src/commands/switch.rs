//! What deploy, rollback and restart have in common: one wanted generation, shown, agreed to, and switched to.

use std::path::Path;

use futures_util::future::join_all;
use serde::Serialize;

use super::{Outcome, block_on, combine};
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Inspected, Member, Order, Project};
use crate::inventory::Region;
use crate::plan::Plan;

/// One region's part.
struct Part<'a> {
    region: &'a Region,
    answer: Result<(Member, Inspected), Error>,
}

/// What became of one region.
#[derive(Serialize)]
struct Switched {
    region: String,
    switched: bool,
}

/// Switches the regions, one after the other; the first failure leaves the rest untouched.
///
/// # Errors
/// Those of the run; [`ErrorKind::Partial`] when some regions are done and some are not.
pub(super) fn run(
    project: &Project,
    regions: &[&Region],
    order: &Order,
    host_binary: Option<&Path>,
) -> Result<Outcome, Error> {
    let caller = project.caller(host_binary)?;
    block_on(async {
        let members = fleet::connect(project, regions, &caller).await;
        let answers = members
            .into_iter()
            .zip(regions)
            .map(|(member, region)| async move {
                let member = member?;
                let inspected =
                    fleet::inspect_release(&member, order.target(project, region)).await?;
                Ok((member, inspected))
            });
        let parts: Vec<Part<'_>> = join_all(answers)
            .await
            .into_iter()
            .zip(regions)
            .map(|(answer, region)| Part { region, answer })
            .collect();
        show_and_agree(project, &parts)?;
        let ends = switch(project, parts, order).await;
        report(project, &ends);
        combine(
            ends.into_iter()
                .map(|(name, end)| (name, end.map(|_| Outcome::Done)))
                .collect(),
        )
    })
}

fn show_and_agree(project: &Project, parts: &[Part<'_>]) -> Result<(), Error> {
    let plans: Vec<&Plan> = parts
        .iter()
        .filter_map(|part| {
            part.answer
                .as_ref()
                .ok()
                .map(|(_, inspected)| &inspected.plan)
        })
        .collect();
    let look = project.ui.look();
    if !look.json && !plans.is_empty() {
        let texts: Vec<String> = plans
            .iter()
            .map(|plan| {
                plan.render(crate::plan::Look {
                    palette: look.out,
                    verbose: look.verbose,
                })
            })
            .collect();
        project.ui.print(&texts.join("\n"));
    }
    let changing: Vec<&str> = plans
        .iter()
        .filter(|plan| !plan.is_empty())
        .map(|plan| plan.target.as_str())
        .collect();
    if changing.is_empty() {
        return Ok(());
    }
    project.ui.consent(
        &format!("Switch {}?", changing.join(" and then ")),
        project.yes,
        "--yes",
    )
}

/// Each region's end: whether it was switched.
async fn switch(
    project: &Project,
    parts: Vec<Part<'_>>,
    order: &Order,
) -> Vec<(String, Result<bool, Error>)> {
    let mut ends: Vec<(String, Result<bool, Error>)> = Vec::new();
    for part in parts {
        let name = part.region.name.as_str().to_owned();
        let stopped = ends.iter().any(|(_, end)| end.is_err());
        let end = match part.answer {
            Err(error) => Err(error),
            Ok((member, _)) if stopped => {
                member.lane.fail("untouched");
                Err(Error::new(
                    ErrorKind::Failed,
                    format!("{name}: untouched, because a region before it failed"),
                ))
            }
            Ok((member, inspected)) => one(project, member, &inspected, part.region, order).await,
        };
        ends.push((name, end));
    }
    ends
}

async fn one(
    project: &Project,
    member: Member,
    inspected: &Inspected,
    region: &Region,
    order: &Order,
) -> Result<bool, Error> {
    if inspected.plan.is_empty() {
        member.lane.done("serves it already");
        member.close().await;
        return Ok(false);
    }
    let send = order.binary.as_ref().filter(|_| inspected.needs_release);
    let end = fleet::deploy(project, &member, &order.target(project, region), send).await;
    member.close().await;
    end.map(|()| true)
}

fn report(project: &Project, ends: &[(String, Result<bool, Error>)]) {
    let switched: Vec<Switched> = ends
        .iter()
        .filter_map(|(region, end)| {
            let switched = *end.as_ref().ok()?;
            Some(Switched {
                region: region.clone(),
                switched,
            })
        })
        .collect();
    project.ui.report("switched", &switched, |_| {
        let line = |switched: &Switched| {
            let what = if switched.switched {
                "switched"
            } else {
                "nothing to change"
            };
            format!("{}: {what}", switched.region)
        };
        switched.iter().map(line).collect::<Vec<_>>().join("\n")
    });
}
