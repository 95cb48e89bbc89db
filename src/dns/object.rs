//! What lies at a provider.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::{Attributes, Id};

/// One object: a record set, a pool, a health check. As desired and as found it has the same attributes, so that
/// equality means "nothing to do"; what a provider fills in by itself is left out of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Which object; unique among one provider's.
    pub id: Id,
    /// What it is. Ownership, where the provider marks it on the object, is the attribute `owner`.
    pub attributes: Attributes,
}

/// Whose an object is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// It carries this project's mark.
    Ours,
    /// It carries no mark of geodeploy's. Never changed or deleted without `--adopt NAME`.
    Foreign,
    /// It carries the mark of another project, which this names. Never changed.
    OtherProject(String),
}

/// An object as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The object.
    pub object: Object,
    /// Whose it is.
    pub mark: Mark,
    /// The provider's own id for it, which an operator finds in the provider's console.
    pub handle: String,
}

/// What a provider has: everything that is ours wherever it lies, and whoever's lies at a wanted name.
#[derive(Clone, Debug)]
pub struct Listing<C> {
    /// The objects; two may not share an id.
    pub objects: Vec<Found>,
    /// What the provider learnt on the way and needs for its calls: the zone's id, the lines of a grade.
    pub context: C,
}

/// The provider's ids by object: found ones, and those that a run creates on its way.
pub type Handles = BTreeMap<Id, String>;
