//! The server over real sockets.

#![expect(clippy::unwrap_used, reason = "a test's helper fails as its test does")]
#![expect(unreachable_pub, reason = "a test program exports nothing")]

mod agent_state;
mod api;
mod drain;
mod generations;
mod harness;
#[expect(dead_code, reason = "the tests of resources use the rest")]
#[path = "../common/database.rs"]
mod host;
mod limits;
mod mock;
mod mongo;
mod outage;
#[expect(dead_code, reason = "the tests of resources use the rest")]
#[path = "../common/mongod.rs"]
mod server;
mod sessions;
mod store;
mod streams;
mod switch;
mod upstream;
