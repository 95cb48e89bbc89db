//! The fake as a provider.

use std::sync::Arc;

use geodeploy::dns::{
    Desired, Found, Handles, Listing, Lock, LockError, Mark, Object, Provider, Step, Wanted,
};
use geodeploy::error::Error;
use geodeploy::plan::{Attributes, Change, Id, Kind, Value};

use super::Service;

/// A fake of a provider.
pub(crate) struct Fake(pub(crate) Arc<Service>);

fn record(name: &str, value: std::net::IpAddr, wanted: &Wanted) -> Object {
    let kind = if value.is_ipv4() { "A" } else { "AAAA" };
    Object {
        id: Id::new(Kind::Record, format!("{name} {kind}")),
        attributes: Attributes::new()
            .text("ttl", wanted.ttl.as_secs().to_string())
            .list("values", vec![value.to_string()])
            .text("owner", &wanted.owner),
    }
}

impl Provider for Fake {
    type Context = Vec<String>;

    fn name(&self) -> &'static str {
        "fake"
    }

    async fn list(&self, wanted: &Wanted) -> Result<Listing<Vec<String>>, Error> {
        let names: Vec<&str> = wanted.hosts.iter().map(|host| host.name.as_str()).collect();
        self.0
            .call(false, |state| {
                if let Some(error) = &state.refusal {
                    return Err(error.clone());
                }
                let found = state
                    .objects
                    .iter()
                    .rev()
                    .map(|(id, (handle, attributes))| {
                        let mark = match attributes.get("owner") {
                            Some(Value::Text(owner)) if *owner == wanted.owner => Mark::Ours,
                            Some(Value::Text(owner)) => Mark::OtherProject(owner.clone()),
                            _ => Mark::Foreign,
                        };
                        let object = Object {
                            id: id.clone(),
                            attributes: attributes.clone(),
                        };
                        Found {
                            object,
                            mark,
                            handle: handle.clone(),
                        }
                    });
                let at_a_wanted_name = |found: &Found| {
                    let name = &found.object.id.name;
                    names.iter().any(|wanted| name.starts_with(wanted))
                };
                let objects = found
                    .filter(|found| found.mark == Mark::Ours || at_a_wanted_name(found))
                    .collect();
                Ok(Listing {
                    objects,
                    context: state.degraded.clone(),
                })
            })
            .await
    }

    fn desired(&self, wanted: &Wanted, degraded: &Vec<String>) -> Result<Desired, Error> {
        let mut objects = Vec::new();
        let mut add = |name: &str, addresses: geodeploy::inventory::Addresses| {
            objects.push(record(name, addresses.ipv4.into(), wanted));
            objects.extend(addresses.ipv6.map(|six| record(name, six.into(), wanted)));
        };
        for host in &wanted.hosts {
            add(host.name.as_str(), host.addresses);
        }
        if let Some(geo) = &wanted.geo {
            let answers = geo.answers.iter();
            let pools: Vec<String> = answers.map(|answer| answer.region.to_string()).collect();
            objects.push(Object {
                id: Id::new(Kind::LoadBalancer, geo.name.as_str()),
                attributes: Attributes::new()
                    .list("pools", pools.clone())
                    .text("owner", &wanted.owner),
            });
            objects.extend(pools.into_iter().map(|name| Object {
                id: Id::new(Kind::Pool, name),
                attributes: Attributes::new().text("owner", &wanted.owner),
            }));
        }
        Ok(Desired {
            objects,
            notes: Vec::new(),
            degraded: degraded.clone(),
        })
    }

    fn steps(&self, changes: &[Change], _: &Vec<String>) -> Vec<Step> {
        let mut changes = changes.to_vec();
        changes.sort_by_key(|change| match (change.id.kind, change.after.is_some()) {
            (Kind::Pool, true) => 0,
            (Kind::Pool, false) => 2,
            _ => 1,
        });
        let step = |change: Change| Step {
            what: format!("change {}", change.id),
            changes: vec![change],
        };
        changes.into_iter().map(step).collect()
    }

    async fn apply(
        &self,
        step: &Step,
        handles: &mut Handles,
        _: &Vec<String>,
    ) -> Result<(), Error> {
        let slow = self.0.state().slow;
        tokio::time::sleep(slow).await;
        self.0
            .call(true, |state| {
                let mut changes = step.changes.iter();
                changes.try_for_each(|change| state.apply(change, handles))
            })
            .await
    }

    async fn settle(&self, _: &Vec<String>) -> Result<(), Error> {
        self.0.call(false, |_| Ok(())).await
    }

    async fn place_lock(&self, lock: &Lock, _: &Vec<String>) -> Result<(), LockError> {
        self.0
            .call(true, |state| {
                if state.lock.is_some() {
                    return Err(LockError::Exists);
                }
                state.lock = Some(lock.clone());
                Ok(())
            })
            .await
    }

    async fn read_lock(&self, _: &Vec<String>) -> Result<Option<Lock>, Error> {
        self.0.call(false, |state| Ok(state.lock.clone())).await
    }

    async fn replace_lock(
        &self,
        old: &Lock,
        new: Option<&Lock>,
        _: &Vec<String>,
    ) -> Result<(), LockError> {
        self.0
            .call(true, |state| {
                if state.lock.as_ref() != Some(old) {
                    return Err(LockError::Exists);
                }
                state.lock = new.cloned();
                Ok(())
            })
            .await
    }
}
