//! The fake behind what every provider has to keep to.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use geodeploy::dns::cloudflare::Cloudflare;
use geodeploy::inventory::HttpUrl;
use geodeploy::secrets::Secret;
use serde_json::{Value, json};

use super::{Server, TOKEN};
use crate::suite::Backend;

impl Server {
    pub(crate) fn endpoint(&self) -> HttpUrl {
        let url = format!("http://{}/client/v4", self.address);
        url.parse().unwrap()
    }

    /// A provider with that token, which waits two seconds at most.
    pub(crate) fn with_token(&self, token: &str) -> Cloudflare {
        let patience = Duration::from_secs(2);
        let token = Secret::new(token.to_owned());
        Cloudflare::patient_for(patience, token, Some(&self.endpoint())).unwrap()
    }

    /// Somebody else's monitor, pool and load balancer, of kinds that geodeploy never makes.
    fn seed_balancing(&self) {
        let mut store = self.store();
        store.monitors.push(json!({
            "id": "foreign-m", "type": "tcp", "description": null, "header": null, "port": 443, "path": "", "interval": 60
        }));
        store.pools.push(json!({
            "id": "foreign-p", "name": "theirs", "description": "by hand", "monitor": "foreign-m", "enabled": true,
            "check_regions": null, "origins": [{ "name": "o", "address": "origin.example.com", "enabled": true }]
        }));
        store.balancers.push(json!({
            "id": "foreign-b", "name": "shop.yourapp.com", "steering_policy": "proximity", "proxied": true,
            "default_pools": ["foreign-p"], "fallback_pool": "foreign-p", "session_affinity": "ip_cookie",
            "country_pools": null, "description": ""
        }));
    }
}

impl Backend for Server {
    type Provider = Cloudflare;

    async fn start() -> Self {
        Self::start().await
    }

    fn provider(&self) -> Cloudflare {
        self.with_token(TOKEN)
    }

    async fn seed_foreign(&self, count: usize) {
        self.seed_balancing();
        for number in 0..count {
            let name = format!("foreign-{number}.yourapp.com");
            let record = match number % 5 {
                0 => {
                    json!({ "type": "A", "name": name, "content": "192.0.2.1", "ttl": 1, "proxied": true })
                }
                1 => {
                    json!({ "type": "CNAME", "name": name, "content": "example.net", "ttl": 300, "comment": "by hand" })
                }
                2 => {
                    json!({ "type": "MX", "name": "us.yourapp.com", "content": format!("mx{number}.example.net"), "ttl": 300, "priority": 10 })
                }
                3 => {
                    json!({ "type": "CAA", "name": name, "ttl": 1, "data": { "flags": 0, "tag": "issue", "value": "example.net" } })
                }
                _ => {
                    json!({ "type": "A", "name": name, "content": "192.0.2.2", "ttl": 60, "comment": "geodeploy:other" })
                }
            };
            self.store().add_record(record);
        }
    }

    async fn seed_conflict(&self) -> String {
        self.store().add_record(json!({
            "type": "A", "name": "us.yourapp.com", "content": "192.0.2.99", "ttl": 300, "proxied": true, "comment": "by hand"
        }))
    }

    async fn meddle(&self) {
        let mut store = self.store();
        let mut records = store.records.iter_mut();
        let found =
            records.find(|record| record["name"] == "us.yourapp.com" && record["type"] == "A");
        found.unwrap()["content"] = json!("192.0.2.77");
    }

    async fn foreign(&self) -> String {
        let store = self.store();
        let lists = [
            &store.records,
            &store.monitors,
            &store.pools,
            &store.balancers,
        ];
        let all = lists.into_iter().flatten();
        let theirs = |object: &&Value| {
            let mark = |field: &str| {
                object[field]
                    .as_str()
                    .unwrap_or_default()
                    .starts_with("geodeploy:yourapp")
            };
            !mark("comment")
                && !mark("description")
                && object["name"] != "_geodeploy-lock.yourapp.com"
        };
        format!("{:#?}", all.filter(theirs).collect::<Vec<_>>())
    }

    async fn dump(&self) -> String {
        let store = self.store();
        let lists = [
            &store.records,
            &store.monitors,
            &store.pools,
            &store.balancers,
        ];
        format!("{lists:#?}")
    }

    fn mutations(&self) -> usize {
        self.writes().len()
    }

    fn death(&self, call: usize, carried_out: bool) -> impl Future<Output = ()> {
        let now = self.shared.calls.load(Ordering::SeqCst);
        self.store().dies = Some((now + call, carried_out));
        self.shared.died.notified()
    }

    async fn assert_invariants(&self) {
        let store = self.store();
        let has = |list: &[Value], id: &Value| list.iter().any(|object| object["id"] == *id);
        for pool in &store.pools {
            assert!(has(&store.monitors, &pool["monitor"]), "{pool}");
        }
        for balancer in &store.balancers {
            assert!(has(&store.pools, &balancer["fallback_pool"]), "{balancer}");
            for pool in balancer["default_pools"].as_array().unwrap() {
                assert!(has(&store.pools, pool), "{balancer}");
            }
        }
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }
}
