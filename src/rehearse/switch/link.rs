//! One direction of a link: when a frame that enters now comes out, or whether it is lost. Pure: time is an argument.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What a direction of a link is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shape {
    /// How long a frame travels, one way: half a round trip.
    pub delay: Duration,
    /// Bits that enter the wire in a second, Ethernet headers included; none is as fast as the machine.
    pub bits_per_second: Option<u64>,
    /// Bytes that may wait for the wire; a frame that finds them waiting is dropped. Without it, 200 ms of the
    /// bandwidth and at least 64 KiB: about what a provider's shaper holds.
    pub queue_bytes: Option<u64>,
    /// The share of frames that are lost, 0 to 1.
    pub loss: f64,
}

impl Shape {
    /// Half of a round trip each way, and a bandwidth in megabits a second.
    pub fn new(round_trip: Duration, megabits: Option<f64>) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "bandwidths are far below 2^53 bit/s"
        )]
        let bits = megabits.map(|megabits| (megabits * 1e6).max(1.0) as u64);
        Self {
            delay: round_trip / 2,
            bits_per_second: bits,
            ..Self::default()
        }
    }

    fn queue(&self, bits_per_second: u64) -> u64 {
        self.queue_bytes
            .unwrap_or_else(|| (bits_per_second / 8 / 5).max(64 << 10))
    }
}

/// Whether frames flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flow {
    /// They do.
    #[default]
    Open,
    /// Everything is lost, in flight too: a cut cable.
    Cut,
    /// Everything waits and comes out, in order, when the flow is open again: a stalled path.
    Stalled,
}

/// What becomes of a frame that enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It comes out now.
    Now,
    /// It comes out at this time.
    At(Instant),
    /// It is lost.
    Lost,
    /// The queue is full.
    Dropped,
}

/// What went through a direction of a link since the last reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Frames that came out at the other side.
    pub frames: u64,
    /// Their bytes, Ethernet headers included.
    pub bytes: u64,
    /// Frames that found the queue full.
    pub dropped: u64,
    /// Frames lost by chance or by a cut.
    pub lost: u64,
}

/// The state of one direction.
#[derive(Debug)]
pub struct Link {
    /// What it is like now.
    pub shape: Shape,
    /// Whether frames flow.
    pub flow: Flow,
    /// What went through.
    pub counters: Counters,
    wire_free: Instant,
    last_out: Instant,
    chance: u64,
}

impl Link {
    /// An idle link. Equal seeds lose the same frames.
    pub fn new(shape: Shape, seed: u64, now: Instant) -> Self {
        Self {
            shape,
            flow: Flow::Open,
            counters: Counters::default(),
            wire_free: now,
            last_out: now,
            chance: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    /// A number of 0 to 1 (xorshift64: chance for frames, not for keys).
    fn draw(&mut self) -> f64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        #[expect(clippy::cast_precision_loss, reason = "53 bits are kept")]
        let share = (self.chance >> 11) as f64 / (1u64 << 53) as f64;
        share
    }

    /// A frame of so many bytes enters now.
    pub fn enter(&mut self, bytes: usize, now: Instant) -> Fate {
        if self.flow == Flow::Cut || (self.shape.loss > 0.0 && self.draw() < self.shape.loss) {
            self.counters.lost += 1;
            return Fate::Lost;
        }
        let mut out = now;
        if let Some(rate) = self.shape.bits_per_second {
            let start = self.wire_free.max(now);
            let waiting = (start - now).as_nanos() * u128::from(rate) / 8_000_000_000;
            if waiting > u128::from(self.shape.queue(rate)) {
                self.counters.dropped += 1;
                return Fate::Dropped;
            }
            let nanoseconds = bytes as u128 * 8_000_000_000 / u128::from(rate.max(1));
            self.wire_free =
                start + Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
            out = self.wire_free;
        }
        // A frame never overtakes an earlier one, even where the delay was just made shorter.
        out = (out + self.shape.delay).max(self.last_out);
        if out <= now {
            return Fate::Now;
        }
        self.last_out = out;
        Fate::At(out)
    }

    /// A frame has come out at the other side.
    pub fn leave(&mut self, bytes: usize) {
        self.counters.frames += 1;
        self.counters.bytes += bytes as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn link(shape: Shape) -> (Link, Instant) {
        let now = Instant::now();
        (Link::new(shape, 7, now), now)
    }

    #[test]
    fn a_frame_travels_half_a_round_trip() {
        let (mut link, now) = link(Shape::new(180 * MS, None));
        assert_eq!(link.enter(1000, now), Fate::At(now + 90 * MS));
    }

    #[test]
    fn an_unshaped_link_passes_frames_at_once() {
        let (mut link, now) = link(Shape::default());
        assert_eq!(link.enter(1514, now), Fate::Now);
        assert_eq!(link.enter(1514, now), Fate::Now);
    }

    #[test]
    fn frames_follow_each_other_at_the_wires_speed() {
        let (mut link, now) = link(Shape::new(Duration::ZERO, Some(8.0)));
        assert_eq!(link.enter(1000, now), Fate::At(now + MS));
        assert_eq!(link.enter(1000, now), Fate::At(now + 2 * MS));
        assert_eq!(link.enter(1000, now + 10 * MS), Fate::At(now + 11 * MS));
    }

    #[test]
    fn a_full_queue_drops_and_empties_with_time() {
        let (mut link, now) = link(Shape {
            queue_bytes: Some(2000),
            ..Shape::new(Duration::ZERO, Some(8.0))
        });
        let fates: Vec<_> = (0..5).map(|_| link.enter(1000, now)).collect();
        assert_eq!(fates[3..], [Fate::Dropped, Fate::Dropped]);
        assert_eq!(link.counters.dropped, 2);
        assert_eq!(link.enter(1000, now + 3 * MS), Fate::At(now + 4 * MS));
    }

    #[test]
    fn a_shorter_delay_does_not_reorder() {
        let (mut link, now) = link(Shape::new(180 * MS, None));
        link.enter(100, now);
        link.shape.delay = Duration::ZERO;
        assert_eq!(link.enter(100, now + MS), Fate::At(now + 90 * MS));
        assert_eq!(link.enter(100, now + 91 * MS), Fate::Now);
    }

    #[test]
    fn loss_is_a_share_and_a_cut_loses_all() {
        let (mut link, now) = link(Shape {
            loss: 0.1,
            ..Shape::default()
        });
        let lost = (0..10_000)
            .filter(|_| link.enter(100, now) == Fate::Lost)
            .count();
        assert!((850..1150).contains(&lost), "{lost}");
        link.flow = Flow::Cut;
        assert_eq!(link.enter(100, now), Fate::Lost);
    }
}
