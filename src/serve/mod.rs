//! The application server.
pub mod config;
pub mod slots;
