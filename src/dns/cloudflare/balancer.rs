//! The name that answers by geography: a load balancer without a proxy.

use std::collections::BTreeMap;

use super::pool;
use super::schema::{Balancer, LocationStrategy, PoolMap};
use super::text::{Reader, seconds, yes_or_no};
use super::{Context, text};
use crate::dns::{GeoName, Handles, Wanted};
use crate::error::Error;
use crate::geography::{Continent, Country};
use crate::inventory::RegionName;
use crate::plan::{Attributes, Id, Kind};

/// Its identity: the name that it answers.
pub(super) fn id(name: &str) -> Id {
    Id::new(Kind::LoadBalancer, name)
}

/// The load balancer that is wanted, with its pools by name.
pub(super) fn wanted(wanted: &Wanted, geo: &GeoName, ttl: u32, context: &Context) -> Balancer {
    let default_pools = pools_for(geo, &geo.routing.default);
    Balancer {
        name: geo.name.as_str().to_owned(),
        description: wanted.owner.clone(),
        enabled: true,
        // With a proxy the answer would be an address of Cloudflare's, in China too.
        proxied: false,
        ttl,
        steering_policy: "geo".to_owned(),
        // Without these the country is that of the data centre which answers: China's resolvers reach those overseas.
        location_strategy: LocationStrategy {
            mode: "resolver_ip".to_owned(),
            prefer_ecs: "geo".to_owned(),
        },
        fallback_pool: default_pools.first().cloned().unwrap_or_default(),
        default_pools,
        country_pools: country_pools(geo, context),
        // A region is that of the data centre, which none of our table's entries means.
        region_pools: PoolMap::new(),
        pop_pools: PoolMap::new(),
        session_affinity: "none".to_owned(),
        rules: Vec::new(),
    }
}

/// Pools in the order of failover: the region's own, the default's, then the rest in the inventory's order.
fn pools_for(geo: &GeoName, region: &RegionName) -> Vec<String> {
    let default = &geo.routing.default;
    let mut answers: Vec<_> = geo.answers.iter().collect();
    answers.sort_by_key(|answer| (answer.region != *region, answer.region != *default));
    answers
        .into_iter()
        .map(|answer| pool::name(&answer.domain))
        .collect()
}

/// The countries that the default does not serve, and that Cloudflare tells apart.
fn country_pools(geo: &GeoName, context: &Context) -> PoolMap {
    elsewhere(geo)
        .filter(|country| context.knows(*country))
        .map(|country| {
            let pools = pools_for(geo, geo.routing.region(country).0);
            (country.code().to_owned(), pools)
        })
        .collect()
}

/// The countries that another region than the default serves.
pub(super) fn elsewhere(geo: &GeoName) -> impl Iterator<Item = Country> + '_ {
    Country::all().filter(|country| *geo.routing.region(*country).0 != geo.routing.default)
}

/// A load balancer's attributes, with its pools by name. The order of pools is the order of failover.
pub(super) fn attributes(balancer: &Balancer, owner: Option<&str>) -> Attributes {
    let strategy = &balancer.location_strategy;
    let affinity = match balancer.session_affinity.as_str() {
        "" => "none",
        affinity => affinity,
    };
    let attributes = Attributes::new()
        .text("enabled", yes_or_no(balancer.enabled))
        .text("proxied", yes_or_no(balancer.proxied))
        .text("ttl", seconds(balancer.ttl))
        .text("steering", &balancer.steering_policy)
        .text("location", &strategy.mode)
        .text("client subnets", &strategy.prefer_ecs)
        .list("default pools", balancer.default_pools.clone())
        .text("fallback pool", &balancer.fallback_pool)
        .list("country pools", rows(&balancer.country_pools))
        .list("region pools", rows(&balancer.region_pools))
        .list("data centre pools", rows(&balancer.pop_pools))
        .text("session affinity", affinity)
        .text("rules", balancer.rules.len().to_string());
    text::described(attributes, &balancer.description, owner)
}

/// A map as a row for each order of pools and continent: `us > cn: CA US`.
fn rows(map: &PoolMap) -> Vec<String> {
    let mut rows: BTreeMap<(String, Option<Continent>), Vec<&str>> = BTreeMap::new();
    for (code, pools) in map {
        let continent = code.parse().ok().map(Country::continent);
        let row = rows.entry((pools.join(" > "), continent)).or_default();
        row.push(code);
    }
    rows.into_iter()
        .map(|((pools, _), codes)| format!("{pools}: {}", codes.join(" ")))
        .collect()
}

/// The body of a call. Custom rules are not kept: they win over countries.
pub(super) fn body(id: &Id, attributes: &Attributes, handles: &Handles) -> Result<Balancer, Error> {
    let read = Reader::new(id, attributes);
    let one = |name: &str| pool::handle(name, &pool::id(name), handles);
    let map = |name: &str| -> Result<PoolMap, Error> {
        let mut map = PoolMap::new();
        for row in read.list(name) {
            let (pools, codes) = row.rsplit_once(": ").ok_or_else(|| read.wrong(name, row))?;
            let ids: Vec<String> = pools.split(" > ").map(one).collect::<Result<_, _>>()?;
            map.extend(codes.split(' ').map(|code| (code.to_owned(), ids.clone())));
        }
        Ok(map)
    };
    let default_pools = read.list("default pools");
    Ok(Balancer {
        name: id.name.clone(),
        description: read.description().to_owned(),
        enabled: read.flag("enabled")?,
        proxied: read.flag("proxied")?,
        ttl: read.number("ttl")?,
        steering_policy: read.text("steering").to_owned(),
        location_strategy: LocationStrategy {
            mode: read.text("location").to_owned(),
            prefer_ecs: read.text("client subnets").to_owned(),
        },
        fallback_pool: one(read.text("fallback pool"))?,
        default_pools: default_pools
            .iter()
            .map(|name| one(name))
            .collect::<Result<_, _>>()?,
        country_pools: map("country pools")?,
        region_pools: map("region pools")?,
        pop_pools: map("data centre pools")?,
        session_affinity: read.text("session affinity").to_owned(),
        rules: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
