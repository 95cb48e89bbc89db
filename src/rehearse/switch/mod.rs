//! The switch: frames between the operator, the package mirror and the twins, passed on late and narrow as the
//! real links are.
//!
//! One process with a TAP device for each twin and one for the operator's side. The kernel's own TCP runs on both ends, so
//! slow start, Nagle's rule and delayed acknowledgements cost what they cost between continents.

mod client;
mod control;
mod engine;
mod fabric;
mod frame;
pub mod link;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use client::Client;
pub use control::{Reply, Request};
pub use engine::run;
pub use link::{Counters, Flow, Shape};

/// Somebody that links join: it has a name and addresses of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its name in links and counters.
    pub name: String,
    /// The hardware address that reaches it.
    pub mac: [u8; 6],
    /// Its IPv4 address.
    pub ipv4: Ipv4Addr,
    /// Its IPv6 address.
    pub ipv6: Ipv6Addr,
}

/// One TAP device and who is behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// The device's name, at most 15 letters; the switch makes it, and it goes with the switch.
    pub interface: String,
    /// Who is behind it; several are told apart by their IP addresses.
    pub endpoints: Vec<Endpoint>,
}

/// What one direction between two endpoints is like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirectedLink {
    /// Who sends.
    pub from: String,
    /// Who receives.
    pub to: String,
    /// Delay, bandwidth, queue and loss.
    pub shape: Shape,
}

/// Everything that a switch needs to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SwitchConfig {
    /// The Unix socket that it is controlled by; see [`Request`].
    pub socket: PathBuf,
    /// Its devices.
    pub ports: Vec<Port>,
    /// Its links; endpoints without one are joined without delay.
    pub links: Vec<DirectedLink>,
}

/// What went through one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCounters {
    /// Who sent.
    pub from: String,
    /// Who received.
    pub to: String,
    /// Frames and bytes.
    #[serde(flatten)]
    pub counters: Counters,
    /// The length of the longest chain of messages back and forth, each sent after the one before had arrived, that
    /// ended here. TCP segments with data, openings and closings count; bare acknowledgements do not. Half of it is
    /// the number of round trips.
    pub chain: u64,
}
