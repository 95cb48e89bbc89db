//! What of the running system is well and what is not. Pure.

pub mod certificates;
pub mod clock;
pub mod database;
