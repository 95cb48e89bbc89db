//! Makes the consented changes, in order, each verified.

mod progress;
mod steps;

use super::message::{Event, Outcome};
use super::system::Fault;
use super::{inspect, preflight, undo};
use crate::plan::{Change, Kind, Verb};
use crate::resource::{Context, Notify, Requirement, Resource, firewall, nginx, package, pending};
use progress::Progress;
use steps::Step;

/// What a run of changes needs to know besides its resources.
pub(super) struct Apply<'a> {
    /// Names the run, and so its undo.
    pub run: &'a str,
    /// All resources of the host, in order.
    pub resources: &'a [Resource],
    /// What the host must still offer.
    pub requirements: &'a [Requirement],
    /// Those changes that were consented to.
    pub changes: &'a [Change],
    /// Seconds that a fresh connection has to confirm a firewall change.
    pub confirm_within: u64,
}

impl Apply<'_> {
    /// Makes the changes and says how it ended.
    pub(super) fn run(&self, context: &Context<'_>, emit: &dyn Fn(Event)) -> Outcome {
        let unmet = preflight::look(self.requirements, None, context).unmet;
        if !unmet.is_empty() {
            return failed(preflight::refusal(&unmet));
        }
        match self.moved(context) {
            Ok(moved) if !moved.is_empty() => return Outcome::Stale { moved },
            Ok(_) => {}
            Err(fault) => return failed(fault),
        }
        let mut progress = Progress::new(emit, self.changes.len() + self.heard().len());
        for step in self.steps() {
            match self.step(&step, context, &mut progress) {
                Ok(None) => {}
                Ok(Some(outcome)) => return outcome,
                Err(fault) => return failed(fault),
            }
        }
        Outcome::Converged {
            changed: progress.changed,
            restarted: progress.restarted,
        }
    }

    fn step(
        &self,
        step: &Step<'_>,
        context: &Context<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Option<Outcome>, Fault> {
        match step {
            Step::Packages(entries) => {
                group(entries, "install packages", context, progress, |packages| {
                    package::apply_all(packages, context)
                })
            }
            Step::Nginx(entries) => {
                group(entries, "configure nginx:", context, progress, |files| {
                    nginx::apply_all(files, context)
                })
            }
            Step::One(resource) => {
                let Some(change) = inspect::change(resource, context)? else {
                    return Ok(None);
                };
                self.one(resource, &change, context, progress)
            }
        }
    }

    fn one(
        &self,
        resource: &Resource,
        change: &Change,
        context: &Context<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Option<Outcome>, Fault> {
        let title = title(change);
        if let Resource::Firewall(_) = resource {
            return self.guarded(resource, change, context, progress, &title);
        }
        progress.time(1, &title, || {
            let notifies: Vec<&Notify> = resource.manage().notifies().iter().collect();
            pending::around(context, &notifies, || {
                resource.manage().apply(change, context)
            })?;
            verify(resource, context)
        })?;
        progress.changed += usize::from(self.planned(&change.id));
        match resource {
            Resource::Service(service) => progress.restarted.push(service.unit.clone()),
            Resource::Mongod(_) => progress.restarted.push("mongod.service".to_owned()),
            _ => {}
        }
        Ok(None)
    }

    fn guarded(
        &self,
        resource: &Resource,
        change: &Change,
        context: &Context<'_>,
        progress: &mut Progress<'_>,
        title: &str,
    ) -> Result<Option<Outcome>, Fault> {
        undo::arm(
            self.run,
            self.confirm_within,
            &firewall::snapshot_paths(),
            context.system,
        )?;
        let applied = progress.time(1, title, || {
            resource.manage().apply(change, context)?;
            verify(resource, context)
        });
        if let Err(fault) = applied {
            undo::undo(self.run, context.system)?;
            undo::wait(self.run, context.system)?;
            return Ok(Some(rolled_back(&fault)));
        }
        progress.changed += 1;
        (progress.emit)(Event::AwaitingConfirmation {
            seconds: self.confirm_within,
        });
        Ok(match undo::wait(self.run, context.system)? {
            undo::End::Confirmed => None,
            undo::End::Undone => Some(rolled_back(&Fault::new(
                format!(
                    "the firewall change was undone after {} s",
                    self.confirm_within
                ),
                "no fresh connection could confirm it",
            ))),
        })
    }
}

/// Makes those of a group that still differ in one go.
fn group<T>(
    entries: &[(&Resource, &T)],
    title: &str,
    context: &Context<'_>,
    progress: &mut Progress<'_>,
    apply: impl FnOnce(&[&T]) -> Result<(), Fault>,
) -> Result<Option<Outcome>, Fault> {
    let mut differing = Vec::new();
    for (resource, value) in entries {
        if inspect::change(resource, context)?.is_some() {
            differing.push((*resource, *value));
        }
    }
    if differing.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = differing
        .iter()
        .map(|(resource, _)| resource.id().name)
        .collect();
    let values: Vec<&T> = differing.iter().map(|(_, value)| *value).collect();
    let notifies: Vec<&Notify> = differing
        .iter()
        .flat_map(|(resource, _)| resource.manage().notifies())
        .collect();
    progress.time(names.len(), &format!("{title} {}", names.join(" ")), || {
        pending::around(context, &notifies, || apply(&values))?;
        differing
            .iter()
            .try_for_each(|(resource, _)| verify(resource, context))
    })?;
    progress.changed += names.len();
    Ok(None)
}

/// What a step does, for the operator who waits for it.
fn title(change: &Change) -> String {
    let verb = match (change.id.kind, change.verb()) {
        (Kind::Upgrade, _) => return format!("install pending {} upgrades", change.id.name),
        (_, Verb::Create) => "create",
        (_, Verb::Update) => "change",
        (_, Verb::Delete) => "delete",
    };
    format!("{verb} {}", change.id)
}

/// A resource that still differs after its change was made did not take it.
fn verify(resource: &Resource, context: &Context<'_>) -> Result<(), Fault> {
    let Some(left) = inspect::change(resource, context)? else {
        return Ok(());
    };
    let value = |side: &Option<crate::plan::Attributes>, name: &str| {
        side.as_ref()
            .and_then(|attributes| attributes.get(name).cloned())
    };
    let names: Vec<&str> = match left.after.as_ref().or(left.before.as_ref()) {
        Some(attributes) => attributes
            .iter()
            .map(|(name, _)| name)
            .filter(|name| value(&left.before, name) != value(&left.after, name))
            .collect(),
        None => Vec::new(),
    };
    Err(Fault::new(
        format!("{} did not take its change", left.id),
        format!("it still differs in {}", names.join(", ")),
    )
    .hint("something else on the host may be changing it back"))
}

fn failed(fault: Fault) -> Outcome {
    if fault.pending {
        return Outcome::Pending {
            what: fault.what,
            why: fault.why,
            hint: fault.hint,
        };
    }
    Outcome::Failed {
        what: fault.what,
        why: fault.why,
        hint: fault.hint,
    }
}

fn rolled_back(fault: &Fault) -> Outcome {
    Outcome::RolledBack {
        what: fault.what.clone(),
        why: fault.why.clone(),
        log: Vec::new(),
    }
}
