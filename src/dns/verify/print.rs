//! Findings as a table, and as the end of a verb.

use std::collections::BTreeSet;

use super::finding::{Finding, Word};
use crate::error::{Error, ErrorKind};
use crate::text::{Palette, Tone, count, printable_line};

/// The most names that are shown of one finding; all are in the JSON.
const SHOWN: usize = 4;

/// A line for each finding; below it where and for whom it was seen, and what to do.
pub fn render(findings: &[Finding], palette: Palette) -> String {
    let widths = findings.iter().map(|finding| finding.check.name().len());
    let width = widths.max().unwrap_or(0);
    let mut lines = Vec::new();
    for finding in findings {
        let mark = match finding.word {
            Word::Ok => palette.paint(Tone::Added, "ok  "),
            Word::Warning => palette.paint(Tone::Changed, "warn"),
            Word::Differs => palette.paint(Tone::Removed, "!!  "),
            Word::Unreachable => palette.paint(Tone::Removed, "??  "),
        };
        let told = printable_line(&finding.told).into_owned();
        lines.push(format!("{mark}  {:width$}  {told}", finding.check.name()));
        let mut below = |text: String, tone| {
            let text = palette.paint(tone, printable_line(&text));
            lines.push(format!("{:indent$}{text}", "", indent = width + 8));
        };
        if finding.word > Word::Ok {
            let places = [("for", &finding.clients), ("by", &finding.servers)];
            for (word, names) in places.into_iter().filter(|(_, names)| !names.is_empty()) {
                below(format!("{word} {}", some(names)), Tone::Faint);
            }
            if let Some(hint) = finding.hint {
                below(hint.to_owned(), Tone::Hint);
            }
        }
    }
    lines.join("\n")
}

fn some(names: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}

/// Nothing where every answer is as the inventory says; otherwise how many are not, the first of them as causes.
///
/// # Errors
/// `Unreachable` where a server could not be asked, `Failed` where an answer differs.
pub fn end(findings: &[Finding]) -> Result<(), Error> {
    let bad = || {
        findings
            .iter()
            .filter(|finding| finding.word > Word::Warning)
    };
    let silent = bad().any(|finding| finding.word == Word::Unreachable);
    if bad().count() == 0 {
        return Ok(());
    }
    let (kind, what) = if silent {
        (
            ErrorKind::Unreachable,
            "not every server of the names could be asked",
        )
    } else {
        (
            ErrorKind::Failed,
            "the names are not answered as the inventory says",
        )
    };
    let what = format!("{what}: {}", count(bad().count(), "finding"));
    let mut error = Error::new(kind, what);
    for finding in bad() {
        let place = match finding.servers.is_empty() {
            true => String::new(),
            false => format!(" (by {})", some(&finding.servers)),
        };
        error = error.cause(format!("{}: {}{place}", finding.check.name(), finding.told));
        if let Some(hint) = finding.hint
            && !error.hints.iter().any(|known| known == hint)
        {
            error = error.hint(hint);
        }
    }
    Err(error)
}
