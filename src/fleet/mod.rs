//! All regions of a run: connected, inspected and changed in parallel, their ends told as one.

mod apply;
mod connect;
mod inspect;
mod project;
mod release;
mod run;

pub use apply::{Job, apply};
pub use connect::{Member, connect};
pub use inspect::{Inspected, inspect, inspect_releases};
pub use project::Project;
pub use release::{Order, deploy};
pub use run::settle;
