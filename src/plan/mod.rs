//! Changes as values: what is desired, what was found, and the difference between them. Pure.
//!
//! Hosts, database and DNS share this shape, so one diff, one printer and one set of refusals serve all.

mod attributes;
mod change;
mod file;
mod limits;
mod print;

pub use attributes::{Attributes, Value};
pub use change::{Change, Id, Kind, Plan, Verb};
pub use file::{Basis, SavedPlan, VERSION};
pub use limits::{Limits, MAY_BE_DELETED, Refusal, check_consent};
pub use print::Look;
