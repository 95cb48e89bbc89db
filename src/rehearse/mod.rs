//! The lab: twins of the regions on the operator's own Linux machine, with the real link's delay and bandwidth in between.
//!
//! | Module | What it is |
//! |---|---|
//! | [`requirements`] | what this machine lacks, and its installation |
//! | [`sources`] | where this machine gets Debian from |
//! | [`base`] | the base system, built once a suite |
//! | [`archive`] | a real MongoDB as an apt archive: the vendor's, or one made here |
//! | [`authority`] | a certificate authority for twins, and the names that it looks up |
//! | [`mirror`] | the twins' way to packages: an apt proxy near to them |
//! | [`network`] | addresses, namespaces, interfaces |
//! | [`switch`] | the process that carries frames between twins, late and narrow as the real link |
//! | [`relay`] | the link without privileges: a TCP relay, for a rehearsal without twins |
//! | [`files`], [`server`] | a region without a host: its files, its server |
//! | [`substitute`] | the operator's inventory, for twins |
//! | [`layers`] | a twin's file system: layers over the base, so that it can be put back |
//! | [`twin`] | one machine: boot, power cut, run, reset |
//! | [`lab`] | all of it: up, open, down |
//! | [`shell`] | the only door to programs |
//!
//! Nothing here gives a twin a route out of this machine.

pub mod archive;
pub mod authority;
pub mod base;
mod cgroup;
mod error;
pub mod files;
pub mod lab;
pub mod layers;
pub mod mirror;
pub mod network;
pub mod relay;
pub mod requirements;
mod seed;
pub mod server;
pub mod shell;
pub mod sources;
pub mod substitute;
pub mod switch;
pub mod twin;

pub use error::{Error, Result};
pub use lab::{Event, Lab, LabSpec, LinkSpec, SwitchProgram, TwinSpec};
pub use shell::Output;
pub use switch::link::{Flow, Shape};
pub use twin::Twin;
