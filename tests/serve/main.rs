//! The server over real sockets.

mod api;
mod drain;
mod generations;
mod harness;
mod limits;
mod mock;
mod streams;
mod upstream;
