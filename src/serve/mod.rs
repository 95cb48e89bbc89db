//! The application server.
pub mod auth;
pub mod collections;
pub mod config;
pub mod error;
pub mod request_id;
pub mod slots;
pub mod sse;
pub mod store;
