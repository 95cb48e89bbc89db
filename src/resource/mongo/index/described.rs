//! An index as it is compared and shown.

use mongodb::bson::{Bson, Document};

use crate::plan::Attributes;
use crate::resource::mongo::number;

pub(super) fn life(seconds: Option<f64>) -> String {
    seconds.map_or("never".to_owned(), |seconds| format!("after {seconds} s"))
}

pub(super) fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// `expiresAt: 1, userId: 1`; directions of any number type, other types as they are.
pub(super) fn keys(document: &Document) -> String {
    let parts =
        document.iter().map(
            |(field, direction)| match (number(Some(direction)), direction) {
                (Some(direction), _) => format!("{field}: {direction}"),
                (None, Bson::String(kind)) => format!("{field}: {kind}"),
                (None, other) => format!("{field}: {other}"),
            },
        );
    parts.collect::<Vec<_>>().join(", ")
}

pub(super) fn describe(keys: &str, life: &str, unique: bool, other: &str) -> Attributes {
    Attributes::new()
        .text("keys", keys)
        .text("expires", life)
        .text("unique", yes_or_no(unique))
        .text("other options", other)
}

/// Options that none of ours has and that change what an index does.
pub(super) fn other_options(index: &Document) -> String {
    let known = [
        "v",
        "key",
        "name",
        "ns",
        "unique",
        "expireAfterSeconds",
        "background",
    ];
    let rest = index.iter().filter(|(name, value)| {
        !known.contains(&name.as_str()) && !matches!(value, Bson::Boolean(false))
    });
    let rest: Vec<String> = rest
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    if rest.is_empty() {
        "none".to_owned()
    } else {
        rest.join(", ")
    }
}

pub(super) fn key_document(index: &Document) -> Document {
    index.get_document("key").cloned().unwrap_or_default()
}
