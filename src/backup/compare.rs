//! Counts and indexes: of a moment for the manifest, and of now to compare with it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mongodb::bson::{Bson, DateTime, Document, doc};

use super::json;
use super::manifest::{Collection, Manifest, Optime, Unexpired};
use super::server::Server;
use super::source;
use crate::agent::system::Fault;

/// What counts as not expired at `at`, where an index lets documents expire; not counted yet.
pub(super) fn unexpired(indexes: &[Document], at: Timestamp) -> Option<Unexpired> {
    let (field, seconds) = source::expiry(indexes)?;
    Some(Unexpired {
        field,
        after: at.as_millisecond() - seconds * 1000,
        documents: 0,
    })
}

/// Counts a collection as it was at that time of the oplog.
pub(super) fn count_at(
    server: &Server,
    at: Optime,
    collection: &mut Collection,
) -> Result<(), Fault> {
    if collection.kind == "view" || collection.is_administrative() {
        return Ok(());
    }
    let snapshot = doc! {
        "level": "snapshot",
        "atClusterTime": mongodb::bson::Timestamp::from(at),
    };
    collection.documents = count(server, collection, None, Some(&snapshot))?;
    if let Some(mut unexpired) = collection.unexpired.take() {
        unexpired.documents = count(server, collection, Some(&unexpired), Some(&snapshot))?;
        collection.unexpired = Some(unexpired);
    }
    Ok(())
}

fn count(
    server: &Server,
    collection: &Collection,
    only: Option<&Unexpired>,
    concern: Option<&Document>,
) -> Result<u64, Fault> {
    let mut stages = Vec::new();
    if let Some(only) = only {
        let later = doc! { "$gt": DateTime::from_millis(only.after) };
        stages.push(doc! { "$match": { &only.field: later } });
    }
    stages.push(doc! { "$count": "documents" });
    let mut command = doc! { "aggregate": &collection.name, "pipeline": stages, "cursor": {} };
    if let Some(concern) = concern {
        command.insert("readConcern", concern.clone());
    }
    let what = format!("cannot count {}", collection.namespace());
    let answer = server
        .run(&collection.database, command)
        .map_err(|refusal| refusal.during(&what))?;
    let batch = answer
        .get_document("cursor")
        .and_then(|cursor| cursor.get_array("firstBatch"));
    let counted = batch
        .ok()
        .and_then(|batch| batch.first()?.as_document()?.get("documents").cloned());
    match counted {
        // Nothing to count gives no document.
        None => Ok(0),
        Some(Bson::Int32(count)) => Ok(u64::try_from(count).unwrap_or_default()),
        Some(Bson::Int64(count)) => Ok(u64::try_from(count).unwrap_or_default()),
        Some(other) => Err(Fault::new(what, format!("{other} is no count"))),
    }
}

/// How many documents there are now.
pub(super) fn present(server: &Server, collection: &Collection) -> Result<u64, Fault> {
    count(server, collection, None, None)
}

/// Every difference between a restored server and the manifest, one a line: counts, those not expired, indexes.
///
/// # Errors
/// When the server cannot be asked.
pub fn differences(server: &Server, manifest: &Manifest) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    for collection in &manifest.collections {
        if collection.is_administrative() || collection.kind == "view" {
            continue;
        }
        let name = collection.namespace();
        let mut differs = |what: &str, before: u64, after: u64| {
            if before != after {
                found.push(format!(
                    "{name}: {before} {what} in the backup, {after} now"
                ));
            }
        };
        differs(
            "documents",
            collection.documents,
            present(server, collection)?,
        );
        if let Some(unexpired) = &collection.unexpired {
            let now = count(server, collection, Some(unexpired), None)?;
            differs("unexpired documents", unexpired.documents, now);
        }
        let now = source::indexes(server, &collection.database, &collection.name)?;
        let now: BTreeSet<String> = now.iter().map(plain).collect();
        // One that the server has beside them belongs to a newer application.
        let missing = wanted(collection)
            .into_iter()
            .filter(|index| !now.contains(&plain(index)));
        found
            .extend(missing.map(|index| format!("{name}: the index {} is missing", plain(&index))));
    }
    Ok(found)
}

fn wanted(collection: &Collection) -> Vec<Document> {
    let texts = collection.indexes.iter();
    texts.filter_map(|text| json::parse(text).ok()).collect()
}

/// The indexes of a server that stand in the way of those of the backup: the same name or keys, and not the same index.
pub(super) fn conflicts(collection: &Collection, present: &[Document]) -> Vec<String> {
    let wanted = wanted(collection);
    let same = |one: &Document, other: &Document, field: &str| {
        let named = |index: &Document| {
            index
                .get(field)
                .map(|value| plain(&doc! { field: value.clone() }))
        };
        named(one) == named(other)
    };
    let conflicting = present.iter().filter(|index| {
        let mut alike = wanted
            .iter()
            .filter(|other| same(index, other, "name") || same(index, other, "key"));
        alike.any(|other| plain(other) != plain(index))
    });
    conflicting.map(plain).collect()
}

/// An index without what does not make it another one: the namespace, and the type of its numbers.
fn plain(index: &Document) -> String {
    let whole = |value: &Bson| match value {
        Bson::Int32(number) => Bson::Int64(i64::from(*number)),
        Bson::Double(number) if number.fract() == 0.0 => Bson::Int64(*number as i64),
        other => other.clone(),
    };
    let mut fields: Vec<(String, Bson)> = Vec::new();
    for (key, value) in index.iter().filter(|(key, _)| *key != "ns") {
        let value = match value {
            Bson::Document(keys) if key == "key" => Bson::Document(
                keys.iter()
                    .map(|(field, order)| (field.clone(), whole(order)))
                    .collect(),
            ),
            value => whole(value),
        };
        fields.push((key.clone(), value));
    }
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    json::canonical(&fields.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_the_same_with_other_number_types_and_another_one_with_other_keys() {
        let one = doc! { "v": 2, "key": { "a": 1, "b": 1 }, "name": "x", "ns": "d.c" };
        let same = doc! { "v": 2_i64, "name": "x", "key": { "a": 1.0, "b": 1_i64 } };
        let swapped = doc! { "v": 2, "key": { "b": 1, "a": 1 }, "name": "x" };
        assert_eq!(plain(&one), plain(&same));
        assert_ne!(plain(&one), plain(&swapped));
    }

    #[test]
    fn an_index_of_the_same_name_or_keys_conflicts_and_a_further_one_does_not() {
        let wanted = doc! { "v": 2, "key": { "at": 1 }, "name": "at_1", "expireAfterSeconds": 0 };
        let collection = Collection {
            database: "d".to_owned(),
            name: "c".to_owned(),
            kind: "collection".to_owned(),
            options: "{}".to_owned(),
            indexes: vec![json::canonical(&wanted)],
            content: crate::backup::manifest::Content::default(),
            documents: 0,
            unexpired: None,
        };
        let conflicts = |index: Document| conflicts(&collection, &[index]).len();
        assert_eq!(
            conflicts(
                doc! { "v": 2_i64, "key": { "at": 1.0 }, "name": "at_1", "expireAfterSeconds": 0_i64 }
            ),
            0
        );
        assert_eq!(
            conflicts(doc! { "v": 2, "key": { "by": 1 }, "name": "by_1" }),
            0
        );
        assert_eq!(
            conflicts(
                doc! { "v": 2, "key": { "at": 1 }, "name": "other", "expireAfterSeconds": 0 }
            ),
            1
        );
        assert_eq!(
            conflicts(doc! { "v": 2, "key": { "at": 1 }, "name": "at_1" }),
            1
        );
    }
}
