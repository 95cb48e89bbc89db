//! What is wanted, in Cloudflare's objects. Pure.

use super::{Context, balancer, monitor, pool, records, refusal};
use crate::dns::{Desired, GeoName, Object, Wanted};
use crate::error::Error;

/// The shortest time to live that every plan has, in seconds. 1 would mean "automatic".
const SHORTEST: u32 = 60;

pub(super) fn desired(wanted: &Wanted, context: &Context) -> Result<Desired, Error> {
    let asked = u32::try_from(wanted.ttl.as_secs()).unwrap_or(u32::MAX);
    let ttl = asked.max(SHORTEST);
    let mut desired = Desired {
        notes: context.notes.clone(),
        degraded: context.shadowing.clone(),
        ..Desired::default()
    };
    if ttl != asked {
        desired.notes.push(format!(
            "resolvers may keep answers for {ttl} s instead of {asked} s: cloudflare takes no less on most plans"
        ));
    }
    if let Some(geo) = &wanted.geo {
        if let Some(said) = &context.without_balancing {
            return Err(refusal::no_load_balancing(said));
        }
        desired.objects.extend(geography(wanted, geo, ttl, context));
        desired.notes.extend(notes(geo, context));
    }
    let hosts = wanted.hosts.iter();
    let sets = hosts.flat_map(|host| records::wanted(host, wanted, ttl));
    desired.objects.extend(sets);
    Ok(desired)
}

fn geography(wanted: &Wanted, geo: &GeoName, ttl: u32, context: &Context) -> Vec<Object> {
    let owner = wanted.owner.as_str();
    let mut objects = Vec::new();
    for answer in &geo.answers {
        let monitor = monitor::wanted(wanted, &answer.domain);
        objects.push(Object {
            id: monitor::id(answer.domain.as_str()),
            attributes: monitor::attributes(&monitor, owner),
        });
    }
    for answer in &geo.answers {
        let pool = pool::wanted(wanted, answer, &geo.routing);
        objects.push(Object {
            id: pool::id(&pool.name),
            attributes: pool::attributes(&pool, Some(owner)),
        });
    }
    let balancer = balancer::wanted(wanted, geo, ttl, context);
    objects.push(Object {
        id: balancer::id(&balancer.name),
        attributes: balancer::attributes(&balancer, Some(owner)),
    });
    objects
}

fn notes(geo: &GeoName, context: &Context) -> Vec<String> {
    let mut notes = vec![
        "Load Balancing is a paid add-on of cloudflare's, and it counts the questions for this name".to_owned(),
    ];
    let unknown: Vec<&str> = balancer::elsewhere(geo)
        .filter(|country| !context.knows(*country))
        .map(crate::geography::Country::code)
        .collect();
    if !unknown.is_empty() {
        notes.push(format!(
            "cloudflare does not tell {} apart: clients there get the default, {}",
            unknown.join(" "),
            geo.routing.default
        ));
    }
    let from: Vec<String> = geo
        .answers
        .iter()
        .map(|answer| {
            let asked_from = pool::asked_from(&geo.routing, &answer.region);
            format!("{} from {asked_from}", answer.region)
        })
        .collect();
    notes.push(format!(
        "health is asked from outside of mainland China ({}): a broken border looks like an outage there, and its clients are then sent to the next region",
        from.join(", ")
    ));
    notes
}

#[cfg(test)]
mod tests;
