//! Record sets: what DNSPod keeps as single records, as objects. Pure.
//!
//! A set is all records of one name, type and line, because DNSPod answers with all of them.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use super::lines::Lines;
use super::message::RecordItem;
use crate::dns::{Found, Mark, Object};
use crate::plan::{Attributes, Id, Kind, Value};

/// Behind a value whose record is there and not answered.
const PAUSED: &str = " (paused)";
/// What every owner's mark begins with.
const MARKS: &str = "geodeploy:";

/// The name of a record as a whole: `@` below `yourapp.com` is `yourapp.com`.
pub(super) fn full_name(label: &str, zone: &str) -> String {
    let name = match label {
        "@" | "" => zone.to_owned(),
        label => format!("{label}.{zone}"),
    };
    name.to_ascii_lowercase()
}

/// The name of a record below its zone.
pub(super) fn label<'a>(name: &'a str, zone: &str) -> &'a str {
    match name.strip_suffix(zone) {
        Some("") => "@",
        Some(rest) => rest.strip_suffix('.').unwrap_or(name),
        None => name,
    }
}

/// The id of a set: `api.yourapp.com A` on the default line, `api.yourapp.com A 境内 7=0` on another.
pub(super) fn id(name: &str, kind: &str, line: &str, lines: &Lines) -> Id {
    let name = match lines.label(line) {
        None => format!("{name} {kind}"),
        Some(label) => format!("{name} {kind} {label}"),
    };
    Id::new(Kind::Record, name)
}

/// Name and type of a set.
pub(super) fn name_and_type(id: &Id) -> (&str, &str) {
    let mut words = id.name.split(' ');
    (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    )
}

/// A set of ours as it is to be.
pub(super) fn wanted(value: String, line: &str, ttl: u64, owner: &str) -> Attributes {
    Attributes::new()
        .list("value", vec![value])
        .text("line", line)
        .text("ttl", ttl.to_string())
        .text("owner", owner)
}

/// A record in a set: its value, and whether it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: String,
    pub(super) paused: bool,
}

/// The records of a set by its attributes, in the order of its handle's ids.
pub(super) fn entries(attributes: &Attributes) -> Vec<Entry> {
    let Some(Value::List(values)) = attributes.get("value") else {
        return Vec::new();
    };
    let entry = |text: &String| match text.strip_suffix(PAUSED) {
        Some(value) => Entry {
            value: value.to_owned(),
            paused: true,
        },
        None => Entry {
            value: text.clone(),
            paused: false,
        },
    };
    values.iter().map(entry).collect()
}

/// A one-line attribute.
pub(super) fn text<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    match attributes.get(name) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// All sets of a zone. The handle is DNSPod's ids with commas between, in the order of the values.
pub(super) fn sets(records: &[RecordItem], zone: &str, owner: &str, lines: &Lines) -> Vec<Found> {
    let mut groups: BTreeMap<Id, Vec<&RecordItem>> = BTreeMap::new();
    for record in records {
        let name = full_name(&record.name, zone);
        let id = id(&name, &record.kind, &record.line_id, lines);
        groups.entry(id).or_default().push(record);
    }
    let found = |(id, mut records): (Id, Vec<&RecordItem>)| {
        records.sort_by_key(|record| (shown(record), record.record_id));
        let ids: Vec<String> = records
            .iter()
            .map(|record| record.record_id.to_string())
            .collect();
        Found {
            object: Object {
                id,
                attributes: attributes(&records, owner),
            },
            mark: mark(&records, owner),
            handle: ids.join(","),
        }
    };
    groups.into_iter().map(found).collect()
}

fn attributes(records: &[&RecordItem], owner: &str) -> Attributes {
    let line = records.first().map_or("", |record| record.line_id.as_str());
    let values = records.iter().map(|record| shown(record)).collect();
    let mut attributes = Attributes::new()
        .list("value", values)
        .text("line", line)
        .text("ttl", distinct(records, |record| record.ttl.to_string()));
    let remarks = distinct(records, |record| record.remark.clone().unwrap_or_default());
    if remarks == owner {
        attributes = attributes.text("owner", remarks);
    } else if !remarks.is_empty() {
        attributes = attributes.text("remark", remarks);
    }
    let weights = distinct(records, |record| match record.weight {
        None | Some(0) => String::new(),
        Some(weight) => weight.to_string(),
    });
    if weights.is_empty() {
        attributes
    } else {
        attributes.text("weight", weights)
    }
}

/// The distinct texts, with commas between: one where all agree.
fn distinct(records: &[&RecordItem], of: impl Fn(&RecordItem) -> String) -> String {
    let mut texts: Vec<String> = records.iter().map(|record| of(record)).collect();
    texts.sort();
    texts.dedup();
    texts.join(", ")
}

/// A value as both sides write it.
fn shown(record: &RecordItem) -> String {
    let value = record.value.as_str();
    let value = match record.kind.as_str() {
        "AAAA" => value.parse().map_or_else(
            |_| value.to_owned(),
            |address: Ipv6Addr| address.to_string(),
        ),
        "CNAME" => value.trim_end_matches('.').to_ascii_lowercase(),
        _ => value.to_owned(),
    };
    let paused = if record.status == "ENABLE" {
        ""
    } else {
        PAUSED
    };
    format!("{value}{paused}")
}

/// A set is ours only as a whole: one record of somebody else's in it makes it theirs.
fn mark(records: &[&RecordItem], owner: &str) -> Mark {
    let remark = |record: &&RecordItem| record.remark.clone().unwrap_or_default();
    let remarks: Vec<String> = records.iter().map(remark).collect();
    let other = |remark: &&String| remark.starts_with(MARKS) && *remark != owner;
    match remarks.iter().find(other) {
        Some(other) => Mark::OtherProject(other.clone()),
        None if remarks.iter().all(|remark| remark == owner) => Mark::Ours,
        None => Mark::Foreign,
    }
}

#[cfg(test)]
mod tests;
