//! Answers of the fake, and who is refused what.

use serde_json::{Value, json};

use super::{Call, Store, TOKEN};

/// What of Load Balancing the fake's account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entitlement {
    /// All.
    Full,
    /// Nothing, and lists say so.
    NotListed,
    /// Nothing: lists are empty, and a monitor's interval may be from 0 to 0.
    NoMonitors,
    /// Monitors and pools, but nothing for this zone.
    NotThisZone,
}

/// One answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) retry_after: Option<u64>,
}

impl Reply {
    pub(crate) fn ok(result: Value) -> Self {
        let body = json!({ "success": true, "errors": [], "messages": [], "result": result });
        Self {
            status: 200,
            body,
            retry_after: None,
        }
    }

    /// One page of a list that has pages.
    pub(crate) fn page(all: &[Value], query: &str, most: usize) -> Self {
        let number = |name: &str, or: usize| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let found = pairs.find(|(key, _)| *key == name);
            found.map_or(or, |(_, value)| value.parse().unwrap())
        };
        let (page, size) = (number("page", 1), number("per_page", 20).min(most));
        let part: Vec<Value> = all
            .iter()
            .skip((page - 1) * size)
            .take(size)
            .cloned()
            .collect();
        let mut reply = Self::ok(json!(part));
        reply.body["result_info"] = json!({
            "page": page, "per_page": size, "count": part.len(), "total_count": all.len(),
            "total_pages": all.len().div_ceil(size)
        });
        reply
    }

    pub(crate) fn error(status: u16, code: u64, message: &str) -> Self {
        let errors = json!([{ "code": code, "message": message }]);
        let body = json!({ "success": false, "errors": errors, "messages": [], "result": null });
        Self {
            status,
            body,
            retry_after: None,
        }
    }

    /// A body that the interface does not take.
    pub(crate) fn invalid(message: &str) -> Self {
        Self::error(400, 1002, &format!("{message}: validation failed"))
    }
}

/// The permission that a call needs, as a token's editor names it.
fn permission(call: &Call) -> &'static str {
    let path = call.path.as_str();
    match path {
        _ if path.starts_with("accounts/") => "Load Balancing: Monitors and Pools Write",
        _ if path.contains("/load_balancers") => "Load Balancers Write",
        _ if path.contains("/dns_records") => "DNS Write",
        _ => "Zone Read",
    }
}

impl Store {
    pub(super) fn answer(&mut self, call: &Call, authorization: Option<&str>) -> Reply {
        if let Some(retry_after) = self.throttled.pop_front() {
            let mut reply = Reply::error(429, 10_429, "Please wait and consider throttling");
            reply.retry_after = retry_after;
            return reply;
        }
        if authorization != Some(&format!("Bearer {TOKEN}")) {
            return match call.path.as_str() {
                "user/tokens/verify" => Reply::error(401, 1000, "Invalid API Token"),
                _ => Reply::error(403, 9109, "Invalid access token"),
            };
        }
        let hit = |(method, end, _): &(&str, &str, Reply)| {
            call.method == *method && call.path.ends_with(end)
        };
        if let Some(at) = self.faults.iter().position(hit) {
            return self.faults.remove(at).2;
        }
        if call.path == "user/tokens/verify" {
            return Reply::ok(json!({ "id": "t1", "status": "active" }));
        }
        if self.missing.contains(&permission(call)) {
            return Reply::error(403, 10_000, "Authentication error");
        }
        let balancing = call.path.contains("load_balancers");
        if balancing && self.entitlement == Entitlement::NotListed {
            return Reply::error(403, 1002, "load balancing not enabled for account");
        }
        self.route(call)
    }
}
