//! What a resource is, as named values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::secrets::Fingerprint;

/// One attribute's value; the variant says how it is compared and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// One line, shown as `before -> after`.
    Text(String),
    /// A body of lines, shown as a unified diff.
    Lines(String),
    /// Entries, shown as those that come and those that go.
    List(Vec<String>),
    /// Something secret, of which only a keyed fingerprint is known.
    Sealed(Fingerprint),
}

/// A resource's attributes by name. Desired and found have the same names, so that equality means "nothing to do".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    /// No attributes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a one-line attribute.
    #[must_use]
    pub fn text(self, name: &str, value: impl Into<String>) -> Self {
        self.with(name, Value::Text(value.into()))
    }

    /// Adds a body of lines.
    #[must_use]
    pub fn lines(self, name: &str, value: impl Into<String>) -> Self {
        self.with(name, Value::Lines(value.into()))
    }

    /// Adds a list of entries.
    #[must_use]
    pub fn list(self, name: &str, value: Vec<String>) -> Self {
        self.with(name, Value::List(value))
    }

    /// Adds the fingerprint of something secret.
    #[must_use]
    pub fn sealed(self, name: &str, value: Fingerprint) -> Self {
        self.with(name, Value::Sealed(value))
    }

    /// Adds an attribute of any form; a second one of the same name replaces the first.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All attributes, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}
