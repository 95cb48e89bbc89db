//! What is to be done and in which order.

use std::collections::HashMap;

use super::Apply;
use crate::agent::inspect;
use crate::agent::system::Fault;
use crate::plan::{Change, Id};
use crate::resource::{Context, Nginx, Package, Resource};

/// What is done at once: consecutive packages are one step, because apt takes them in one transaction, and so are
/// consecutive files of nginx, because one may need what another defines.
pub(super) enum Step<'a> {
    /// Consecutive packages, each with the resource that it is.
    Packages(Vec<(&'a Resource, &'a Package)>),
    /// Consecutive files of nginx, likewise.
    Nginx(Vec<(&'a Resource, &'a Nginx)>),
    /// Any other resource.
    One(&'a Resource),
}

impl Apply<'_> {
    /// Resources whose state is no longer the one that the operator consented to change.
    pub(super) fn moved(&self, context: &Context<'_>) -> Result<Vec<Id>, Fault> {
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
    pub(super) fn heard(&self) -> Vec<String> {
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

    pub(super) fn planned(&self, id: &Id) -> bool {
        self.changes.iter().any(|change| change.id == *id)
    }

    /// The steps in the order of the resources.
    pub(super) fn steps(&self) -> Vec<Step<'_>> {
        let mut steps: Vec<Step<'_>> = Vec::new();
        for resource in self.resources {
            // A service is looked at again in its place: it may have to hear of a change made before it.
            let hears = matches!(
                resource,
                Resource::Service(_) | Resource::MongodCertificates(_)
            );
            if !self.planned(&resource.id()) && !hears {
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
        steps.extend(self.heard_late().map(Step::One));
        steps
    }

    /// Services that hear of a change made after their own place in the order.
    fn heard_late(&self) -> impl Iterator<Item = &Resource> {
        let place = |unit: &str| {
            let mut resources = self.resources.iter();
            resources.position(
                |resource| matches!(resource, Resource::Service(service) if service.unit == unit),
            )
        };
        let planned = self.resources.iter().enumerate();
        let planned = planned.filter(|(_, resource)| self.planned(&resource.id()));
        let mut places: Vec<usize> = planned
            .flat_map(|(at, resource)| {
                let units = resource.manage().notifies().iter();
                units.filter_map(move |notify| place(&notify.unit).filter(|place| *place < at))
            })
            .collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| &self.resources[place])
    }
}
