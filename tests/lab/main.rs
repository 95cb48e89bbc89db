//! Twins boot, are reached over their links, keep what they should and leave nothing behind.
//!
//! As root on a machine that can boot twins; elsewhere each test says what is missing.

#[cfg(test)]
#[path = "../common/lab.rs"]
mod common;
#[cfg(test)]
#[path = "../common/traffic.rs"]
mod traffic;

#[cfg(test)]
mod archive;
#[cfg(test)]
mod boot;
#[cfg(test)]
mod links;
#[cfg(test)]
mod lives;
#[cfg(test)]
mod packages;
