//! Which calls are made, in which order, and what a look says.

use geodeploy::dns::{Desired, Provider, Wanted};
use geodeploy::plan::Kind;
use serde_json::{Value, json};

use crate::fake::{Call, Server};
use crate::suite::{Backend, Operator, wanted};

/// The writes since `from`, as method and the end of the path, without those of the lock.
fn order(writes: &[Call]) -> Vec<String> {
    let lock = |call: &&Call| {
        !call.body.to_string().contains("_geodeploy-lock")
            && call
                .body
                .get("deletes")
                .is_none_or(|_| call.body.get("puts").is_some() || call.body.get("posts").is_some())
    };
    let text = |call: &Call| {
        let words: Vec<&str> = call.path.split('/').skip(2).collect();
        let words = words.into_iter().filter(|word| word.len() < 32);
        format!("{} {}", call.method, words.collect::<Vec<_>>().join("/"))
    };
    writes.iter().filter(lock).map(text).collect()
}

async fn desired(server: &Server) -> Desired {
    let (provider, wanted) = (server.provider(), wanted());
    let listing = provider.list(&wanted).await.unwrap();
    provider.desired(&wanted, &listing.context).unwrap()
}

fn without_geography(server: &Server) -> Operator<<Server as Backend>::Provider> {
    let mut operator = Operator::new(server.provider());
    operator.wanted = Wanted {
        geo: None,
        ..wanted()
    };
    for name in [
        "api.yourapp.com",
        "geodeploy-us_yourapp_com",
        "geodeploy-cn_yourapp_com",
        "us.yourapp.com",
        "cn.yourapp.com",
    ] {
        operator.consent.delete.push(name.to_owned());
    }
    operator
}

#[tokio::test]
async fn monitors_come_before_pools_before_the_load_balancer_before_one_batch_and_go_the_other_way()
{
    let server = Server::start().await;
    Operator::new(server.provider()).sync().await.unwrap();
    let made = server.writes();
    assert_eq!(
        order(&made),
        [
            "POST load_balancers/monitors",
            "POST load_balancers/monitors",
            "POST load_balancers/pools",
            "POST load_balancers/pools",
            "POST load_balancers",
            "POST dns_records/batch",
        ]
    );
    without_geography(&server).sync().await.unwrap();
    let gone: Vec<Call> = server.writes().split_off(made.len());
    let gone: Vec<Call> = gone
        .into_iter()
        .filter(|call| call.method == "DELETE")
        .collect();
    assert_eq!(
        order(&gone),
        [
            "DELETE load_balancers",
            "DELETE load_balancers/pools",
            "DELETE load_balancers/pools",
            "DELETE load_balancers/monitors",
            "DELETE load_balancers/monitors",
        ]
    );
    let store = server.store();
    assert!(store.balancers.is_empty() && store.pools.is_empty() && store.monitors.is_empty());
    assert_eq!(store.records.len(), 6);
}

#[tokio::test]
async fn the_load_balancer_that_is_sent_steers_by_the_clients_country_and_never_by_the_data_centre()
{
    let server = Server::start().await;
    Operator::new(server.provider()).sync().await.unwrap();
    let sent: Vec<Value> = server
        .writes()
        .into_iter()
        .filter(|call| call.path.ends_with("/load_balancers"))
        .map(|call| call.body)
        .collect();
    assert_eq!(sent.len(), 1);
    let (us, cn) = {
        let store = server.store();
        let id = |name: &str| {
            store
                .pools
                .iter()
                .find(|pool| pool["name"] == name)
                .unwrap()["id"]
                .clone()
        };
        (
            id("geodeploy-us_yourapp_com"),
            id("geodeploy-cn_yourapp_com"),
        )
    };
    let body = &sent[0];
    assert_eq!(body["steering_policy"], "geo");
    assert_eq!(
        body["location_strategy"],
        json!({ "mode": "resolver_ip", "prefer_ecs": "geo" })
    );
    assert_eq!(body["country_pools"]["CN"], json!([cn, us]));
    assert_eq!(body["country_pools"].get("US"), None);
    assert_eq!(
        (&body["default_pools"], &body["fallback_pool"]),
        (&json!([us, cn]), &us)
    );
    assert_eq!(
        (&body["region_pools"], &body["pop_pools"]),
        (&json!({}), &json!({}))
    );
    assert_eq!(
        (&body["proxied"], &body["ttl"]),
        (&json!(false), &json!(60))
    );
}

#[tokio::test]
async fn an_entry_that_somebody_added_is_taken_out_again_by_name() {
    let server = Server::start().await;
    Operator::new(server.provider()).sync().await.unwrap();
    {
        let mut store = server.store();
        let pool = store.pools[0]["id"].clone();
        store.balancers[0]["region_pools"] = json!({ "WNAM": [pool] });
        store.balancers[0]["rules"] = json!([{ "name": "theirs" }]);
    }
    assert_eq!(Operator::new(server.provider()).sync().await, Ok(1));
    let store = server.store();
    assert_eq!(
        (
            &store.balancers[0]["region_pools"],
            &store.balancers[0]["rules"]
        ),
        (&json!({}), &json!([]))
    );
}

#[tokio::test]
async fn the_fake_lists_in_another_order_at_every_look() {
    let server = Server::start().await;
    Operator::new(server.provider()).sync().await.unwrap();
    let url = format!("{}/accounts/a/load_balancers/pools", server.endpoint());
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let request = reqwest::Client::new()
            .get(&url)
            .bearer_auth(crate::fake::TOKEN);
        seen.insert(request.send().await.unwrap().text().await.unwrap());
    }
    assert!(seen.len() > 1);
}

#[tokio::test]
async fn a_second_monitor_of_one_name_is_seen_as_one_too_many() {
    let server = Server::start().await;
    Operator::new(server.provider()).sync().await.unwrap();
    let mut twin = server.store().monitors[0].clone();
    twin["id"] = json!("00000000000000000000000000000001");
    server.store().monitors.push(twin);
    let looked = Operator::new(server.provider()).look().await.reconciled;
    assert_eq!(looked.plan.changes.len(), 1);
    let id = &looked.unconsented[0];
    assert_eq!(id.kind, Kind::HealthCheck);
    assert!(
        id.name
            .ends_with("again as 00000000000000000000000000000001"),
        "{id}"
    );
    let agreeing = Operator::new(server.provider()).deleting(&id.name);
    agreeing.sync().await.unwrap();
    assert_eq!(server.store().monitors.len(), 2);
    server.assert_invariants().await;
}

#[tokio::test]
async fn records_below_the_load_balancer_are_noted_and_a_foreign_one_above_a_host_needs_consent() {
    let server = Server::start().await;
    let id = server.store().add_record(
        json!({ "type": "A", "name": "api.yourapp.com", "content": "192.0.2.5", "ttl": 300 }),
    );
    let wanted = desired(&server).await;
    let note = wanted.notes.iter().find(|note| note.contains(&id)).unwrap();
    assert!(
        note.contains("192.0.2.5") && note.contains("comes back"),
        "{note}"
    );
    assert!(wanted.degraded.is_empty());
    server.store().balancers.push(json!({ "id": "theirs", "name": "us.yourapp.com", "default_pools": ["p"], "fallback_pool": "p" }));
    let wanted = desired(&server).await;
    assert!(wanted.degraded[0].contains("us.yourapp.com") && wanted.degraded[0].contains("theirs"));
}

#[tokio::test]
async fn a_pool_that_somebody_else_uses_is_not_taken_away_and_the_error_says_where_to_look() {
    let server = Server::start().await;
    Operator::new(server.provider()).sync().await.unwrap();
    let pool = server.store().pools[0]["id"].clone();
    server.store().balancers.push(json!({ "id": "theirs", "name": "shop.yourapp.com", "default_pools": [pool], "fallback_pool": pool }));
    let error = without_geography(&server).sync().await.unwrap_err();
    assert!(error.what.contains("delete pool"), "{error:?}");
    assert!(
        error.causes[0].contains("code 1005") && error.hints[0].contains("dashboard"),
        "{error:?}"
    );
    server.assert_invariants().await;
}
