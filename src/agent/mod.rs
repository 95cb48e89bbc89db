//! The half that runs on a host: request -> events.

pub mod system;
