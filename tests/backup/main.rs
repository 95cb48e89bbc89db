//! Backups and restores of a real server.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it could not try"
)]

mod agent;
mod dump;
mod memory;
mod refusals;
mod restore;
#[expect(dead_code, reason = "the resources' tests use the rest")]
#[path = "../common/mongod.rs"]
mod server;
mod site;
