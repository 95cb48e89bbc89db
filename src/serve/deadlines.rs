//! What silence means in a stream, and when: one clock for heartbeats and for every limit.

use std::time::Duration;

use tokio::time::Instant;

use super::config::Timings;

/// When a stream last heard from its upstream and last wrote to its client.
#[derive(Debug)]
pub struct Deadlines {
    timings: Timings,
    started: Instant,
    heard: Option<Instant>,
    wrote: Instant,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing; look again at the next deadline.
    Nothing,
    /// The client has heard nothing for a heartbeat's time.
    Heartbeat,
    /// The upstream was silent for too long; the text says which limit it met.
    Timeout(&'static str),
}

impl Deadlines {
    /// A stream whose request left at `started` and whose client was answered at `now`.
    #[must_use]
    pub fn new(timings: Timings, started: Instant, now: Instant) -> Self {
        Self {
            timings,
            started,
            heard: None,
            wrote: now,
        }
    }

    /// Notes bytes from the upstream.
    pub fn heard(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    /// Notes bytes to the client.
    pub fn wrote(&mut self, now: Instant) {
        self.wrote = now;
    }

    /// The next moment at which something may be due.
    #[must_use]
    pub fn next(&self) -> Instant {
        let silence = self.silence();
        (self.wrote + self.timings.heartbeat)
            .min(silence.0)
            .min(self.started + self.timings.total)
    }

    /// What is due at `now`.
    #[must_use]
    pub fn due(&self, now: Instant) -> Due {
        let (silent_until, why) = self.silence();
        if now >= self.started + self.timings.total {
            Due::Timeout("the answer took longer than one answer may")
        } else if now >= silent_until {
            Due::Timeout(why)
        } else if now >= self.wrote + self.timings.heartbeat {
            Due::Heartbeat
        } else {
            Due::Nothing
        }
    }

    fn silence(&self) -> (Instant, &'static str) {
        match self.heard {
            None => (
                self.started + self.timings.first_byte,
                "the model service did not begin to answer in time",
            ),
            Some(heard) => (
                heard + self.timings.gap,
                "the model service fell silent within its answer",
            ),
        }
    }
}

/// A number from 0 to 1 that differs from call to call, to spread waits. Not a secret.
#[must_use]
pub fn jitter() -> f64 {
    let elapsed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    f64::from(elapsed.subsec_nanos() % 10_007) / 10_007.0
}

#[cfg(test)]
mod tests {
    use super::{Deadlines, Due, Timings};
    use std::time::Duration;
    use tokio::time::Instant;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn heartbeats_follow_silence_towards_the_client_even_before_the_first_byte() {
        let start = Instant::now();
        let mut deadlines = Deadlines::new(Timings::default(), start, start);
        assert_eq!(deadlines.next(), start + seconds(15));
        assert_eq!(deadlines.due(start + seconds(14)), Due::Nothing);
        assert_eq!(deadlines.due(start + seconds(15)), Due::Heartbeat);
        deadlines.wrote(start + seconds(15));
        assert_eq!(deadlines.next(), start + seconds(30));
    }

    #[test]
    fn the_first_byte_the_gap_and_the_whole_have_their_own_limits() {
        let start = Instant::now();
        let mut deadlines = Deadlines::new(Timings::default(), start, start);
        assert!(
            matches!(deadlines.due(start + seconds(120)), Due::Timeout(why) if why.contains("begin"))
        );
        deadlines.heard(start + seconds(100));
        deadlines.wrote(start + seconds(155));
        assert_eq!(deadlines.due(start + seconds(159)), Due::Nothing);
        assert!(
            matches!(deadlines.due(start + seconds(160)), Due::Timeout(why) if why.contains("silent"))
        );
        deadlines.heard(start + seconds(599));
        assert!(
            matches!(deadlines.due(start + seconds(600)), Due::Timeout(why) if why.contains("longer"))
        );
    }
}
