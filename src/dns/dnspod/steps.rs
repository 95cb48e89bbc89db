//! Changes in an order in which no name is ever without its default line, and the calls that each takes. Pure.

use super::Context;
use super::lines::DEFAULT;
use super::message::RecordBody;
use super::set::{Entry, entries, label, name_and_type, text};
use crate::dns::{Handles, Step};
use crate::error::{Error, ErrorKind};
use crate::plan::{Attributes, Change, Verb};

/// One call that writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// `CreateRecord`, or with an id `ModifyRecord`.
    Put(Box<RecordBody>),
    /// `DeleteRecord`.
    Delete(u64),
}

/// The changes as steps: an alias is turned into an address, or back, by one call; a default line comes before the other
/// lines and goes after them.
pub(super) fn steps(changes: &[Change]) -> Vec<Step> {
    let mut rest: Vec<Option<&Change>> = changes.iter().map(Some).collect();
    let mut ranked: Vec<(u8, Vec<&Change>)> = Vec::new();
    for (coming, going) in conversions(changes) {
        rest[coming] = None;
        rest[going] = None;
        ranked.push((1, vec![&changes[going], &changes[coming]]));
    }
    for change in rest.into_iter().flatten() {
        ranked.push((rank(change, changes), vec![change]));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked
        .into_iter()
        .map(|(_, changes)| step(&changes))
        .collect()
}

/// Pairs of a record that comes and one that goes, by position, of which one is an alias: they cannot both be there.
fn conversions(changes: &[Change]) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (coming, new) in changes.iter().enumerate() {
        let going = changes.iter().enumerate().position(|(at, old)| {
            new.verb() == Verb::Create
                && old.verb() == Verb::Delete
                && excludes(new, old)
                && !pairs.iter().any(|pair| pair.1 == at)
        });
        pairs.extend(going.map(|going| (coming, going)));
    }
    pairs
}

/// Whether two changes are about one name and line, and exactly one of them about an alias.
fn excludes(one: &Change, other: &Change) -> bool {
    let ((name, kind), (other_name, other_kind)) =
        (name_and_type(&one.id), name_and_type(&other.id));
    name == other_name && line(one) == line(other) && (kind == "CNAME") != (other_kind == "CNAME")
}

fn rank(change: &Change, changes: &[Change]) -> u8 {
    let is_default = line(change) == DEFAULT;
    match change.verb() {
        Verb::Delete => {
            let comes = |other: &&Change| other.verb() == Verb::Create && excludes(change, other);
            match changes.iter().find(comes) {
                Some(_) => 0,
                None if is_default => 5,
                None => 4,
            }
        }
        Verb::Create | Verb::Update if is_default => 2,
        Verb::Create | Verb::Update => 3,
    }
}

fn line(change: &Change) -> &str {
    let attributes = change.after.as_ref().or(change.before.as_ref());
    attributes
        .and_then(|attributes| text(attributes, "line"))
        .unwrap_or(DEFAULT)
}

fn step(changes: &[&Change]) -> Step {
    let what = match changes {
        [going, coming] => format!("turn {} into {}", going.id, coming.id),
        _ => {
            let verb = |change: &&Change| match change.verb() {
                Verb::Create => format!("create {}", change.id),
                Verb::Update => format!("update {}", change.id),
                Verb::Delete => format!("delete {}", change.id),
            };
            changes.iter().map(verb).collect::<Vec<_>>().join(", ")
        }
    };
    Step {
        what,
        changes: changes.iter().map(|change| (*change).clone()).collect(),
    }
}

/// The calls of a step: a record that stays is modified in place, and one too many goes last.
///
/// # Errors
/// DNSPod's id of a record that is to change is not known.
pub(super) fn calls(step: &Step, handles: &Handles, context: &Context) -> Result<Vec<Call>, Error> {
    let mut there = existing(step, handles)?;
    let Some((change, after)) = step
        .changes
        .iter()
        .find_map(|change| change.after.as_ref().map(|after| (change, after)))
    else {
        return Ok(there.into_iter().map(|(id, _)| Call::Delete(id)).collect());
    };
    let same = change.before.as_ref().is_some_and(|before| {
        ["ttl", "owner", "remark", "weight"]
            .iter()
            .all(|name| before.get(name) == after.get(name))
    });
    let (mut kept, mut missing) = (Vec::new(), Vec::new());
    for entry in entries(after) {
        match there.iter().position(|(_, one)| one.value == entry.value) {
            Some(at) => kept.push((there.remove(at), entry)),
            None => missing.push(entry),
        }
    }
    let mut calls: Vec<Call> = Vec::new();
    let put = |id, entry| Call::Put(Box::new(body(change, after, id, entry, context)));
    for ((id, was), entry) in kept {
        if !same || was != entry {
            calls.push(put(Some(id), entry));
        }
    }
    for entry in missing {
        let id = (!there.is_empty()).then(|| there.remove(0).0);
        calls.push(put(id, entry));
    }
    calls.extend(there.into_iter().map(|(id, _)| Call::Delete(id)));
    Ok(calls)
}

/// DNSPod's ids of what a step starts from, answered ones first, so that they are the ones that stay.
fn existing(step: &Step, handles: &Handles) -> Result<Vec<(u64, Entry)>, Error> {
    let Some((change, before)) = step
        .changes
        .iter()
        .find_map(|change| change.before.as_ref().map(|before| (change, before)))
    else {
        return Ok(Vec::new());
    };
    let handle = handles.get(&change.id).map_or("", String::as_str);
    let ids: Vec<u64> = handle.split(',').filter_map(|id| id.parse().ok()).collect();
    let entries = entries(before);
    if ids.len() != entries.len() {
        return Err(Error::new(
            ErrorKind::Failed,
            format!("dnspod: the id of {} is not known", change.id),
        )
        .hint("repeat `geodeploy dns plan` in a minute"));
    }
    let mut existing: Vec<(u64, Entry)> = ids.into_iter().zip(entries).collect();
    existing.sort_by_key(|(_, entry)| entry.paused);
    Ok(existing)
}

fn body(
    change: &Change,
    after: &Attributes,
    record_id: Option<u64>,
    entry: Entry,
    context: &Context,
) -> RecordBody {
    let (name, kind) = name_and_type(&change.id);
    let number = |name| text(after, name).and_then(|text| text.parse().ok());
    let line = text(after, "line").unwrap_or(DEFAULT);
    // Without a mark it is somebody else's again, with the remark that they gave it.
    let remark = text(after, "owner").or_else(|| text(after, "remark"));
    RecordBody {
        domain: context.zone.clone(),
        record_id,
        sub_domain: label(name, &context.zone).to_owned(),
        record_type: kind.to_owned(),
        record_line: context
            .lines
            .by_id(line)
            .map_or_else(|| line.to_owned(), |line| line.name.clone()),
        record_line_id: line.to_owned(),
        value: entry.value,
        ttl: number("ttl"),
        weight: number("weight"),
        status: if entry.paused { "DISABLE" } else { "ENABLE" },
        remark: remark.unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests;
