//! How far a host's clock is off, as far as the way of a request lets it be seen. Pure.

use jiff::Timestamp;

/// Between which times on the operator's own clock a request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Before it was sent.
    pub before: Timestamp,
    /// When the answer was there.
    pub after: Timestamp,
}

/// How far the host's clock is off for certain, in seconds: what the way of the request may explain is not counted.
pub fn skew((begun, ended): (Timestamp, Timestamp), asked: Asked) -> f64 {
    let seconds = |late: Timestamp, early: Timestamp| late.duration_since(early).as_secs_f64();
    let (least, most) = (seconds(ended, asked.after), seconds(begun, asked.before));
    // Nothing but zero is certain where it lies between the two.
    if least > 0.0 { least } else { most.min(0.0) }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn a_clock_is_off_only_by_what_the_way_of_the_request_cannot_explain() {
        let after: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let before = after - 400.milliseconds();
        let at = |milliseconds: i64| {
            let begun = after + milliseconds.milliseconds();
            skew((begun, begun + 100.milliseconds()), Asked { before, after })
        };
        assert_eq!(at(-400), 0.0);
        assert_eq!(at(-100), 0.0);
        assert!((at(1900) - 2.0).abs() < 1e-6);
        assert!((at(-2400) + 2.0).abs() < 1e-6);
    }
}
