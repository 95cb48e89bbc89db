//! Which call does what.

use serde_json::{Value, json};

use super::{Call, Entitlement, Reply, Store};

/// Records come so many a page, whatever is asked for.
const RECORDS_A_PAGE: usize = 7;

impl Store {
    pub(super) fn route(&mut self, call: &Call) -> Reply {
        let path = call.path.clone();
        let parts: Vec<&str> = path.split('/').collect();
        self.looks += usize::from(call.method == "GET");
        match (call.method.as_str(), parts.as_slice()) {
            ("GET", ["zones"]) => self.list_zones(&call.query),
            ("GET", ["zones", _, "dns_records"]) => self.list_records(&call.query),
            ("POST", ["zones", _, "dns_records"]) => self.create_record(call),
            ("POST", ["zones", _, "dns_records", "batch"]) => self.batch(call),
            ("GET", ["zones", _, "load_balancers"]) => self.list(&self.balancers),
            ("GET", ["accounts", _, "load_balancers", "pools"]) => self.list(&self.pools),
            ("GET", ["accounts", _, "load_balancers", "monitors"]) => self.list(&self.monitors),
            ("GET", ["accounts", _, "load_balancers", "regions"]) => self.regions(),
            (_, ["zones", _, "load_balancers", id @ ..]) => self.balancer(call, id),
            (_, ["accounts", _, "load_balancers", "pools", id @ ..]) => self.pool(call, id),
            (_, ["accounts", _, "load_balancers", "monitors", id @ ..]) => self.monitor(call, id),
            _ => Reply::error(404, 7003, "Could not route to that path"),
        }
    }

    fn list_zones(&self, query: &str) -> Reply {
        let mut zones = self.zones.clone();
        if let Some(name) = query.strip_prefix("name=") {
            zones.retain(|zone| zone["name"] == name);
        }
        Reply::page(&zones, query, 50)
    }

    fn list_records(&self, query: &str) -> Reply {
        let wanted = |key: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value.to_owned())
        };
        let mut records = self.records.clone();
        for (key, field) in [("type", "type"), ("name.exact", "name")] {
            if let Some(value) = wanted(key) {
                records.retain(|record| record[field] == value);
            }
        }
        Reply::page(&records, query, RECORDS_A_PAGE)
    }

    /// Everything on one page, and in another order at every look.
    fn list(&self, objects: &[Value]) -> Reply {
        let mut objects = objects.to_vec();
        for pool in &mut objects {
            if let Some(origins) = pool["origins"].as_array_mut().filter(|all| !all.is_empty()) {
                let turn = self.looks % origins.len();
                origins.rotate_left(turn);
            }
        }
        if !objects.is_empty() {
            let turn = self.looks % objects.len();
            objects.rotate_left(turn);
        }
        Reply::ok(json!(objects))
    }

    fn regions(&self) -> Reply {
        let countries: Vec<Value> = self
            .countries
            .iter()
            .map(|code| json!({ "country_code_a2": code, "country_name": code }))
            .collect();
        let regions = json!([{ "region_code": "WNAM", "countries": countries }]);
        Reply::ok(json!({ "iso_standard": "ISO 3166-1/2", "regions": regions }))
    }

    /// A create, a replacement or a removal, after its body was found right.
    pub(super) fn write(&mut self, call: &Call, id: &[&str], which: Which, filled: Value) -> Reply {
        let new_id = self.next_id();
        let objects = match which {
            Which::Monitors => &mut self.monitors,
            Which::Pools => &mut self.pools,
            Which::Balancers => &mut self.balancers,
        };
        let at = id
            .first()
            .map(|id| objects.iter().position(|object| object["id"] == **id));
        match (call.method.as_str(), at) {
            ("POST", None) => {
                let mut object = filled;
                object["id"] = json!(new_id);
                objects.push(object.clone());
                Reply::ok(object)
            }
            ("PUT", Some(Some(at))) => {
                let mut object = filled;
                object["id"] = objects[at]["id"].clone();
                objects[at] = object.clone();
                Reply::ok(object)
            }
            ("DELETE", Some(Some(at))) => Reply::ok(json!({ "id": objects.remove(at)["id"] })),
            _ => Reply::error(404, 1001, "not found: resource not found"),
        }
    }

    pub(super) fn lacks(&self, what: Entitlement) -> bool {
        self.entitlement == what
    }
}

/// Which of the three collections of Load Balancing.
#[derive(Clone, Copy)]
pub(super) enum Which {
    Monitors,
    Pools,
    Balancers,
}
