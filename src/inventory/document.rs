//! The text of an inventory, and what was found wrong with it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::DeTable;

use super::mistake::{Mistake, Wrong, names_a_secret};
use super::reader::Table;

/// The text being read, and what was found wrong with it so far.
pub(super) struct Document<'t> {
    file: &'t str,
    text: &'t str,
    mistakes: RefCell<Vec<Mistake>>,
    /// Lines that are not TOML. What a recovered parse finds there says nothing more.
    broken: RefCell<BTreeSet<usize>>,
}

impl<'t> Document<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self {
            file,
            text,
            mistakes: RefCell::new(Vec::new()),
            broken: RefCell::new(BTreeSet::new()),
        }
    }

    /// Parses the text; what is not TOML becomes a mistake each, and the rest is still read.
    pub(super) fn parse(&self) -> DeTable<'t> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let line = self.line_number(span.start);
            let message = error.message().replace('\n', ", ");
            let remedy = if message == "duplicate key" {
                "remove one of the two"
            } else {
                "write `key = \"text\"`, `key = 1`, `key = [\"a\", \"b\"]` or `[section]`, each on a line of its own"
            };
            if self.broken.borrow_mut().insert(line) {
                self.push(
                    line,
                    Wrong::new(format!("this is not TOML: {message}"), remedy),
                );
            }
        }
        table.into_inner()
    }

    pub(super) fn root<'d>(&'d self, table: &'d DeTable<'t>) -> Table<'d> {
        Table::new(self, String::new(), 0..0, Some(table))
    }

    /// Notes what is wrong at `span`; an empty span at the start stands for the document as a whole.
    pub(super) fn note(&self, span: Range<usize>, wrong: Wrong) {
        let line = self.line_number(span.start);
        if span == (0..0) || !self.broken.borrow().contains(&line) {
            self.push(if span == (0..0) { 0 } else { line }, wrong);
        }
    }

    fn push(&self, line: usize, wrong: Wrong) {
        let text = line
            .checked_sub(1)
            .and_then(|index| self.text.lines().nth(index));
        self.mistakes.borrow_mut().push(Mistake {
            file: self.file.to_owned(),
            line: Some(line.max(1)),
            text: text.map(shown).unwrap_or_default(),
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

/// A line as a message may show it: cut to 100 characters, without what may be a secret.
fn shown(line: &str) -> String {
    let line = line.trim();
    let secret = line
        .match_indices('=')
        .map(|(equals, _)| &line[..equals])
        .find(|before| names_a_secret(last_key(before)));
    if let Some(before) = secret {
        return format!("{before}= ...");
    }
    // An identity of age's in the place of its public key.
    if let Some((before, _)) = line.split_once("AGE-SECRET-KEY-") {
        return format!("{before}...");
    }
    // The user and password of a web address.
    if let Some((before, after)) = line.split_once("://")
        && let Some((_, host)) = after.split_once('@')
    {
        return format!("{before}://...@{host}");
    }
    match line.char_indices().nth(100) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

/// The key that ends a text: `api_key` in `model = { api_key `.
fn last_key(text: &str) -> &str {
    let text = text.trim_end().trim_end_matches(['"', '\'']);
    let start =
        text.rfind(|letter: char| !letter.is_ascii_alphanumeric() && !"_-".contains(letter));
    &text[start.map_or(0, |index| index + 1)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_line_leaves_out_what_may_be_a_secret() {
        assert_eq!(shown(" api_key = \"hunter2\""), "api_key = ...");
        assert_eq!(
            shown("env = { LEVEL = \"info\", MAIL_TOKEN = \"hunter2\" }"),
            "env = { LEVEL = \"info\", MAIL_TOKEN = ..."
        );
        assert_eq!(shown("\"api_key\"=\"hunter2\""), "\"api_key\"= ...");
        assert_eq!(
            shown("apt = \"http://me:hunter2@host/x\""),
            "apt = \"http://...@host/x\""
        );
        assert_eq!(
            shown("recipients = [\"AGE-SECRET-KEY-1QQ\"]"),
            "recipients = [\"..."
        );
        assert_eq!(
            shown("host_key = \"ssh-ed25519 AAAA\""),
            "host_key = \"ssh-ed25519 AAAA\""
        );
    }
}
