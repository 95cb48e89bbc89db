//! Makes the consented changes, stage after stage, and looks a second time.

use super::Done;
use crate::commands::{Outcome, database_link};
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Job, Looked, Member, Project, Stage};
use crate::plan::{Change, Plan};

/// One region's share of the run.
struct Share<'l, 'a> {
    looked: &'l Looked<'a>,
    member: &'l Member,
    plan: &'l Plan,
    changed: usize,
    heard: Vec<String>,
    failed: Option<Error>,
}

/// Makes the changes of all regions, and says how each ended.
pub(super) async fn change(
    project: &Project,
    mut looked: Vec<Looked<'_>>,
    done: &mut Vec<Done>,
) -> Vec<(String, Result<Outcome, Error>)> {
    let failed = fleet::failures(&mut looked);
    let mut ends: Vec<(String, Result<Outcome, Error>)> = failed
        .into_iter()
        .map(|(name, error)| (name, Err(error)))
        .collect();
    let mut shares: Vec<Share<'_, '_>> = looked.iter().filter_map(share).collect();
    for share in shares.iter().filter(|share| share.plan.is_empty()) {
        share.member.lane.done("nothing to change");
    }
    for stage in Stage::ALL {
        run(project, stage, &mut shares).await;
    }
    for share in shares {
        ends.push((share.looked.name(), end(project, share, done).await));
    }
    database_link::tell(project, &looked, &ends).await;
    for looked in looked {
        if let Ok((member, _)) = looked.answer {
            member.close().await;
        }
    }
    ends
}

fn share<'l, 'a>(looked: &'l Looked<'a>) -> Option<Share<'l, 'a>> {
    let (member, inspected) = looked.answer.as_ref().ok()?;
    Some(Share {
        looked,
        member,
        plan: &inspected.plan,
        changed: 0,
        heard: Vec::new(),
        failed: None,
    })
}

/// One stage of all regions at once.
async fn run(project: &Project, stage: Stage, shares: &mut [Share<'_, '_>]) {
    let first = shares.iter().find(|share| {
        project.inventory.database.region.as_ref() == Some(&share.looked.region.name)
    });
    // A configuration that stops the primary must not be brought to the other members too.
    let stopped = first
        .filter(|share| stage == Stage::Hosts && share.failed.is_some())
        .map(|share| share.looked.name());
    let mut parts: Vec<(usize, Plan)> = Vec::new();
    for (at, share) in shares.iter_mut().enumerate() {
        match part(project, stage, stopped.as_deref(), share).await {
            Ok(plan) if plan.is_empty() => {}
            Ok(plan) => parts.push((at, plan)),
            Err(error) => share.failed = Some(error),
        }
    }
    let jobs: Vec<Job<'_>> = parts
        .iter()
        .map(|(at, plan)| Job {
            member: shares[*at].member,
            region: shares[*at].looked.region,
            resources: &shares[*at].looked.blueprint.resources,
            requirements: &shares[*at].looked.blueprint.requirements,
            plan,
        })
        .collect();
    let results = fleet::apply(project, &jobs).await;
    for ((at, _), result) in parts.iter().zip(results) {
        let share = &mut shares[*at];
        match result {
            Ok((changed, heard)) => {
                share.changed += changed;
                share.heard.extend(heard);
            }
            Err(error) => share.failed = Some(error),
        }
    }
}

/// What a region has to do in this stage; nothing, where it failed before.
async fn part(
    project: &Project,
    stage: Stage,
    stopped: Option<&str>,
    share: &Share<'_, '_>,
) -> Result<Plan, Error> {
    let region = share.looked.region;
    let consented = fleet::part(share.plan, stage, region, &project.inventory);
    if share.failed.is_some() || consented.is_empty() {
        return Ok(Plan {
            changes: Vec::new(),
            ..consented
        });
    }
    if let Some(first) = stopped {
        return Err(Error::new(
            ErrorKind::Failed,
            format!("{}: not begun, because {first} failed", region.name),
        )
        .hint(format!("mend {first}, then run it again: it does the rest")));
    }
    match stage {
        Stage::Primary | Stage::Hosts => Ok(consented),
        Stage::Members | Stage::Joined | Stage::Certificates | Stage::Failover => {
            late(project, stage, share, &consented).await
        }
    }
}

/// What earlier stages left of the consented changes: they lead to the same end, from wherever the host is by now.
async fn late(
    project: &Project,
    stage: Stage,
    share: &Share<'_, '_>,
    consented: &Plan,
) -> Result<Plan, Error> {
    let resources = &share.looked.blueprint.resources;
    let now = fleet::inspect_again(project, share.member, resources, &[]).await?;
    let now = fleet::part(&now.plan, stage, share.looked.region, &project.inventory);
    let agreed = |change: &&Change| {
        consented
            .changes
            .iter()
            .any(|known| known.id == change.id && known.after == change.after)
    };
    let changes: Vec<Change> = now.changes.iter().filter(agreed).cloned().collect();
    if stage == Stage::Joined && changes.iter().any(|change| change.before.is_none()) {
        let region = share.looked.name();
        let first = project.inventory.database.region.as_ref();
        let first = first.map_or("", |name| name.as_str());
        return Err(Error::new(
            ErrorKind::Partial,
            format!("{region}: pending: its database has not joined the replica set yet"),
        )
        .cause(format!("it joins from the host of the primary, in {first}"))
        .hint(format!(
            "run `geodeploy provision`, which makes {first} and {region} in their order"
        )));
    }
    Ok(Plan { changes, ..now })
}

async fn end(
    project: &Project,
    share: Share<'_, '_>,
    done: &mut Vec<Done>,
) -> Result<Outcome, Error> {
    if share.failed.is_none() || share.changed > 0 {
        done.push(Done {
            region: share.looked.name(),
            changed: share.changed,
            restarted: share.heard,
        });
    }
    match share.failed {
        Some(error) => Err(error),
        None => second_look(project, share.member, share.looked, share.plan)
            .await
            .map(|()| Outcome::Done),
    }
}

/// What was changed must be as desired now; what was not part of the plan may differ still.
async fn second_look(
    project: &Project,
    member: &Member,
    looked: &Looked<'_>,
    plan: &Plan,
) -> Result<(), Error> {
    if plan.is_empty() {
        return Ok(());
    }
    let region = member.session.region();
    let again = fleet::inspect_again(project, member, &looked.blueprint.resources, &[]).await?;
    let left: Vec<String> = again
        .plan
        .changes
        .iter()
        .filter(|change| plan.changes.iter().any(|planned| planned.id == change.id))
        .map(|change| change.id.to_string())
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Failed,
        format!("{region}: the second look found differences again"),
    )
    .cause(left.join(", "))
    .hint("something else on the host may be changing them back"))
}
