//! What a database holds: numbers that a copy of it must have too.

use mongodb::bson::{Bson, Document, doc};
use serde_json::{Map, Value, json};

use super::standing::Standing;
use super::{Connection, number};
use crate::agent::system::Fault;
use crate::resource::Context;

impl Connection {
    /// `{state, set, primary, collections: {NAME: {documents, indexes}}, users, bytes, oplog: {hours, full_hours}}`.
    /// `state` is `absent`, `empty` where it has no user yet, or `managed`; only then there is more. `full_hours` is how
    /// far back the log of operations will reach when it is full, at the rate so far.
    ///
    /// # Errors
    /// When the database answers and cannot be read.
    pub fn census(&self, context: &Context<'_>, database: &str) -> Result<Value, Fault> {
        let hello = match self.standing(context)? {
            Standing::Absent | Standing::Unreached(_) => return Ok(json!({ "state": "absent" })),
            Standing::Open(_) => return Ok(json!({ "state": "empty" })),
            Standing::Managed(hello) => hello,
        };
        let ask = |database: &str, command: Document| {
            self.ask(context, database, command)
                .map_err(|refusal| refusal.during("cannot count what the database holds"))
        };
        let names = ask(database, doc! { "listCollections": 1, "nameOnly": true })?;
        let mut collections = Map::new();
        for collection in batch(&names) {
            let name = collection.get_str("name").unwrap_or_default();
            if name.starts_with("system.") {
                continue;
            }
            let stats = ask(database, doc! { "collStats": name })?;
            let listed = ask(database, doc! { "listIndexes": name })?;
            let mut indexes: Vec<&str> = batch(&listed)
                .into_iter()
                .filter_map(|index| index.get_str("name").ok())
                .collect();
            indexes.sort_unstable();
            let documents = number(stats.get("count")).unwrap_or_default();
            collections.insert(
                name.to_owned(),
                json!({ "documents": documents, "indexes": indexes }),
            );
        }
        let users = ask("admin", doc! { "usersInfo": { "forAllDBs": true } })?;
        let size = ask(database, doc! { "dbStats": 1 })?;
        Ok(json!({
            "state": "managed",
            "set": hello.get_str("setName").ok(),
            "primary": hello.get_str("primary").ok(),
            "collections": collections,
            "users": users.get_array("users").map_or(0, Vec::len),
            "bytes": number(size.get("dataSize")).unwrap_or_default(),
            "oplog": self.oplog(context)?,
        }))
    }

    /// How many hours the log of operations reaches back, now and once it is full.
    fn oplog(&self, context: &Context<'_>) -> Result<Value, Fault> {
        let fault = "cannot read how far back the log of operations reaches";
        let command = doc! { "serverStatus": 1, "oplog": 1 };
        let status = self
            .ask(context, "admin", command)
            .map_err(|refusal| refusal.during(fault))?;
        let stats = self
            .ask(context, "local", doc! { "collStats": "oplog.rs" })
            .map_err(|refusal| refusal.during(fault))?;
        let time = |key: &str| {
            let oplog = status.get_document("oplog").ok()?;
            oplog
                .get_timestamp(key)
                .ok()
                .map(|stamp| f64::from(stamp.time))
        };
        let seconds = time("latestOptime")
            .zip(time("earliestOptime"))
            .map_or(0.0, |(latest, earliest)| latest - earliest);
        let size = |key: &str| number(stats.get(key)).unwrap_or_default();
        let share = (size("size") / size("maxSize").max(1.0)).clamp(1e-6, 1.0);
        Ok(json!({ "hours": seconds / 3600.0, "full_hours": seconds / share / 3600.0 }))
    }
}

fn batch(answer: &Document) -> Vec<&Document> {
    let cursor = answer.get_document("cursor");
    let batch = cursor.and_then(|cursor| cursor.get_array("firstBatch"));
    batch
        .into_iter()
        .flatten()
        .filter_map(Bson::as_document)
        .collect()
}
