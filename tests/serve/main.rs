//! The server over real sockets.

#![expect(clippy::unwrap_used, reason = "a test's helper fails as its test does")]
#![expect(unreachable_pub, reason = "a test program exports nothing")]

mod api;
mod drain;
mod generations;
mod harness;
mod limits;
mod mock;
mod mongod;
mod outage;
mod sessions;
mod store;
mod streams;
mod switch;
mod upstream;
