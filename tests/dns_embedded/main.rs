//! The embedded provider on loopback: the very files that a host gets, read by Debian's gdnsd and asked by dig, with
//! health that the test gives and takes.

#[path = "../common/subnets.rs"]
mod subnets;

mod answers;
mod failover;
mod server;
mod table;
