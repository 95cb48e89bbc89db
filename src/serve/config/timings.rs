//! How long things may take.

use std::time::Duration;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Timings {
    /// A comment is sent after this much silence (`HEARTBEAT_INTERVAL`).
    pub heartbeat: Duration,
    /// From SIGTERM until open streams are ended (`DRAIN_TIMEOUT`).
    pub drain: Duration,
    /// After SIGTERM, how long open connections may still bring new requests.
    pub linger: Duration,
    /// How long a stream's status line waits for the upstream's.
    pub status_wait: Duration,
    /// Connecting to the upstream.
    pub connect: Duration,
    /// From the request to the upstream's first byte.
    pub first_byte: Duration,
    /// Between two reads from the upstream.
    pub gap: Duration,
    /// One whole answer.
    pub total: Duration,
    /// The first wait before a retry; the second is twice as long.
    pub retry: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(15),
            drain: Duration::from_secs(30),
            linger: Duration::from_secs(1),
            status_wait: Duration::from_secs(10),
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(120),
            gap: Duration::from_secs(60),
            total: Duration::from_secs(600),
            retry: Duration::from_millis(500),
        }
    }
}
