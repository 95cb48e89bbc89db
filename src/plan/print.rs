//! The one printer of all plans: hosts, database and DNS.

use similar::{ChangeTag, TextDiff};

use super::{Attributes, Change, Plan, Value, Verb};
use crate::text::{self, Palette, Tone, printable_line};

/// Lines around a difference, as `diff -u` has it.
const CONTEXT: usize = 3;
/// So many lines of a new body are shown without `-v`.
const BODY_LINES: usize = 8;

/// How a plan is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// With or without colours.
    pub palette: Palette,
    /// New bodies in full (`-v`). Differences are always shown in full: they are what is consented to.
    pub verbose: bool,
}

impl Plan {
    /// The summary: `cn: 34 resources, 3 to create, 1 to change, 0 to delete`.
    pub fn summary(&self) -> String {
        let (creates, updates, deletes) = self.counts();
        format!(
            "{}: {}, {creates} to create, {updates} to change, {deletes} to delete",
            printable_line(&self.target),
            text::count(self.resources, "resource"),
        )
    }

    /// The plan as an operator reads it: each change with its attributes, then the summary. Ends with a line break.
    ///
    /// What came from a host cannot steer the terminal.
    pub fn render(&self, look: Look) -> String {
        let mut page = Page {
            look,
            text: String::new(),
        };
        if !self.is_empty() {
            let target = printable_line(&self.target);
            page.line(0, &look.palette.paint(Tone::Strong, target));
        }
        for change in &self.changes {
            page.change(change);
        }
        page.line(0, &look.palette.paint(Tone::Strong, self.summary()));
        page.text
    }
}

struct Page {
    look: Look,
    text: String,
}

impl Page {
    fn line(&mut self, indent: usize, line: &str) {
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A line of text from elsewhere behind a sign, in the sign's colour.
    fn signed(&mut self, indent: usize, sign: char, line: &str) {
        let line = format!("{sign}{}", printable_line(line));
        let line = match sign {
            '+' => self.look.palette.paint(Tone::Added, line),
            '-' => self.look.palette.paint(Tone::Removed, line),
            _ => line,
        };
        self.line(indent, &line);
    }

    fn change(&mut self, change: &Change) {
        let (sign, tone) = match change.verb() {
            Verb::Create => ('+', Tone::Added),
            Verb::Update => ('~', Tone::Changed),
            Verb::Delete => ('-', Tone::Removed),
        };
        let id = change.id.to_string();
        let heading = format!("{sign} {}", printable_line(&id));
        self.line(2, &self.look.palette.paint(tone, heading));
        match (&change.before, &change.after) {
            (Some(before), Some(after)) => self.differences(before, after),
            (None, Some(only)) | (Some(only), None) => self.attributes(only, sign),
            (None, None) => {}
        }
        for consequence in &change.consequences {
            let line = format!("then {}", printable_line(consequence));
            self.line(6, &self.look.palette.paint(Tone::Changed, line));
        }
    }

    /// What comes, or goes, as a whole.
    fn attributes(&mut self, attributes: &Attributes, sign: char) {
        for (name, value) in attributes.iter() {
            match value {
                Value::Text(_) | Value::Sealed(_) => {
                    self.line(6, &format!("{name}: {}", one_line(value)));
                }
                Value::List(entries) if entries.is_empty() => {
                    self.line(6, &format!("{name}: (none)"));
                }
                Value::List(entries) => {
                    self.line(6, &format!("{name}:"));
                    for entry in entries {
                        self.signed(8, sign, &format!(" {entry}"));
                    }
                }
                Value::Lines(body) => self.body(name, body, sign),
            }
        }
    }

    fn body(&mut self, name: &str, body: &str, sign: char) {
        let total = body.lines().count();
        self.line(6, &format!("{name}: {}", text::count(total, "line")));
        let shown = match (self.look.verbose, sign) {
            (true, _) => total,
            (false, '-') => 0,
            // One line is not hidden behind a line that says so.
            (false, _) if total <= BODY_LINES + 1 => total,
            (false, _) => BODY_LINES,
        };
        for line in body.lines().take(shown) {
            self.signed(8, sign, line);
        }
        if shown < total {
            let rest = text::count(total - shown, "line");
            let more = if shown == 0 { "" } else { "more " };
            let rest = rest.replacen(' ', &format!(" {more}"), 1);
            let line = format!("… {rest} (-v shows them)");
            self.line(8, &self.look.palette.paint(Tone::Faint, line));
        }
    }

    fn differences(&mut self, before: &Attributes, after: &Attributes) {
        let mut names: Vec<&str> = before.iter().chain(after.iter()).map(|(n, _)| n).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let (old, new) = (before.get(name), after.get(name));
            if old != new {
                self.difference(name, old, new);
            }
        }
    }

    fn difference(&mut self, name: &str, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (Some(Value::Lines(old)), Some(Value::Lines(new))) => {
                self.line(6, &format!("{name}:"));
                self.unified(old, new);
            }
            (Some(Value::List(old)), Some(Value::List(new))) => {
                self.line(6, &format!("{name}:"));
                self.entries(old, new);
            }
            (old, new) => {
                let show = |value: Option<&Value>| value.map_or("(none)".to_owned(), one_line);
                // "fingerprint" is said once.
                let (old, new) = match (old, new) {
                    (Some(Value::Sealed(_)), Some(Value::Sealed(new))) => {
                        (show(old), new.to_string())
                    }
                    _ => (show(old), show(new)),
                };
                self.line(6, &format!("{name}: {old} -> {new}"));
            }
        }
    }

    /// Entries that go, then those that come; where only the order differs, both orders.
    fn entries(&mut self, old: &[String], new: &[String]) {
        let missing_in = |these: &[String], those: &[String]| {
            let mut rest = those.to_vec();
            let mut missing = these.to_vec();
            missing.retain(|entry| {
                let found = rest.iter().position(|other| other == entry);
                found.map(|index| rest.swap_remove(index)).is_none()
            });
            missing
        };
        let (going, coming) = (missing_in(old, new), missing_in(new, old));
        let (going, coming) = if going.is_empty() && coming.is_empty() {
            (old.to_vec(), new.to_vec())
        } else {
            (going, coming)
        };
        for entry in going {
            self.signed(8, '-', &format!(" {entry}"));
        }
        for entry in coming {
            self.signed(8, '+', &format!(" {entry}"));
        }
    }

    fn unified(&mut self, old: &str, new: &str) {
        let diff = TextDiff::from_lines(old, new);
        for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
            let header = hunk.header().to_string();
            self.line(8, &self.look.palette.paint(Tone::Faint, header));
            for change in hunk.iter_changes() {
                let sign = match change.tag() {
                    ChangeTag::Delete => '-',
                    ChangeTag::Insert => '+',
                    ChangeTag::Equal => ' ',
                };
                let line = change.value();
                self.signed(8, sign, line.strip_suffix('\n').unwrap_or(line));
                if change.missing_newline() {
                    self.line(8, "\\ No newline at end of file");
                }
            }
        }
    }
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Text(text) if text.is_empty() => "\"\"".to_owned(),
        Value::Text(text) => printable_line(text).into_owned(),
        Value::Sealed(fingerprint) => format!("fingerprint {fingerprint}"),
        Value::List(entries) => printable_line(&entries.join(", ")).into_owned(),
        Value::Lines(body) => text::count(body.lines().count(), "line"),
    }
}

#[cfg(test)]
mod tests;
