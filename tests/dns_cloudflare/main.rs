//! DNS by Cloudflare, shown on a fake of its interface, whose every request is held against the official SDK's types.

#![expect(clippy::unwrap_used, reason = "a test's helper fails as its test does")]

mod calls;
mod command_line;
mod fake;
mod oracle;
mod patience;
mod refusals;
#[path = "../dns/suite/mod.rs"]
mod suite;

suite::every_test!(fake::Server);
