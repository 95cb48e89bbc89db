//! Whether the world is answered what the inventory says: every authoritative server is found and asked, over UDP and TCP,
//! for simulated clients of many countries, and what they say is held against the inventory.

mod discover;
mod expected;
mod finding;
mod judge;
mod look;
mod print;
mod public;
mod samples;
mod seen;

pub use expected::Expected;
pub use finding::{Check, Finding, Word};
pub use judge::{judge, worst};
pub use look::{Way, look};
pub use print::{end, render};
pub use public::{PUBLIC, public};
pub use samples::{Sample, samples};
pub use seen::{Delegation, Exchange, Seen, Server, ZoneSeen};
