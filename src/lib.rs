//! geodeploy: one crate with three faces, the operator's tool, the agent on a host, and the server.
//!
//! | Module | What it is |
//! |---|---|
//! | [`fleet`] | all regions of a run, in parallel |
//! | [`host`] | a host as the operator reaches it: transports, sessions |
//! | [`cli`] | the command line |
//! | [`commands`] | one verb, one file |
//! | [`plan`] | changes as values: attributes, diff, refusals (pure) |
//! | [`resource`] | one file a kind: what it should be, how to look, how to make it so |
//! | [`agent`] | the half on the host: request -> events; `system` is its only door to the machine |
//! | [`inventory`] | the operator's TOML file -> regions, every value checked (pure) |
//! | [`backup`] | dumps and restores of the database, sealed to keys that no host has |
//! | [`dns`] | providers of DNS: what is wanted, what is there, the way from one to the other |
//! | [`geography`] | countries and continents (pure) |
//! | [`ca`] | the project's certificate authority |
//! | [`monitor`] | what of the running system is well and what is not (pure) |
//! | [`rehearse`] | local twins of the regions and the links between them |
//! | [`secrets`] | the type that cannot print |
//! | [`error`] | what, why, what next, exit code |
//! | [`ui`] | all output, prompts and progress |
//! | [`state`] | what the operator's machine keeps of a project |
//! | [`text`] | text that is safe to show |

pub mod agent;
pub mod backup;
pub mod blueprint;
pub mod ca;
pub mod cli;
pub mod commands;
pub mod digest;
pub mod dns;
pub mod error;
pub mod fleet;
pub mod geography;
pub mod host;
pub mod inventory;
pub mod monitor;
pub mod plan;
pub mod rehearse;
pub mod resource;
pub mod secrets;
pub mod serve;
pub mod state;
pub mod text;
pub mod ui;
