//! A collection's metadata as mongodump writes it.

use mongodb::bson::{Bson, Document, doc};

use super::json;
use super::manifest::Collection;

/// `DB/COLLECTION.metadata.json`, the fields in mongodump's order (mongo-tools, mongodump/metadata_dump.go).
pub(super) fn text(
    options: &Document,
    indexes: &[Document],
    uuid: &str,
    name: &str,
    kind: &str,
) -> String {
    let indexes: Vec<Bson> = indexes.iter().cloned().map(Bson::Document).collect();
    let mut metadata = doc! {};
    if !options.is_empty() {
        metadata.insert("options", options.clone());
    }
    metadata.insert("indexes", indexes);
    if !uuid.is_empty() {
        metadata.insert("uuid", uuid);
    }
    metadata.insert("collectionName", name);
    metadata.insert("type", kind);
    json::canonical(&metadata)
}

/// The file of a collection without its ending: `aiagent/users`. What a file name cannot hold is escaped with `%`, as
/// mongodump does.
pub(super) fn place(collection: &Collection) -> String {
    use std::fmt::Write as _;
    let mut name = String::new();
    for byte in collection.name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                name.push(char::from(byte));
            }
            other => drop(write!(name, "%{other:02X}")),
        }
    }
    format!("{}/{name}", collection.database)
}
