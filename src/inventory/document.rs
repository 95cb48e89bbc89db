//! The text of an inventory, and what was found wrong with it.

use std::cell::RefCell;
use std::ops::Range;

use toml::de::DeTable;

use super::mistake::{Mistake, Wrong, names_a_secret};
use super::reader::Table;

/// The text being read, and what was found wrong with it so far.
pub(super) struct Document<'t> {
    file: &'t str,
    text: &'t str,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'t> Document<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self {
            file,
            text,
            mistakes: RefCell::new(Vec::new()),
        }
    }

    /// Parses the text; what is not TOML becomes a mistake each, and the rest is still read.
    pub(super) fn parse(&self) -> DeTable<'t> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.note(
                error.span().unwrap_or(0..0),
                Wrong::new(
                    format!("this is not TOML: {}", error.message().replace('\n', ", ")),
                    "write `key = \"text\"`, `key = 1`, `key = [\"a\", \"b\"]` or `[section]`, each on a line of its own",
                ),
            );
        }
        table.into_inner()
    }

    pub(super) fn root<'d>(&'d self, table: &'d DeTable<'t>) -> Table<'d> {
        Table::new(self, String::new(), 0..0, Some(table))
    }

    pub(super) fn note(&self, span: Range<usize>, wrong: Wrong) {
        let line = self.line_number(span.start);
        self.mistakes.borrow_mut().push(Mistake {
            file: self.file.to_owned(),
            line: Some(line),
            text: shown(self.text.lines().nth(line - 1).unwrap_or("")),
            cause: wrong.cause,
            remedy: wrong.remedy,
        });
    }

    pub(super) fn line_number(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// All mistakes in the order of their lines.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|mistake| mistake.line);
        mistakes.dedup();
        mistakes
    }
}

/// A line as a message may show it: cut to 100 characters, without a value that may be a secret.
fn shown(line: &str) -> String {
    let line = line.trim();
    if let Some((key, _)) = line.split_once('=')
        && names_a_secret(key.trim().trim_matches('"'))
    {
        return format!("{} = ...", key.trim());
    }
    match line.char_indices().nth(100) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}
