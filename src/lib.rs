//! geodeploy: one crate with three faces, the operator's tool, the agent on a host, and the server.
//!
//! | Module | What it is |
//! |---|---|
//! | [`plan`] | changes as values: attributes, diff, refusals (pure) |
//! | [`resource`] | one file a kind: what it should be, how to look, how to make it so |
//! | [`agent`] | the half on the host: request -> events; `system` is its only door to the machine |
//! | [`secrets`] | the type that cannot print |

pub mod agent;
pub mod digest;
pub mod plan;
pub mod resource;
pub mod secrets;
pub mod serve;
