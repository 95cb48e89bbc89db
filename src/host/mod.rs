//! A host as the operator reaches it: one connection, requests in, events out.

mod binary;
mod channel;
mod clock;
mod configuration;
mod destination;
mod known_hosts;
mod local;
mod openssh;
mod session;
mod shell;
mod transport;

pub use binary::HostBinary;
pub use channel::{Channel, End, Input};
pub use clock::Skew;
pub use configuration::{Configuration, configuration, write_configuration};
pub use destination::{Destination, Jump};
pub use known_hosts::{Learned, learn};
pub use local::Local;
pub use openssh::OpenSsh;
pub use session::{Caller, Reply, Session};
pub use transport::{Transport, Transports};
