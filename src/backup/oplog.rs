//! The part of the oplog that goes with a dump: what was written while it was made.
//!
//! A dump reads each collection at another moment. Replaying the writes from before its beginning until its end brings
//! all of them to the same moment, its end.

use std::collections::HashMap;

use mongodb::bson::{Bson, Document, RawDocument, Timestamp, doc};
use mongodb::options::FindOptions;

use super::manifest::Optime;
use super::server::Server;
use crate::agent::system::Fault;

/// Where the oplog is.
const OPLOG: (&str, &str) = ("local", "oplog.rs");

const WHAT: &str = "cannot read the oplog";

/// What an entry is to a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Not of the users' databases.
    Foreign,
    /// A write to replay.
    Write,
    /// A change of collections or indexes, which cannot be replayed over a dump; says which.
    Structure(String),
}

impl From<Optime> for Timestamp {
    fn from(optime: Optime) -> Self {
        Self {
            time: optime.seconds,
            increment: optime.increment,
        }
    }
}

fn optime(found: Option<&Bson>) -> Option<Optime> {
    match found {
        Some(Bson::Timestamp(at)) => Some(Optime {
            seconds: at.time,
            increment: at.increment,
        }),
        _ => None,
    }
}

/// The oplog's newest time.
pub(super) fn now(server: &Server) -> Result<Optime, Fault> {
    let hello = server
        .run("admin", doc! { "hello": 1 })
        .map_err(|refusal| refusal.during(WHAT))?;
    let last = hello
        .get_document("lastWrite")
        .and_then(|last| last.get_document("opTime"));
    optime(last.ok().and_then(|last| last.get("ts"))).ok_or_else(|| {
        Fault::new(
            WHAT,
            "this MongoDB is no member of a replica set and has none",
        )
        .hint("`geodeploy provision` makes it a set of one member")
    })
}

/// The time from which a dump that begins at `start` needs the oplog: a transaction that is under way has written there
/// before.
pub(super) fn earliest(server: &Server, mut start: Optime) -> Result<Optime, Fault> {
    let under_way = doc! { "state": { "$in": ["prepared", "inProgress"] } };
    server.each(
        ("config", "transactions"),
        under_way,
        FindOptions::default(),
        |found| {
            let found =
                Document::try_from(found.to_owned()).map_err(|error| Fault::new(WHAT, error))?;
            let began = found.get_document("startOpTime");
            if let Some(began) = optime(began.ok().and_then(|began| began.get("ts"))) {
                start = start.min(began);
            }
            Ok(())
        },
    )?;
    Ok(start)
}

/// Hands over every entry from `start` to `end`.
///
/// # Errors
/// When the oplog does not reach back to `start` any more.
pub(super) fn window(
    server: &Server,
    start: Optime,
    end: Optime,
    each: impl FnMut(&RawDocument) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let within = doc! { "ts": { "$gte": Timestamp::from(start), "$lte": Timestamp::from(end) } };
    server.each(OPLOG, within, FindOptions::default(), each)?;
    let mut oldest = None;
    let first = FindOptions::builder()
        .limit(1)
        .projection(doc! { "ts": 1 })
        .build();
    server.each(OPLOG, doc! {}, first, |entry| {
        oldest = entry.get_timestamp("ts").ok();
        Ok(())
    })?;
    match oldest {
        Some(oldest) if oldest <= Timestamp::from(start) => Ok(()),
        _ => Err(Fault::new(
            "the oplog is too short for this backup",
            "writes from the beginning of the dump were dropped from it before the end",
        )
        .hint("write a larger `oplog` below [database]")),
    }
}

/// When an entry was written.
pub(super) fn time(entry: &Document) -> Option<Optime> {
    optime(entry.get("ts"))
}

/// Whether an entry is a part of a transaction that commits later.
pub(super) fn is_part(entry: &Document) -> bool {
    let command = entry.get_document("o");
    command.is_ok_and(|command| command.get_bool("partialTxn").unwrap_or_default())
}

/// What an entry is to a backup (forms: oplog_entry.idl of the server).
pub(super) fn classify(entry: &Document) -> Entry {
    let operation = entry.get_str("op").unwrap_or_default();
    let namespace = entry.get_str("ns").unwrap_or_default();
    let (database, collection) = namespace.split_once('.').unwrap_or((namespace, ""));
    let own = matches!(database, "admin" | "config" | "local");
    match operation {
        "i" | "u" | "d" if own => Entry::Foreign,
        "i" | "u" | "d" if collection == "system.views" => {
            Entry::Structure(format!("a view of {database}"))
        }
        "i" | "u" | "d" if collection.starts_with("system.") => Entry::Foreign,
        "i" | "u" | "d" => Entry::Write,
        "c" => command(entry, database, own),
        _ => Entry::Foreign,
    }
}

fn command(entry: &Document, database: &str, own: bool) -> Entry {
    let Ok(command) = entry.get_document("o") else {
        return Entry::Foreign;
    };
    let name = command.keys().next().map_or("", String::as_str);
    if let Ok(inner) = command.get_array("applyOps") {
        if command.get_bool("prepare").unwrap_or_default() {
            return Entry::Structure("a prepared transaction".to_owned());
        }
        let kinds: Vec<Entry> = inner
            .iter()
            .filter_map(Bson::as_document)
            .map(classify)
            .collect();
        let changed = kinds
            .iter()
            .find(|kind| matches!(kind, Entry::Structure(_)));
        return changed.cloned().unwrap_or(Entry::Write);
    }
    match (name, own) {
        ("commitTransaction" | "abortTransaction", _) => Entry::Write,
        (_, true) => Entry::Foreign,
        _ => Entry::Structure(format!("{name} in {database}")),
    }
}

/// Makes single writes of entries: a transaction's are gathered until it commits.
#[derive(Default)]
pub(super) struct Writes {
    pending: HashMap<String, Vec<Document>>,
}

impl Writes {
    /// The writes that an entry makes, in order, each as `applyOps` takes it.
    pub(super) fn of(&mut self, entry: &Document) -> Vec<Document> {
        if classify(entry) != Entry::Write {
            return Vec::new();
        }
        let Some(command) = entry
            .get_document("o")
            .ok()
            .filter(|_| entry.get_str("op").is_ok_and(|found| found == "c"))
        else {
            return vec![bare(entry)];
        };
        let transaction = format!("{:?} {:?}", entry.get("lsid"), entry.get("txnNumber"));
        let mut writes = self.pending.remove(&transaction).unwrap_or_default();
        let Ok(inner) = command.get_array("applyOps") else {
            // Nothing of what was aborted counts.
            return Vec::new();
        };
        let inner = inner.iter().filter_map(Bson::as_document);
        writes.extend(
            inner
                .filter(|write| classify(write) == Entry::Write)
                .map(bare),
        );
        if is_part(entry) {
            self.pending.insert(transaction, writes);
            return Vec::new();
        }
        writes
    }
}

/// Without the collection's UUID, which is another one where it is restored, and without what belongs to the old log.
fn bare(write: &Document) -> Document {
    let kept = ["op", "ns", "o", "o2", "b"];
    let fields = kept
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), write.get(key)?.clone())));
    fields.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(operation: &str, namespace: &str) -> Document {
        doc! { "op": operation, "ns": namespace, "o": { "_id": 1 }, "ui": "x", "ts": 5 }
    }

    #[test]
    fn only_writes_of_the_users_databases_are_replayed_and_changes_of_structure_are_named() {
        for (entry, wanted) in [
            (write("i", "aiagent.users"), Entry::Write),
            (write("n", ""), Entry::Foreign),
            (write("u", "config.transactions"), Entry::Foreign),
            (write("i", "admin.system.users"), Entry::Foreign),
            (
                write("i", "aiagent.system.views"),
                Entry::Structure("a view of aiagent".to_owned()),
            ),
            (
                doc! { "op": "c", "ns": "aiagent.$cmd", "o": { "drop": "users" } },
                Entry::Structure("drop in aiagent".to_owned()),
            ),
            (
                doc! { "op": "c", "ns": "admin.$cmd", "o": { "applyOps": [
                    { "op": "c", "ns": "a.$cmd", "o": { "create": "x" } },
                ] } },
                Entry::Structure("create in a".to_owned()),
            ),
        ] {
            assert_eq!(classify(&entry), wanted, "{entry}");
        }
    }

    #[test]
    fn a_transaction_in_parts_is_written_when_it_commits_and_not_when_it_aborts() {
        let part = |number: i64, partial: bool| {
            let mut command = doc! { "applyOps": [write("i", "aiagent.users")] };
            if partial {
                command.insert("partialTxn", true);
            }
            doc! { "op": "c", "ns": "admin.$cmd", "o": command, "lsid": { "id": 1 }, "txnNumber": number }
        };
        let abort = doc! { "op": "c", "ns": "admin.$cmd", "o": { "abortTransaction": 1 }, "lsid": { "id": 1 }, "txnNumber": 2_i64 };
        let mut writes = Writes::default();
        assert_eq!(writes.of(&part(1, true)).len(), 0);
        assert_eq!(writes.of(&part(2, true)).len(), 0);
        assert_eq!(writes.of(&abort).len(), 0);
        let committed = writes.of(&part(1, false));
        assert_eq!(
            committed,
            vec![doc! { "op": "i", "ns": "aiagent.users", "o": { "_id": 1 } }; 2]
        );
        assert_eq!(writes.of(&part(2, false)).len(), 1);
    }
}
