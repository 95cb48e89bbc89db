//! The database's resources against a real server.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it could not try"
)]

mod authority;
mod certificates;
mod configuration;
mod foreign;
mod host;
mod index;
mod server;
mod setup;
mod supervised;
mod user;
