//! Reads tables key by key and gathers every mistake instead of stopping at the first.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::mistake::Wrong;

mod report;

/// One table of the document, or the absence of one, in which every key is absent.
pub(super) struct Table<'d> {
    document: &'d Document<'d>,
    name: String,
    span: Range<usize>,
    entries: Option<&'d DeTable<'d>>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'d> Table<'d> {
    pub(super) fn new(
        document: &'d Document<'d>,
        name: String,
        span: Range<usize>,
        entries: Option<&'d DeTable<'d>>,
    ) -> Self {
        Self {
            document,
            name,
            span,
            entries,
            asked: RefCell::new(Vec::new()),
        }
    }

    /// The table's full name, such as `regions.us.ssh`; empty for the document itself.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_absent(&self) -> bool {
        self.entries.is_none()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries
            .is_some_and(|entries| entries.contains_key(key))
    }

    /// The table's own line.
    pub(super) fn line(&self) -> usize {
        self.line_of(&self.span)
    }

    pub(super) fn line_of(&self, span: &Range<usize>) -> usize {
        self.document.line_number(span.start)
    }

    /// The value of a key as it was written.
    pub(super) fn value(&self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.asked.borrow_mut().push(key);
        self.entries?.get(key)
    }

    /// Every key and value, for tables whose keys are names; in the order of the file.
    pub(super) fn entries(&self) -> Vec<(&'d str, Range<usize>, &'d Spanned<DeValue<'d>>)> {
        let mut entries: Vec<_> = self
            .entries
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.get_ref().as_ref(), key.span(), value))
            .collect();
        entries.sort_by_key(|(_, span, _)| span.start);
        entries
    }

    /// A text of type `T`.
    pub(super) fn text<T: FromStr<Err = Wrong>>(&self, key: &'static str) -> Option<T> {
        let value = self.value(key)?;
        self.parse(key, value)
    }

    /// A text that must be there; `example` is what the remedy shows.
    pub(super) fn required<T: FromStr<Err = Wrong>>(
        &self,
        key: &'static str,
        example: &str,
    ) -> Option<T> {
        if self.value(key).is_none() {
            self.missing(key, &format!("{key} = \"{example}\""));
        }
        self.text(key)
    }

    /// A list of texts; a single text is a list of one.
    pub(super) fn texts<T: FromStr<Err = Wrong>>(&self, key: &'static str) -> Option<Vec<T>> {
        let value = self.value(key)?;
        match value.get_ref().as_array() {
            Some(items) => {
                // Every item is read before any is missed, so that all that are wrong are reported.
                let items: Vec<Option<T>> =
                    items.iter().map(|item| self.parse(key, item)).collect();
                items.into_iter().collect()
            }
            None => self.parse(key, value).map(|only| vec![only]),
        }
    }

    /// A whole number within `range`.
    pub(super) fn whole(&self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = self.value(key)?;
        let number = value.get_ref().as_integer().and_then(|integer| {
            let digits = integer.as_str().replace('_', "");
            u32::from_str_radix(&digits, integer.radix()).ok()
        });
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            self.note(
                value.span(),
                Wrong::new(
                    format!(
                        "`{key}` must be a whole number from {} to {}",
                        range.start(),
                        range.end()
                    ),
                    format!("write it without quotes, such as {key} = {}", range.start()),
                ),
            );
        }
        number
    }

    /// `true` or `false`; absent is false.
    pub(super) fn flag(&self, key: &'static str) -> bool {
        let Some(value) = self.value(key) else {
            return false;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.note(
                value.span(),
                Wrong::new(
                    format!("`{key}` must be true or false"),
                    format!("write {key} = true, without quotes"),
                ),
            );
            false
        })
    }

    /// A table within this one; absent keys and tables look alike to the reader.
    pub(super) fn section(&self, key: &'static str) -> Self {
        match self.value(key) {
            Some(value) => self.inner(key, value.span(), value),
            None => Self::new(self.document, self.joined(key), self.span.clone(), None),
        }
    }

    /// The table behind an entry of [`Table::entries`].
    pub(super) fn inner(
        &self,
        key: &str,
        span: Range<usize>,
        value: &'d Spanned<DeValue<'d>>,
    ) -> Self {
        let name = self.joined(key);
        if value.get_ref().as_table().is_none() {
            self.note(
                span.clone(),
                Wrong::new(
                    format!(
                        "`{name}` must be a section, this is {}",
                        article(value.get_ref().type_str())
                    ),
                    format!("write [{name}] on a line of its own and its keys below"),
                ),
            );
        }
        Self::new(self.document, name, span, value.get_ref().as_table())
    }

    /// The table of a region that has been read, for what is found wrong with it later.
    pub(super) fn region(&self, name: &str) -> Self {
        let found = self.entries.and_then(|entries| entries.get(name));
        let span = found.map_or(self.span.clone(), Spanned::span);
        Self::new(
            self.document,
            self.joined(name),
            span,
            found.and_then(|value| value.get_ref().as_table()),
        )
    }

    /// The tables of an array of tables, `[[key]]`.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let items = value.get_ref().as_array();
        if items.is_none() {
            self.note(
                value.span(),
                Wrong::new(
                    format!("`{key}` must be a list of sections"),
                    format!("write [[{key}]], with two brackets"),
                ),
            );
        }
        items
            .into_iter()
            .flatten()
            .map(|item| self.inner(&format!("[{key}]"), item.span(), item))
            .collect()
    }

    /// A value of an entry, as a text of type `T`.
    pub(super) fn parse<T: FromStr<Err = Wrong>>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<T> {
        let Some(text) = value.get_ref().as_str() else {
            self.note(
                value.span(),
                Wrong::new(
                    format!(
                        "`{key}` must be text, this is {}",
                        article(value.get_ref().type_str())
                    ),
                    format!("write it in quotes: {key} = \"...\""),
                ),
            );
            return None;
        };
        text.parse()
            .map_err(|wrong| self.note(value.span(), wrong))
            .ok()
    }

    fn joined(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }
}

fn article(kind: &str) -> String {
    if kind.starts_with(['a', 'i']) {
        format!("an {kind}")
    } else {
        format!("a {kind}")
    }
}
