//! The database's resources against a real server.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it could not try"
)]

mod application;
mod authority;
mod census;
mod certificates;
mod configuration;
mod foreign;
#[path = "../common/database.rs"]
mod host;
mod index;
mod link;
mod members;
mod password;
mod promotion;
#[expect(dead_code, reason = "the server's tests use the rest")]
#[path = "../common/mongod.rs"]
mod server;
mod setup;
mod status;
mod supervised;
mod ttl;
mod user;
