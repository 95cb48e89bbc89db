//! Reading attributes back: a change carries nothing else, so that a snapshot can be gone back to.

use crate::error::{Error, ErrorKind};
use crate::plan::{Attributes, Id, Value};

/// The attributes of one object, read.
pub(super) struct Reader<'a> {
    id: &'a Id,
    attributes: &'a Attributes,
}

impl<'a> Reader<'a> {
    pub(super) fn new(id: &'a Id, attributes: &'a Attributes) -> Self {
        Self { id, attributes }
    }

    /// A line; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &'a str {
        match self.attributes.get(name) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// The entries; none where there is no such list.
    pub(super) fn list(&self, name: &str) -> &'a [String] {
        match self.attributes.get(name) {
            Some(Value::List(entries)) => entries,
            _ => &[],
        }
    }

    /// A number, with its unit behind it or without.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, Error> {
        let text = self.text(name);
        let digits = text.split(' ').next().unwrap_or_default();
        digits.parse().map_err(|_| self.wrong(name, text))
    }

    /// Yes or no.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.text(name) {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => Err(self.wrong(name, other)),
        }
    }

    /// The mark, or the description that is no mark of ours.
    pub(super) fn description(&self) -> &'a str {
        match self.text(OWNER) {
            "" => self.text(DESCRIPTION),
            owner => owner,
        }
    }

    pub(super) fn wrong(&self, name: &str, value: &str) -> Error {
        let what = format!("{}: `{name}` cannot be {value:?}", self.id);
        Error::new(ErrorKind::Input, what)
            .hint("take a snapshot that this version of geodeploy wrote")
    }
}

/// The attribute of whose an object is.
pub(super) const OWNER: &str = "owner";
/// The attribute of a description or comment that is no mark.
pub(super) const DESCRIPTION: &str = "description";

pub(super) fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

pub(super) fn seconds(value: u32) -> String {
    format!("{value} s")
}

/// The attribute that a description becomes: the owner where it is a mark of ours, itself otherwise.
pub(super) fn described(
    attributes: Attributes,
    description: &str,
    owner: Option<&str>,
) -> Attributes {
    match owner {
        Some(owner) => attributes.text(OWNER, owner),
        None if description.is_empty() => attributes,
        None => attributes.text(DESCRIPTION, description),
    }
}
