//! `geodeploy dns drain`.

use std::path::PathBuf;

use serde::Serialize;

use super::embedded;
use crate::commands::{Outcome, combine};
use crate::dns::drain::{self, Drained};
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Job, Looked, Project};
use crate::inventory::RegionName;
use crate::plan::Plan;
use crate::resource::{Content, File, Ownership, Resource};

/// Take a region out of the answers of the embedded provider, on all hosts, until it is undone
#[derive(clap::Args)]
pub struct Args {
    /// The region that gets no more visitors; their resolvers may remember it for the name's TTL
    pub region: String,
    /// Take it back into the answers
    #[arg(long)]
    pub undo: bool,
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
}

/// The result as a document.
#[derive(Serialize)]
struct Told {
    region: String,
    drained: bool,
    hosts: Vec<String>,
}

/// Runs the action: shown, agreed to, made on every host that answers. gdnsd sees it within seconds, and keeps to it when it
/// starts anew.
pub(super) async fn run(project: &Project, args: &Args) -> Result<Outcome, Error> {
    let region = project.region(&args.region)?.name.clone();
    let all: Vec<RegionName> = project
        .inventory
        .regions
        .iter()
        .map(|one| one.name.clone())
        .collect();
    let regions = project.regions(None)?;
    let blueprints = embedded::drains(project, &regions)?;
    let caller = project.caller(args.host_binary.as_deref())?;
    let mut looked = fleet::look(project, &regions, &blueprints, &caller).await;
    let mut ends: Vec<(String, Result<Outcome, Error>)> = fleet::failures(&mut looked)
        .into_iter()
        .map(|(name, error)| (name, Err(error)))
        .collect();
    let hosts: Vec<Drained> = looked
        .iter()
        .filter_map(Looked::plan)
        .map(embedded::drained)
        .collect::<Result<_, Error>>()?;
    let wanted = drain::after(&hosts, &region, args.undo, &all)?;
    let resources: Vec<Vec<Resource>> = hosts
        .iter()
        .map(|host| vec![file(host.with(&wanted).text())])
        .collect();
    let mut plans: Vec<Plan> = Vec::new();
    for (looked, resources) in looked.iter().zip(&resources) {
        if let Ok((member, _)) = &looked.answer {
            plans.push(fleet::inspect(member, resources, &[]).await?.plan);
        }
    }
    show(project, &plans);
    if plans.iter().any(|plan| !plan.is_empty()) {
        project
            .ui
            .consent(&question(&region, args.undo), project.yes, "--yes")?;
    }
    let done = make(project, looked, &resources, &plans, &mut ends).await;
    tell(project, &region, args.undo, done);
    combine(ends)
}

/// Makes what was shown on all hosts at once, and gives the regions of those that took it.
async fn make(
    project: &Project,
    looked: Vec<Looked<'_>>,
    resources: &[Vec<Resource>],
    plans: &[Plan],
    ends: &mut Vec<(String, Result<Outcome, Error>)>,
) -> Vec<String> {
    let jobs: Vec<Job<'_>> = looked
        .iter()
        .zip(resources)
        .zip(plans)
        .filter_map(|((looked, resources), plan)| {
            let (member, _) = looked.answer.as_ref().ok()?;
            Some(Job {
                member,
                region: looked.region,
                resources,
                requirements: &[],
                plan,
            })
        })
        .collect();
    let results = fleet::apply(project, &jobs).await;
    let mut done = Vec::new();
    for (looked, result) in looked.into_iter().zip(results) {
        let name = looked.name();
        if result.is_ok() {
            done.push(name.clone());
        }
        ends.push((name, result.map(|_| Outcome::Done)));
        if let Ok((member, _)) = looked.answer {
            member.close().await;
        }
    }
    done
}

/// The file as it should be on a host.
fn file(text: Option<String>) -> Resource {
    Resource::File(File {
        path: PathBuf::from(drain::FILE),
        content: text.map(Content::Plain),
        ownership: Ownership::root(0o644),
        notifies: Vec::new(),
    })
}

fn question(region: &RegionName, undo: bool) -> String {
    match undo {
        false => format!("Take {region} out of the answers?"),
        true => format!("Take {region} back into the answers?"),
    }
}

fn show(project: &Project, plans: &[Plan]) {
    let verbose = project.ui.look().verbose;
    project.ui.report("plans", &plans, |palette| {
        let look = crate::plan::Look { palette, verbose };
        let plans = plans.iter().map(|plan| plan.render(look));
        plans.collect::<Vec<_>>().join("\n")
    });
}

fn tell(project: &Project, region: &RegionName, undo: bool, hosts: Vec<String>) {
    let told = Told {
        region: region.as_str().to_owned(),
        drained: !undo,
        hosts,
    };
    project.ui.report("drained", &told, |_| {
        let how = match undo {
            false => "is out of the answers",
            true => "is back in the answers",
        };
        format!("{region} {how} of {} within 5 s", told.hosts.join(" and "))
    });
}

/// That gdnsd is not on a host yet.
pub(super) fn not_there(region: &str) -> Error {
    Error::new(
        ErrorKind::Failed,
        format!("{region}: gdnsd is not on this host; nothing was changed"),
    )
    .hint("`geodeploy dns sync` sets it up")
}

/// That another provider answers.
pub(super) fn for_embedded_alone() -> Error {
    Error::new(
        ErrorKind::Usage,
        "only the embedded provider's answers can be drained by geodeploy",
    )
    .hint("elsewhere, switch the region off in the provider's console, or stop its server")
}
