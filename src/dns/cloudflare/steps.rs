//! Changes as calls, in an order in which a run may end anywhere: what is referred to is made before what refers to it
//! and goes after it. Pure.

use super::write;
use crate::dns::Step;
use crate::plan::{Change, Kind, Verb};

/// So many changes of records a call: the smallest plan takes 200 records, and a change may be of more than one.
const A_BATCH: usize = 50;

pub(super) fn steps(changes: &[Change]) -> Vec<Step> {
    let mut made: Vec<&Change> = Vec::new();
    let mut records: Vec<Change> = Vec::new();
    let mut gone: Vec<&Change> = Vec::new();
    for change in changes {
        match (change.id.kind, change.verb()) {
            (Kind::Record, _) => records.push(change.clone()),
            (_, Verb::Delete) => gone.push(change),
            _ => made.push(change),
        }
    }
    made.sort_by_key(|change| rank(change.id.kind));
    gone.sort_by_key(|change| std::cmp::Reverse(rank(change.id.kind)));
    let alone = |change: &Change| Step {
        what: format!("{} {}", write::verb(change), change.id),
        changes: vec![change.clone()],
    };
    let batches = records.chunks(A_BATCH).map(|changes| Step {
        what: match changes {
            [one] => format!("{} {}", write::verb(one), one.id),
            several => format!("change {} sets of records in one call", several.len()),
        },
        changes: changes.to_vec(),
    });
    made.into_iter()
        .map(alone)
        .chain(batches)
        .chain(gone.into_iter().map(alone))
        .collect()
}

/// What refers to others has a higher rank.
fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::HealthCheck => 0,
        Kind::Pool => 1,
        _ => 2,
    }
}
