//! Records of one name and type, and what becomes of them in a batch.

use super::Context;
use super::mark;
use super::schema::{Batch, ById, Listed, Put, Record};
use super::text::{DESCRIPTION, OWNER, Reader, seconds, yes_or_no};
use crate::dns::{Found, Handles, HostName, Mark, Object, Wanted};
use crate::error::Error;
use crate::plan::{Attributes, Change, Id, Kind};

/// What is between the ids of a set's records.
pub(super) const BETWEEN: &str = ",";

/// The identity of a set.
pub(super) fn id(name: &str, kind: &str) -> Id {
    Id::new(Kind::Record, format!("{name} {kind}"))
}

/// The sets of one host.
pub(super) fn wanted(host: &HostName, wanted: &Wanted, ttl: u32) -> Vec<Object> {
    let four = ("A", host.addresses.ipv4.to_string());
    let six = host.addresses.ipv6.map(|six| ("AAAA", six.to_string()));
    std::iter::once(four)
        .chain(six)
        .map(|(kind, address)| Object {
            id: id(host.name.as_str(), kind),
            attributes: Attributes::new()
                .list("values", vec![address])
                .text("ttl", seconds(ttl))
                .text("proxied", "no")
                .text(OWNER, &wanted.owner),
        })
        .collect()
}

/// The sets that matter: addresses of ours wherever they lie, and whoever's at a wanted name; a CNAME there too, as no
/// address can lie beside it.
pub(super) fn found(records: &[Listed<Record>], wanted: &Wanted) -> Vec<Found> {
    let mut sets: Vec<(Id, Vec<&Listed<Record>>)> = Vec::new();
    for record in records {
        let Some(id) = matters(&record.object, wanted) else {
            continue;
        };
        match sets.iter_mut().find(|(known, _)| *known == id) {
            Some((_, set)) => set.push(record),
            None => sets.push((id, vec![record])),
        }
    }
    sets.into_iter()
        .map(|(id, set)| one(id, set, &wanted.owner))
        .collect()
}

fn matters(record: &Record, wanted: &Wanted) -> Option<Id> {
    let at_wanted_name = wanted
        .hosts
        .iter()
        .any(|host| host.name.as_str() == record.name);
    let ours = mark::of(&record.comment, &wanted.owner) == Mark::Ours;
    match record.kind.as_str() {
        kind @ ("A" | "AAAA") if at_wanted_name || ours => Some(id(&record.name, kind)),
        "CNAME" if at_wanted_name => Some(id(&record.name, "CNAME")),
        _ => None,
    }
}

fn one(id: Id, mut set: Vec<&Listed<Record>>, owner: &str) -> Found {
    set.sort_by(|a, b| (&a.object.content, &a.id).cmp(&(&b.object.content, &b.id)));
    let each = |text: &dyn Fn(&Record) -> String| {
        let mut texts: Vec<String> = set.iter().map(|record| text(&record.object)).collect();
        texts.dedup();
        texts.join(", ")
    };
    let marks: Vec<Mark> = set
        .iter()
        .map(|record| mark::of(&record.object.comment, owner))
        .collect();
    let theirs = marks.iter().find(|mark| **mark != Mark::Ours).cloned();
    let mut attributes = Attributes::new()
        .list(
            "values",
            set.iter()
                .map(|record| record.object.content.clone())
                .collect(),
        )
        .text("ttl", each(&|record| seconds(record.ttl)))
        .text(
            "proxied",
            each(&|record| yes_or_no(record.proxied).to_owned()),
        );
    let comment = each(&|record| record.comment.clone());
    attributes = match (&theirs, comment.as_str()) {
        (None, _) => attributes.text(OWNER, owner),
        (_, "") => attributes,
        (_, comment) => attributes.text(DESCRIPTION, comment),
    };
    let ids: Vec<&str> = set.iter().map(|record| record.id.as_str()).collect();
    Found {
        object: Object { id, attributes },
        mark: theirs.unwrap_or(Mark::Ours),
        handle: ids.join(BETWEEN),
    }
}

/// Records that shadow or are shadowed: addresses at a name that a load balancer answers.
pub(super) fn below<'r>(
    records: &'r [Listed<Record>],
    name: &str,
) -> impl Iterator<Item = &'r Listed<Record>> {
    records.iter().filter(move |record| {
        record.object.name == name && matches!(record.object.kind.as_str(), "A" | "AAAA" | "CNAME")
    })
}

/// The one call that makes all the changes.
pub(super) fn batch(
    changes: &[Change],
    handles: &Handles,
    context: &Context,
) -> Result<Batch, Error> {
    let mut batch = Batch::default();
    for change in changes {
        let mut ids: Vec<String> = handles
            .get(&change.id)
            .map(|ids| ids.split(BETWEEN).map(str::to_owned).collect())
            .unwrap_or_default();
        let mut after = records(change, context)?;
        if let Some(before) = &change.before {
            let values = Reader::new(&change.id, before).list("values");
            batch
                .puts
                .extend(replacements(&mut ids, values, &mut after));
        }
        batch.deletes.extend(ids.into_iter().map(|id| ById { id }));
        batch.posts.extend(after);
    }
    Ok(batch)
}

/// Records that stay, under the id of the same value where there is one: what is left over of either side is deleted or
/// made anew. `values` are those of `ids`, in their order.
fn replacements(ids: &mut Vec<String>, values: &[String], after: &mut Vec<Record>) -> Vec<Put> {
    let mut puts = Vec::new();
    let mut values = values.to_vec();
    values.resize(ids.len(), String::new());
    for same_value in [true, false] {
        let mut rest = Vec::new();
        for record in after.drain(..) {
            let at = values
                .iter()
                .position(|value| !same_value || *value == record.content);
            match at {
                Some(at) => {
                    values.remove(at);
                    puts.push(Put {
                        id: ids.remove(at),
                        record,
                    });
                }
                None => rest.push(record),
            }
        }
        *after = rest;
    }
    puts
}

/// The records of a change's second side.
fn records(change: &Change, context: &Context) -> Result<Vec<Record>, Error> {
    let Some(after) = &change.after else {
        return Ok(Vec::new());
    };
    let read = Reader::new(&change.id, after);
    let (name, kind) = change
        .id
        .name
        .split_once(' ')
        .unwrap_or((&context.zone, "A"));
    let record = |content: &String| -> Result<Record, Error> {
        Ok(Record {
            name: name.to_owned(),
            kind: kind.to_owned(),
            content: content.clone(),
            ttl: read.number("ttl")?,
            proxied: read.flag("proxied")?,
            comment: read.description().to_owned(),
        })
    };
    read.list("values").iter().map(record).collect()
}

#[cfg(test)]
mod tests;
