//! The half that runs on a host: request -> events.

#[cfg(test)]
pub mod fixture;
pub mod machine;
pub mod system;
