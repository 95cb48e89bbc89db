//! What the fake holds, and its records.

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::{Call, Entitlement, Reply};

/// A comment's length on the smallest plan.
const LONGEST_COMMENT: usize = 100;

/// What there is, and what the test wants to happen.
pub(crate) struct Store {
    pub(crate) zones: Vec<Value>,
    pub(crate) records: Vec<Value>,
    pub(crate) monitors: Vec<Value>,
    pub(crate) pools: Vec<Value>,
    pub(crate) balancers: Vec<Value>,
    pub(crate) log: Vec<Call>,
    /// Permissions that the token lacks.
    pub(crate) missing: BTreeSet<&'static str>,
    pub(crate) entitlement: Entitlement,
    /// The next calls are told to slow down, with that Retry-After.
    pub(crate) throttled: VecDeque<Option<u64>>,
    /// Answers that the next call of that method on a path with that end gets.
    pub(crate) faults: Vec<(&'static str, &'static str, Reply)>,
    /// The countries that it tells apart.
    pub(crate) countries: Vec<&'static str>,
    pub(super) dies: Option<(usize, bool)>,
    pub(super) looks: usize,
    pub(super) last: usize,
}

impl Store {
    pub(super) fn new() -> Self {
        let zone = json!({
            "id": "023e105f4ecef8ad9ca31a8372d0c353", "name": "yourapp.com", "status": "active",
            "account": { "id": "01a7362d577a6c3019a474fd6f485823", "name": "Ada" },
            "permissions": ["#dns_records:edit", "#dns_records:read", "#lb:edit", "#lb:read", "#zone:read"]
        });
        let countries = geodeploy::geography::Country::all();
        Self {
            zones: vec![zone],
            records: Vec::new(),
            monitors: Vec::new(),
            pools: Vec::new(),
            balancers: Vec::new(),
            log: Vec::new(),
            missing: BTreeSet::new(),
            entitlement: Entitlement::Full,
            throttled: VecDeque::new(),
            faults: Vec::new(),
            countries: countries.map(|country| country.code()).collect(),
            dies: None,
            looks: 0,
            last: 0,
        }
    }

    pub(super) fn next_id(&mut self) -> String {
        self.last += 1;
        format!("{:032x}", 0x372e_6795_4025_u64 + self.last as u64)
    }

    /// Puts a record there as somebody else would.
    pub(crate) fn add_record(&mut self, record: Value) -> String {
        let id = self.next_id();
        self.records.push(filled_record(&id, &record));
        id
    }

    /// One record of the batch or a create of its own.
    fn post(&mut self, body: &Value) -> Result<Value, Reply> {
        check_record(body)?;
        for other in &self.records {
            collide(body, other)?;
        }
        let id = self.next_id();
        let record = filled_record(&id, body);
        self.records.push(record.clone());
        Ok(record)
    }

    pub(super) fn create_record(&mut self, call: &Call) -> Reply {
        self.post(&call.body).map_or_else(|error| error, Reply::ok)
    }

    /// Deletes, puts, posts: all of them or none.
    pub(super) fn batch(&mut self, call: &Call) -> Reply {
        let kept = self.records.clone();
        match self.carry_out(&call.body) {
            Ok(result) => Reply::ok(result),
            Err(error) => {
                self.records = kept;
                error
            }
        }
    }

    fn carry_out(&mut self, body: &Value) -> Result<Value, Reply> {
        let of = |name: &str| body[name].as_array().cloned().unwrap_or_default();
        for delete in of("deletes") {
            let at = self.at(&delete)?;
            self.records.remove(at);
        }
        let (mut puts, mut posts) = (Vec::new(), Vec::new());
        for put in of("puts") {
            check_record(&put)?;
            let at = self.at(&put)?;
            for (_, other) in self
                .records
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != at)
            {
                collide(&put, other)?;
            }
            let id = put["id"].as_str().unwrap().to_owned();
            self.records[at] = filled_record(&id, &put);
            puts.push(self.records[at].clone());
        }
        for post in of("posts") {
            posts.push(self.post(&post)?);
        }
        Ok(json!({ "deletes": of("deletes"), "puts": puts, "posts": posts, "patches": null }))
    }

    fn at(&self, body: &Value) -> Result<usize, Reply> {
        let at = self
            .records
            .iter()
            .position(|record| record["id"] == body["id"]);
        at.ok_or_else(|| Reply::error(404, 81_044, "Record does not exist."))
    }
}

fn check_record(body: &Value) -> Result<(), Reply> {
    let comment = body["comment"].as_str().unwrap_or_default();
    if comment.chars().count() > LONGEST_COMMENT || comment.contains('\n') {
        return Err(Reply::error(400, 9_205, "comment is not valid"));
    }
    match body["ttl"].as_u64() {
        Some(1 | 60..=86_400) => Ok(()),
        _ => Err(Reply::error(
            400,
            9_021,
            "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.",
        )),
    }
}

fn collide(body: &Value, other: &Value) -> Result<(), Reply> {
    if body["name"] != other["name"] {
        return Ok(());
    }
    let same_type = body["type"] == other["type"];
    if same_type && body["content"] == other["content"] {
        let message = "An identical record already exists.";
        return Err(Reply::error(400, 81_058, message));
    }
    let alias = |record: &Value| record["type"] == "CNAME";
    if alias(body) != alias(other) || (alias(body) && alias(other)) {
        let message = "An A, AAAA, or CNAME record with that host already exists.";
        return Err(Reply::error(400, 81_053, message));
    }
    Ok(())
}

/// With what the service fills in.
fn filled_record(id: &str, body: &Value) -> Value {
    let mut record = json!({
        "proxiable": true, "proxied": false, "settings": {}, "meta": {}, "tags": [], "comment": null,
        "created_on": "2026-01-01T00:00:00Z", "modified_on": "2026-01-01T00:00:00Z"
    });
    for (key, value) in body.as_object().unwrap() {
        record[key] = value.clone();
    }
    record["id"] = json!(id);
    if record["comment"] == "" {
        record["comment"] = Value::Null;
    }
    record
}
