//! `geodeploy dns plan | sync | status` where the regions' own hosts answer: the same run as `provision`, of the resources
//! that DNS consists of.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Action, drain};
use crate::blueprint::{self, Blueprint};
use crate::commands::{Outcome, combine, plan, provision};
use crate::dns::Wanted;
use crate::dns::drain::{Drained, FILE};
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Looked, Project};
use crate::inventory::Region;
use crate::plan::{Kind, Plan, Value};
use crate::resource::{File, Ownership, Resource, Service};
use crate::secrets::Secrets;

/// What the parent zone must have, which only its owner can enter.
#[derive(Serialize)]
struct Delegation {
    zone: String,
    name: String,
    records: Vec<String>,
}

/// One host's state.
#[derive(Serialize)]
struct HostState {
    region: String,
    differs: Vec<String>,
    drained: Vec<String>,
}

/// Runs an action.
///
/// # Errors
/// Those of the action; that it makes no sense here.
pub(super) async fn run(project: &Project, action: &Action) -> Result<Outcome, Error> {
    match action {
        Action::Plan(_) => show(project).await,
        Action::Sync(_) => sync(project).await,
        Action::Status(_) => status(project).await,
        Action::Drain(args) => drain::run(project, args).await,
        _ => Err(Error::new(
            ErrorKind::Usage,
            "the regions' hosts answer for the geo name: there are no records to go back to",
        )
        .hint("put the inventory back as it was, then `geodeploy dns sync`")),
    }
}

/// Shows what differs on the hosts and what the parent zone must have; writes nothing.
///
/// # Errors
/// Those of the run.
async fn show(project: &Project) -> Result<Outcome, Error> {
    let regions = project.regions(None)?;
    let blueprints = blueprints(project, &regions)?;
    let caller = project.caller(None)?;
    let looked = fleet::look(project, &regions, &blueprints, &caller).await;
    plan::show(project, &looked);
    delegation(project);
    let mut ends = Vec::new();
    for looked in looked {
        ends.push((looked.name(), plan::end(looked).await));
    }
    combine(ends)
}

/// Makes the hosts answer as the inventory says; a second run changes nothing.
///
/// # Errors
/// Those of the run.
async fn sync(project: &Project) -> Result<Outcome, Error> {
    let regions = project.regions(None)?;
    let blueprints = blueprints(project, &regions)?;
    let outcome = provision::make(project, &regions, &blueprints, None).await;
    delegation(project);
    outcome
}

/// Each host against what it should be, and which regions are drained.
///
/// # Errors
/// Those of the run; differences and a drained region are exit 2.
async fn status(project: &Project) -> Result<Outcome, Error> {
    let regions = project.regions(None)?;
    let mut blueprints = blueprints(project, &regions)?;
    for blueprint in &mut blueprints {
        blueprint.resources.push(absent());
    }
    let caller = project.caller(None)?;
    let looked = fleet::look(project, &regions, &blueprints, &caller).await;
    let states: Vec<HostState> = looked.iter().filter_map(state).collect();
    project.ui.report("dns", &states, |_| {
        states
            .iter()
            .map(HostState::line)
            .collect::<Vec<_>>()
            .join("\n")
    });
    delegation(project);
    let mut ends = Vec::new();
    for looked in looked {
        ends.push((looked.name(), plan::end(looked).await));
    }
    combine(ends)
}

/// Blueprints that show what is drained: the file must not be there, and the service must.
///
/// # Errors
/// The inventory's provider is another one.
pub(super) fn drains(project: &Project, regions: &[&Region]) -> Result<Vec<Blueprint>, Error> {
    let mut blueprints = blueprints(project, regions)?;
    for blueprint in &mut blueprints {
        blueprint.resources = vec![
            absent(),
            Resource::Service(Service {
                unit: "gdnsd.service".to_owned(),
                enabled: true,
                running: Some(true),
            }),
        ];
    }
    Ok(blueprints)
}

/// What a host's file says, from a plan to remove it.
///
/// # Errors
/// gdnsd is not on the host.
pub(super) fn drained(plan: &Plan) -> Result<Drained, Error> {
    let missing = plan
        .changes
        .iter()
        .any(|change| change.id.kind == Kind::Service && change.before.is_none());
    match missing {
        true => Err(drain::not_there(&plan.target)),
        false => Ok(told(plan)),
    }
}

fn told(plan: &Plan) -> Drained {
    let change = plan.changes.iter().find(|change| change.id.name == FILE);
    let before = change.and_then(|change| change.before.as_ref());
    match before.and_then(|before| before.get("content")) {
        Some(Value::Lines(text)) => Drained::parse(text),
        _ => Drained::default(),
    }
}

fn state(looked: &Looked<'_>) -> Option<HostState> {
    let plan = looked.plan()?;
    let differs = plan.changes.iter().filter(|change| change.id.name != FILE);
    let drained: BTreeSet<String> = told(plan).regions;
    Some(HostState {
        region: looked.name(),
        differs: differs.map(|change| change.id.to_string()).collect(),
        drained: drained.into_iter().collect(),
    })
}

impl HostState {
    fn line(&self) -> String {
        let as_it_is = match self.differs.is_empty() {
            true => "answers as the inventory says".to_owned(),
            false => format!("differs in {}", self.differs.join(", ")),
        };
        match self.drained.is_empty() {
            true => format!("{}: {as_it_is}", self.region),
            false => format!(
                "{}: {as_it_is}; drained: {}",
                self.region,
                self.drained.join(", ")
            ),
        }
    }
}

fn absent() -> Resource {
    Resource::File(File {
        path: FILE.into(),
        content: None,
        ownership: Ownership::root(0o644),
        notifies: Vec::new(),
    })
}

fn blueprints(project: &Project, regions: &[&Region]) -> Result<Vec<Blueprint>, Error> {
    let inventory = &project.inventory;
    let secrets = Secrets::resolve(inventory).map_err(|found| fleet::mistakes(&found))?;
    let parts = regions.iter();
    parts
        .map(|region| blueprint::only_dns(inventory, &region.name, &secrets))
        .collect()
}

/// What to enter at the parent, once: glue is not needed, because the servers' names lie in the parent zone itself.
fn delegation(project: &Project) {
    let Some(dns) = blueprint::embedded_dns(&project.inventory) else {
        return;
    };
    let regions = &project.inventory.regions;
    let mut records: Vec<String> = Vec::new();
    let hosts = Wanted::of(&project.inventory).map(|asked| asked.wanted.hosts);
    for host in hosts.unwrap_or_default() {
        records.push(format!("{}. A {}", host.name, host.addresses.ipv4));
        let six = host.addresses.ipv6;
        records.extend(six.map(|six| format!("{}. AAAA {six}", host.name)));
    }
    let servers = regions.iter();
    records.extend(servers.map(|region| format!("{}. NS {}.", dns.geo_name, region.domain)));
    let delegation = Delegation {
        zone: dns.zone.to_string(),
        name: dns.geo_name.to_string(),
        records,
    };
    project.ui.report("delegation", &delegation, |_| {
        format!(
            "the zone {} must have, once and by hand where it lies:\n  {}",
            delegation.zone,
            delegation.records.join("\n  ")
        )
    });
    if dns.networks.is_none() {
        project.ui.note(
            "without `networks` below [dns] most addresses are known by continent alone: name the registries' files \
             (docs/decisions/0015-embedded.md says where they are)",
        );
    }
}
