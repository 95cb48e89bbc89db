//! Makes the consented changes, in order, each verified.

use std::collections::HashMap;
use std::time::Instant;

use super::message::{Event, Outcome};
use super::system::Fault;
use super::{inspect, undo};
use crate::plan::{Change, Id, Verb};
use crate::resource::{Context, Nginx, Package, Resource, firewall, nginx, package, pending};

/// What a run of changes needs to know besides its resources.
pub(super) struct Apply<'a> {
    /// Names the run, and so its undo.
    pub run: &'a str,
    /// All resources of the host, in order.
    pub resources: &'a [Resource],
    /// Those changes that were consented to.
    pub changes: &'a [Change],
    /// Seconds that a fresh connection has to confirm a firewall change.
    pub confirm_within: u64,
}

/// A step: consecutive packages are one, because apt takes them in one transaction, and so are consecutive files of
/// nginx, because one may need what another defines.
enum Step<'a> {
    Packages(Vec<(&'a Resource, &'a Package)>),
    Nginx(Vec<(&'a Resource, &'a Nginx)>),
    One(&'a Resource),
}

struct Progress<'a> {
    emit: &'a dyn Fn(Event),
    number: usize,
    of: usize,
    changed: usize,
    restarted: Vec<String>,
}

impl Apply<'_> {
    /// Makes the changes and says how it ended.
    pub(super) fn run(&self, context: &Context<'_>, emit: &dyn Fn(Event)) -> Outcome {
        match self.moved(context) {
            Ok(moved) if !moved.is_empty() => return Outcome::Stale { moved },
            Ok(_) => {}
            Err(fault) => return failed(fault),
        }
        let mut progress = Progress {
            emit,
            number: 0,
            of: self.changes.len() + self.heard().len(),
            changed: 0,
            restarted: Vec::new(),
        };
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

    /// Resources whose state is no longer the one that the operator consented to change.
    fn moved(&self, context: &Context<'_>) -> Result<Vec<Id>, Fault> {
        let planned: HashMap<&Id, &Change> = self
            .changes
            .iter()
            .map(|change| (&change.id, change))
            .collect();
        let mut known = 0;
        let mut moved = Vec::new();
        for resource in self.resources {
            let id = resource.id();
            let Some(change) = planned.get(&id) else {
                continue;
            };
            known += 1;
            let now = inspect::change(resource, context)?;
            if now.is_some_and(|now| now.before != change.before || now.after != change.after) {
                moved.push(id);
            }
        }
        if known < self.changes.len() {
            let ids: Vec<Id> = self.resources.iter().map(Resource::id).collect();
            moved.extend(
                self.changes
                    .iter()
                    .map(|change| change.id.clone())
                    .filter(|id| !ids.contains(id)),
            );
        }
        Ok(moved)
    }

    /// Units that hear of a change and are not themselves among the changes.
    fn heard(&self) -> Vec<String> {
        let mut units = Vec::new();
        for resource in self
            .resources
            .iter()
            .filter(|resource| self.planned(&resource.id()))
        {
            for notify in resource.manage().notifies() {
                let changes_itself = self
                    .changes
                    .iter()
                    .any(|change| change.id.name == notify.unit);
                if !changes_itself && !units.contains(&notify.unit) {
                    units.push(notify.unit.clone());
                }
            }
        }
        units
    }

    fn planned(&self, id: &Id) -> bool {
        self.changes.iter().any(|change| change.id == *id)
    }

    fn steps(&self) -> Vec<Step<'_>> {
        let mut steps: Vec<Step<'_>> = Vec::new();
        for resource in self.resources {
            // A service is looked at again in its place: it may have to hear of a change made before it.
            if !self.planned(&resource.id()) && !matches!(resource, Resource::Service(_)) {
                continue;
            }
            match (resource, steps.last_mut()) {
                (Resource::Package(package), Some(Step::Packages(packages))) => {
                    packages.push((resource, package));
                }
                (Resource::Package(package), _) => {
                    steps.push(Step::Packages(vec![(resource, package)]));
                }
                (Resource::Nginx(file), Some(Step::Nginx(files))) => files.push((resource, file)),
                (Resource::Nginx(file), _) => steps.push(Step::Nginx(vec![(resource, file)])),
                _ => steps.push(Step::One(resource)),
            }
        }
        steps
    }

    fn step(
        &self,
        step: &Step<'_>,
        context: &Context<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Option<Outcome>, Fault> {
        match step {
            Step::Packages(entries) => group(entries, "packages", context, progress, |packages| {
                package::apply_all(packages, context)
            }),
            Step::Nginx(entries) => group(entries, "nginx", context, progress, |files| {
                nginx::apply_all(files, context)
            }),
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
        let title = format!("{} {}", verb(change.verb()), change.id);
        if let Resource::Firewall(_) = resource {
            return self.guarded(resource, change, context, progress, &title);
        }
        progress.time(1, &title, || {
            let notifies = resource.manage().notifies();
            notifies
                .iter()
                .try_for_each(|notify| pending::mark(context, notify))?;
            resource.manage().apply(change, context)?;
            notifies
                .iter()
                .try_for_each(|notify| pending::settle(context, &notify.unit))?;
            verify(resource, context)
        })?;
        if let Resource::Service(service) = resource {
            progress.restarted.push(service.unit.clone());
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
    let notifies = || {
        differing
            .iter()
            .flat_map(|(resource, _)| resource.manage().notifies())
    };
    progress.time(names.len(), &format!("{title} {}", names.join(" ")), || {
        notifies().try_for_each(|notify| pending::mark(context, notify))?;
        apply(&values)?;
        notifies().try_for_each(|notify| pending::settle(context, &notify.unit))?;
        differing
            .iter()
            .try_for_each(|(resource, _)| verify(resource, context))
    })?;
    Ok(None)
}

impl Progress<'_> {
    fn time(
        &mut self,
        steps: usize,
        title: &str,
        work: impl FnOnce() -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.number += steps;
        self.of = self.of.max(self.number);
        (self.emit)(Event::Started {
            number: self.number,
            of: self.of,
            step: title.to_owned(),
        });
        let begun = Instant::now();
        work()?;
        self.changed += steps;
        (self.emit)(Event::Done {
            number: self.number,
            milliseconds: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        Ok(())
    }
}

fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "change",
        Verb::Delete => "delete",
    }
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
