use super::*;
use crate::dns::cloudflare::tests::{context, handles, wanted, wanted_with};

/// Which pool answers a client there, by the order that Cloudflare documents: data centre, country, region, default.
fn answer<'b>(balancer: &'b Balancer, country: &str) -> &'b str {
    assert_eq!(balancer.steering_policy, "geo");
    assert!(balancer.pop_pools.is_empty() && balancer.region_pools.is_empty());
    let own = balancer.country_pools.get(country);
    own.unwrap_or(&balancer.default_pools)[0].as_str()
}

#[test]
fn every_country_gets_the_answer_of_the_one_table_and_an_unknown_one_the_default() {
    for routing in [
        "default = \"us\"\ncontinents = { NA = \"us\", AS = \"cn\" }",
        "default = \"cn\"\ncontinents = { NA = \"us\", EU = \"us\" }\ncountries = { CN = \"cn\", GB = \"cn\", JP = \"us\" }",
        "default = \"us\"",
    ] {
        let wanted = wanted_with("", routing);
        let geo = wanted.geo.as_ref().unwrap();
        let balancer = super::wanted(&wanted, geo, 60, &context());
        let pool_of = |region: &RegionName| {
            let answer = geo.answers.iter().find(|answer| answer.region == *region);
            pool::name(&answer.unwrap().domain)
        };
        for country in Country::all() {
            let table = geo.routing.region(country).0;
            assert_eq!(
                answer(&balancer, country.code()),
                pool_of(table),
                "{country}"
            );
        }
        // Tor, and what no database knows.
        for unknown in ["T1", "XX", ""] {
            assert_eq!(answer(&balancer, unknown), pool_of(&geo.routing.default));
        }
        assert_eq!(balancer.fallback_pool, balancer.default_pools[0]);
        // Whoever fails, the other takes over.
        let lists = balancer
            .country_pools
            .values()
            .chain([&balancer.default_pools]);
        assert!(
            lists
                .into_iter()
                .all(|pools| pools.len() == 2 && pools[0] != pools[1])
        );
    }
}

#[test]
fn it_is_read_back_from_its_attributes_as_it_was_compiled() {
    let wanted = wanted();
    let geo = wanted.geo.as_ref().unwrap();
    let balancer = super::wanted(&wanted, geo, 60, &context());
    let attributes = attributes(&balancer, Some(&wanted.owner));
    let handles = handles(&wanted);
    let body = body(&id(&balancer.name), &attributes, &handles).unwrap();
    let name = |id: &String| id.rsplit(' ').next().unwrap().to_owned();
    let named = Balancer {
        fallback_pool: name(&body.fallback_pool),
        default_pools: body.default_pools.iter().map(name).collect(),
        country_pools: body
            .country_pools
            .iter()
            .map(|(code, pools)| (code.clone(), pools.iter().map(name).collect()))
            .collect(),
        ..body
    };
    assert_eq!(named, balancer);
    assert_eq!(
        balancer.country_pools.len(),
        Continent::AS.countries().count()
    );
}

#[test]
fn a_body_always_says_where_clients_are_and_empties_every_map_by_name() {
    let wanted = wanted_with("", "default = \"us\"");
    let geo = wanted.geo.as_ref().unwrap();
    let body = serde_json::to_value(super::wanted(&wanted, geo, 60, &context())).unwrap();
    let location = serde_json::json!({ "mode": "resolver_ip", "prefer_ecs": "geo" });
    assert_eq!(body["location_strategy"], location);
    for map in ["country_pools", "region_pools", "pop_pools"] {
        assert_eq!(body[map], serde_json::json!({}), "{map}");
    }
    assert_eq!(body["proxied"], false);
}

#[test]
fn a_pool_that_is_gone_is_not_referred_to() {
    let wanted = wanted();
    let geo = wanted.geo.as_ref().unwrap();
    let balancer = super::wanted(&wanted, geo, 60, &context());
    let attributes = attributes(&balancer, Some(&wanted.owner));
    let error = body(&id(&balancer.name), &attributes, &Handles::new()).unwrap_err();
    assert!(
        error.what.contains("pool geodeploy-us_yourapp_com"),
        "{error:?}"
    );
}
