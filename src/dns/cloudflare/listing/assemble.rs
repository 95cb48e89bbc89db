//! From what was read to objects with marks. Pure.

use std::collections::BTreeMap;

use super::{
    Balancer, Context, Found, Listed, Mark, Object, Seen, Wanted, balancer, mark, monitor, pool,
    records,
};
use crate::plan::Id;

pub(super) fn objects(seen: &Seen, wanted: &Wanted) -> Vec<Found> {
    let monitors = monitors(seen, wanted);
    let checks = names(&monitors);
    let pools = pools(seen, wanted, &checks);
    let named = names(&pools);
    let balancers: Vec<Found> = seen
        .balancers
        .iter()
        .filter_map(|listed| balancer(listed, wanted, &named))
        .collect();
    let sets = records::found(&seen.records, wanted);
    [monitors, pools, balancers, sets].concat()
}

/// Names by id, for what refers to them.
fn names(found: &[Found]) -> BTreeMap<String, String> {
    let names = found.iter();
    names
        .map(|found| (found.handle.clone(), found.object.id.name.clone()))
        .collect()
}

fn monitors(seen: &Seen, wanted: &Wanted) -> Vec<Found> {
    let mut found = Vec::new();
    for listed in &seen.monitors {
        let text = &listed.object.description;
        let Some(domain) = mark::domain(text, &wanted.owner, wanted.zone.as_str()) else {
            continue;
        };
        found.push(Found {
            object: Object {
                id: monitor::id(domain),
                attributes: monitor::attributes(&listed.object, &wanted.owner),
            },
            mark: Mark::Ours,
            handle: listed.id.clone(),
        });
    }
    // One that a pool uses is kept, so that the same of two is kept at every look.
    let used = |found: &Found| {
        let mut pools = seen.pools.iter();
        !pools.any(|pool| pool.object.monitor.as_ref() == Some(&found.handle))
    };
    found.sort_by_key(|found| (used(found), found.handle.clone()));
    unique(found)
}

fn pools(seen: &Seen, wanted: &Wanted, checks: &BTreeMap<String, String>) -> Vec<Found> {
    let answers = wanted.geo.iter().flat_map(|geo| &geo.answers);
    let names: Vec<String> = answers.map(|answer| pool::name(&answer.domain)).collect();
    let mut found: Vec<Found> = seen
        .pools
        .iter()
        .filter_map(|listed| {
            let mut object = listed.object.clone();
            let whose = mark::in_account(&object.description, &wanted.owner, wanted.zone.as_str());
            let ours = whose == Mark::Ours;
            if !ours && !names.contains(&object.name) {
                return None;
            }
            object.monitor = object
                .monitor
                .filter(|id| !id.is_empty())
                .map(|id| pool::named(&id, |id| checks.get(id).cloned()));
            Some(Found {
                object: Object {
                    id: pool::id(&object.name),
                    attributes: pool::attributes(&object, ours.then_some(wanted.owner.as_str())),
                },
                mark: whose,
                handle: listed.id.clone(),
            })
        })
        .collect();
    let used = |found: &Found| {
        let mut balancers = seen.balancers.iter();
        !balancers.any(|balancer| balancer.object.default_pools.contains(&found.handle))
    };
    found.sort_by_key(|found| (used(found), found.handle.clone()));
    unique(found)
}

fn balancer(
    listed: &Listed<Balancer>,
    wanted: &Wanted,
    pools: &BTreeMap<String, String>,
) -> Option<Found> {
    let mut object = listed.object.clone();
    let whose = mark::of(&object.description, &wanted.owner);
    let ours = whose == Mark::Ours;
    let is_wanted = wanted
        .geo
        .iter()
        .any(|geo| geo.name.as_str() == object.name);
    if !ours && !is_wanted {
        return None;
    }
    let maps = [
        &mut object.country_pools,
        &mut object.region_pools,
        &mut object.pop_pools,
    ];
    let lists = maps.into_iter().flat_map(|map| map.values_mut());
    let ids = lists.chain([&mut object.default_pools]).flatten();
    for id in ids.chain([&mut object.fallback_pool]) {
        *id = pool::named(id, |id| pools.get(id).cloned());
    }
    Some(Found {
        object: Object {
            id: balancer::id(&object.name),
            attributes: balancer::attributes(&object, ours.then_some(wanted.owner.as_str())),
        },
        mark: whose,
        handle: listed.id.clone(),
    })
}

/// A create whose answer was lost and which was repeated may have left two of one name: the second gets a name of its
/// own, which nobody wants.
fn unique(found: Vec<Found>) -> Vec<Found> {
    let mut seen: Vec<Id> = Vec::new();
    let mut all = Vec::new();
    for mut one in found {
        if seen.contains(&one.object.id) {
            one.object.id.name = format!("{} again as {}", one.object.id.name, one.handle);
        }
        seen.push(one.object.id.clone());
        all.push(one);
    }
    all
}

/// What stands in another's light: records below a load balancer's name, load balancers above a record's.
pub(super) fn sentences(seen: &Seen, wanted: &Wanted, context: &mut Context) {
    if let Some(geo) = &wanted.geo {
        for record in records::below(&seen.records, geo.name.as_str()) {
            context.notes.push(format!(
                "the {} record {} at {} (id {}) is not answered while the load balancer is enabled, and comes back when it is disabled",
                record.object.kind, record.object.content, geo.name, record.id
            ));
        }
    }
    let hosts = wanted.hosts.iter();
    for (host, above) in hosts.filter_map(|host| {
        let mut balancers = seen.balancers.iter();
        let above = balancers.find(|balancer| balancer.object.name == host.name.as_str())?;
        (mark::of(&above.object.description, &wanted.owner) != Mark::Ours).then_some((host, above))
    }) {
        context.shadowing.push(format!(
            "{} is answered by a load balancer of somebody else's (id {}), not by its records, which are written all the same",
            host.name, above.id
        ));
    }
}
