//! What was seen, held against what is expected. Pure.

mod agreement;
mod answers;
mod client_subnet;
mod delegation;
mod reach;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::expected::Expected;
use super::finding::{Check, Finding, Tally, Word};
use super::samples::samples;
use super::seen::{Exchange, Seen};

/// Every finding, by check, the worst first. What is as it should be is a finding too.
pub fn judge(expected: &Expected, seen: &Seen) -> Vec<Finding> {
    let mut tally = Tally::default();
    for zone in &seen.zones {
        if let Some(delegation) = &zone.delegation {
            delegation::judge(expected, zone, delegation, &mut tally);
        }
        reach::judge(zone, &mut tally);
        let blind = client_subnet::judge(expected, &zone.asked, &mut tally);
        agreement::judge(zone, &blind, &mut tally);
        answers::judge(
            expected,
            &zone.asked,
            &blind,
            answers::By::Authority,
            &mut tally,
        );
    }
    if !seen.public.is_empty() {
        let blind = client_subnet::judge(expected, &seen.public, &mut tally);
        answers::judge(
            expected,
            &seen.public,
            &blind,
            answers::By::Public,
            &mut tally,
        );
    }
    tally.findings()
}

/// The worst of them.
pub fn worst(findings: &[Finding]) -> Word {
    let words = findings.iter().map(|finding| finding.word);
    words.max().unwrap_or(Word::Ok)
}

/// The country of the client that it was asked for.
fn country(exchange: &Exchange) -> Option<String> {
    let subnet = exchange.subnet()?;
    let sample = samples()
        .into_iter()
        .find(|sample| sample.network == subnet)?;
    Some(sample.country.to_string())
}

/// `a, b and c`, as names are listed in a sentence; `nothing` for none.
fn list<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

fn servers<'e>(asked: impl IntoIterator<Item = &'e Exchange>) -> BTreeSet<String> {
    asked
        .into_iter()
        .map(|asked| asked.server.to_string())
        .collect()
}
