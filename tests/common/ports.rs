//! Ports for servers that are started a moment later.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// The kernel gives those from 32768 on to outgoing connections (`net.ipv4.ip_local_port_range`), which would take one
/// that was found free.
const RANGE: std::ops::Range<u32> = 10_000..32_000;

/// Apart, so that test programs with neighbouring ids look elsewhere.
const STRIDE: u32 = 97;

/// A port of loopback on which nobody listens; in this process it is given out once.
pub(crate) fn free() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id() * STRIDE + GIVEN.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(RANGE.start + number % (RANGE.end - RANGE.start)).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
