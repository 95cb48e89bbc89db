//! Address space as runs of numbers: nested networks flattened, one layer over another, runs as networks again.

use super::Place;

/// Consecutive addresses with one place, both ends included. IPv4 addresses count from 0 as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: u128,
    pub(super) last: u128,
    pub(super) place: Place,
}

/// Adds a run to sorted ones that end before it; one that goes on where the last ended with the same place is one with it.
pub(super) fn push<T: Copy + PartialEq>(
    runs: &mut Vec<(u128, u128, T)>,
    first: u128,
    last: u128,
    value: T,
) {
    match runs.last_mut() {
        Some(before) if before.2 == value && before.1.checked_add(1) == Some(first) => {
            before.1 = last;
        }
        _ => runs.push((first, last, value)),
    }
}

fn runs(flat: Vec<(u128, u128, Place)>) -> Vec<Run> {
    flat.into_iter()
        .map(|(first, last, place)| Run { first, last, place })
        .collect()
}

/// Networks, of which each lies wholly in another or outside of it, as disjoint sorted runs: the smaller network wins, and
/// of two equal ones the later.
pub(super) fn disjoint(mut networks: Vec<Run>) -> Vec<Run> {
    networks.sort_by(|a, b| a.first.cmp(&b.first).then(b.last.cmp(&a.last)));
    let mut flat = Vec::new();
    let mut open: Vec<Run> = Vec::new();
    // The first address that is not decided yet; none when the space is exhausted.
    let mut at = Some(0_u128);
    let close = |open: &mut Vec<Run>, flat: &mut Vec<_>, at: &mut Option<u128>| {
        if let Some(top) = open.pop()
            && let Some(first) = at.filter(|first| *first <= top.last)
        {
            push(flat, first, top.last, top.place);
            *at = top.last.checked_add(1);
        }
    };
    for network in networks {
        while open.last().is_some_and(|top| top.last < network.first) {
            close(&mut open, &mut flat, &mut at);
        }
        if let (Some(top), Some(first)) = (open.last(), at)
            && let Some(last) = network.first.checked_sub(1)
            && first <= last
        {
            push(&mut flat, first, last, top.place);
        }
        at = Some(network.first);
        open.push(network);
    }
    while !open.is_empty() {
        close(&mut open, &mut flat, &mut at);
    }
    runs(flat)
}

/// `below` with `above` laid over it; both disjoint and sorted.
pub(super) fn overlay(below: &[Run], above: &[Run]) -> Vec<Run> {
    let mut pieces: Vec<Run> = above.to_vec();
    let mut over = above.iter().peekable();
    for run in below {
        let mut first = Some(run.first);
        while let Some(top) = over.peek() {
            if top.last < run.first {
                over.next();
                continue;
            }
            if top.first > run.last {
                break;
            }
            if let Some(from) = first
                && let Some(last) = top.first.checked_sub(1)
                && from <= last
            {
                pieces.push(Run {
                    first: from,
                    last,
                    ..*run
                });
            }
            first = top.last.checked_add(1);
            if top.last >= run.last {
                break;
            }
            over.next();
        }
        if let Some(first) = first.filter(|first| *first <= run.last) {
            pieces.push(Run { first, ..*run });
        }
    }
    pieces.sort_by_key(|run| run.first);
    let mut flat = Vec::new();
    for run in pieces {
        push(&mut flat, run.first, run.last, run.place);
    }
    runs(flat)
}

/// A run as the fewest networks: first address and prefix length of each. `width` is 32 or 128.
pub(super) fn networks(first: u128, last: u128, width: u32) -> Vec<(u128, u32)> {
    let mut found = Vec::new();
    let mut at = first;
    loop {
        let aligned = at.trailing_zeros().min(width);
        // 2^fits addresses are left, at least.
        let fits = match (last - at).checked_add(1) {
            Some(count) => count.ilog2(),
            None => 128,
        };
        let bits = aligned.min(fits);
        found.push((at, width - bits));
        let next = match 1_u128.checked_shl(bits) {
            Some(size) => at.checked_add(size),
            None => None,
        };
        match next {
            Some(next) if next <= last => at = next,
            _ => return found,
        }
    }
}
