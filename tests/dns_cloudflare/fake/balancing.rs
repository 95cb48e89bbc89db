//! Load Balancing in the fake: what it refuses, and what it fills in.

use serde_json::{Value, json};

use super::route::Which;
use super::{Call, Entitlement, Reply, Store};

const STEERING: [&str; 8] = [
    "off",
    "geo",
    "random",
    "dynamic_latency",
    "proximity",
    "least_outstanding_requests",
    "least_connections",
    "",
];

impl Store {
    pub(super) fn monitor(&mut self, call: &Call, id: &[&str]) -> Reply {
        let body = &call.body;
        if call.method == "DELETE" {
            let used = self.pools.iter().any(|pool| pool["monitor"] == id[0]);
            return self.removed(call, id, Which::Monitors, used);
        }
        let interval = body["interval"].as_u64().unwrap_or(60);
        if self.lacks(Entitlement::NoMonitors) {
            return Reply::invalid("interval is not in range [0, 0]");
        }
        let kinds = ["http", "https", "tcp", "udp_icmp", "icmp_ping", "smtp"];
        if !(60..=3600).contains(&interval) || !kinds.contains(&text(body, "type")) {
            return Reply::invalid("interval is not in range [60, 3600]");
        }
        let defaults = json!({
            "allow_insecure": false, "expected_body": "", "consecutive_up": 0, "consecutive_down": 0,
            "probe_zone": "", "created_on": "2026-01-01T00:00:00Z", "modified_on": "2026-01-01T00:00:00Z"
        });
        self.write(call, id, Which::Monitors, filled(defaults, body))
    }

    pub(super) fn pool(&mut self, call: &Call, id: &[&str]) -> Reply {
        let body = &call.body;
        if call.method == "DELETE" {
            let used = self
                .balancers
                .iter()
                .any(|balancer| balancer.to_string().contains(id[0]));
            return self.removed(call, id, Which::Pools, used);
        }
        let name = text(body, "name");
        let letters =
            |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        let taken = |pool: &Value| pool["name"] == name && Some(&text(pool, "id")) != id.first();
        if name.is_empty() || !name.chars().all(letters) || self.pools.iter().any(taken) {
            return Reply::invalid("name is not valid, or taken");
        }
        let known = self
            .monitors
            .iter()
            .any(|monitor| monitor["id"] == body["monitor"]);
        if !known || body["origins"].as_array().is_none_or(Vec::is_empty) {
            return Reply::error(404, 1001, "monitor not found: resource not found");
        }
        if body["check_regions"]
            .as_array()
            .is_none_or(|regions| regions.len() != 1)
        {
            return Reply::invalid(
                "Probing from every data centre is not allowed with this subscription. Please choose regions to probe from.",
            );
        }
        let mut defaults = json!({
            "latitude": null, "longitude": null, "notification_email": "", "notification_filter": null, "networks": ["cloudflare"],
            "load_shedding": { "default_percent": 0, "default_policy": "random" }, "origin_steering": { "policy": "random" },
            "created_on": "2026-01-01T00:00:00Z", "modified_on": "2026-01-01T00:00:00Z", "healthy": true
        });
        defaults = filled(defaults, body);
        for origin in defaults["origins"].as_array_mut().unwrap() {
            let own = json!({ "weight": 1, "enabled": true, "port": 0, "flatten_cname": false, "virtual_network_id": "" });
            *origin = filled(own, origin);
        }
        self.write(call, id, Which::Pools, defaults)
    }

    pub(super) fn balancer(&mut self, call: &Call, id: &[&str]) -> Reply {
        let body = &call.body;
        if call.method == "DELETE" {
            return self.removed(call, id, Which::Balancers, false);
        }
        if self.lacks(Entitlement::NotThisZone) {
            return Reply::invalid("load balancing not enabled for zone");
        }
        let taken =
            |other: &Value| other["name"] == body["name"] && Some(&text(other, "id")) != id.first();
        if self.balancers.iter().any(taken) {
            return Reply::invalid("load balancer already exists");
        }
        let fallback = vec![body["fallback_pool"].clone()];
        let maps = ["country_pools", "region_pools", "pop_pools"].map(|name| body[name].clone());
        let lists = maps
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|map| map.values());
        let lists = lists
            .chain([&body["default_pools"]])
            .filter_map(Value::as_array);
        let known = |id: &Value| self.pools.iter().any(|pool| pool["id"] == *id);
        if !lists
            .chain([&fallback])
            .all(|pools| !pools.is_empty() && pools.iter().all(known))
        {
            return Reply::error(404, 1001, "pool not found: resource not found");
        }
        let mut countries = maps[0].as_object().into_iter().flat_map(|map| map.keys());
        if !countries.all(|code| self.countries.contains(&code.as_str())) {
            return Reply::invalid("country code is not valid");
        }
        let location = &body["location_strategy"];
        let spelled = STEERING.contains(&text(body, "steering_policy"))
            && ["pop", "resolver_ip"].contains(&text(location, "mode"))
            && ["always", "never", "proximity", "geo"].contains(&text(location, "prefer_ecs"));
        if !spelled || body["ttl"].as_u64().is_none_or(|ttl| ttl < 30) {
            return Reply::invalid("steering_policy, location_strategy or ttl is not valid");
        }
        let defaults = json!({
            "session_affinity_ttl": 0, "random_steering": { "default_weight": 1 }, "networks": ["cloudflare"],
            "adaptive_routing": { "failover_across_pools": false }, "zone_name": "yourapp.com",
            "created_on": "2026-01-01T00:00:00Z", "modified_on": "2026-01-01T00:00:00Z"
        });
        let mut object = filled(defaults, body);
        object["ttl"] = json!(body["ttl"].as_f64());
        self.write(call, id, Which::Balancers, object)
    }

    fn removed(&mut self, call: &Call, id: &[&str], which: Which, used: bool) -> Reply {
        if used {
            return Reply::error(412, 1005, "resource is referenced by others: object in use");
        }
        self.write(call, id, which, Value::Null)
    }
}

fn text<'v>(body: &'v Value, name: &str) -> &'v str {
    body[name].as_str().unwrap_or_default()
}

/// The defaults, with what the body says.
fn filled(mut defaults: Value, body: &Value) -> Value {
    for (key, value) in body.as_object().unwrap() {
        defaults[key] = value.clone();
    }
    defaults
}
