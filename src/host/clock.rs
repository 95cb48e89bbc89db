//! The host's clock against the operator's, as a request's round trip shows it.

use jiff::Timestamp;

/// By how much the host's clock is ahead of the operator's, in milliseconds: somewhere between two bounds, whose distance
/// is the time that the answer took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// At least.
    pub least: i64,
    /// At most.
    pub most: i64,
}

impl Skew {
    /// From the host's time, read between two of the operator's.
    pub(super) fn between(sent: Timestamp, host: i64, received: Timestamp) -> Self {
        Self {
            least: host - received.as_millisecond(),
            most: host - sent.as_millisecond(),
        }
    }

    /// In the middle of the two: the way there and the way back are taken as equally long.
    pub fn likeliest(self) -> i64 {
        i64::midpoint(self.least, self.most)
    }

    /// Whether the clocks are further apart than that, however the time was spread over the ways.
    pub fn exceeds(self, milliseconds: i64) -> bool {
        self.least > milliseconds || self.most < -milliseconds
    }

    /// Whether they are no further apart than that for certain.
    pub fn within(self, milliseconds: i64) -> bool {
        self.least >= -milliseconds && self.most <= milliseconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn the_way_there_and_back_bounds_what_can_be_said() {
        // 400 ms of round trip, the host 1,300 ms ahead.
        let skew = Skew::between(at(10_000), 11_500, at(10_400));
        assert_eq!(
            (skew.least, skew.most, skew.likeliest()),
            (1_100, 1_500, 1_300)
        );
        assert!(skew.exceeds(1_000) && !skew.exceeds(1_200) && !skew.within(1_400));
        let behind = Skew::between(at(10_000), 8_900, at(10_050));
        assert!(behind.exceeds(1_000), "{behind:?}");
        let near = Skew::between(at(10_000), 10_180, at(10_360));
        assert!(near.within(1_000) && near.likeliest() == 0);
    }
}
