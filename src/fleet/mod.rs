//! All regions of a run: connected, inspected and changed in parallel, their ends told as one.

mod apply;
mod archive;
mod clock;
mod connect;
mod inspect;
mod project;
mod release;
mod report;
mod round;
mod run;
mod stage;

pub use apply::{Job, apply};
pub use archive::send_mongodb;
pub use connect::{Member, connect};
pub use inspect::{Inspected, inspect, inspect_again, inspect_release};
pub use project::{Project, mistakes, operator};
pub use release::{Order, deploy};
pub use report::{UNCHANGED, report, reported};
pub use round::{Looked, failures, look, refuse_lockout, unmet};
pub use run::settle;
pub use stage::{Stage, part};
