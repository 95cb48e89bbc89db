//! Whether a host's clock may be trusted. Certificates, logins and expiring sessions go by it.

use crate::agent::message::Unmet;
use crate::host::Skew;

/// How far the host's clock may be from the operator's, in milliseconds.
const ALLOWED: i64 = 1_000;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A time server sets it, or it is right by the operator's; or nobody asked.
    Right,
    /// It is off.
    Wrong(Unmet),
    /// The link is too slow to tell; a line that says so.
    Unknown(String),
}

/// Judges a clock; `synchronised` is what the host says of its time server, where it was asked.
pub(super) fn compare(synchronised: Option<bool>, skew: Option<Skew>) -> Verdict {
    let (Some(false), Some(skew)) = (synchronised, skew) else {
        return Verdict::Right;
    };
    if skew.within(ALLOWED) {
        return Verdict::Right;
    }
    let (least, most) = (skew.least, skew.most);
    if !skew.exceeds(ALLOWED) {
        return Verdict::Unknown(format!(
            "cannot tell whether the clock is right: no time server sets it, and it is between {least} and {most} ms \
             ahead of this machine's"
        ));
    }
    let seconds = skew.likeliest().unsigned_abs();
    let direction = if skew.likeliest() > 0 {
        "ahead of"
    } else {
        "behind"
    };
    Verdict::Wrong(Unmet {
        what: "the host's clock is off".to_owned(),
        found: format!(
            "it is {}.{:01} s {direction} this machine's (1 s is allowed), and no time server sets it",
            seconds / 1_000,
            seconds % 1_000 / 100
        ),
        remedy: "on the host: `timedatectl set-ntp true`, then `timedatectl timesync-status`; if this machine's clock is \
                 wrong, set that"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(synchronised: Option<bool>, least: i64, most: i64) -> Verdict {
        compare(synchronised, Some(Skew { least, most }))
    }

    #[test]
    fn a_clock_more_than_a_second_off_is_refused_with_its_figure() {
        let Verdict::Wrong(unmet) = found(Some(false), 1_200, 1_600) else {
            panic!("not refused")
        };
        assert!(unmet.found.starts_with("it is 1.4 s ahead of"), "{unmet:?}");
        let behind = found(Some(false), -90_400, -90_000);
        assert!(matches!(behind, Verdict::Wrong(unmet) if unmet.found.contains("90.2 s behind")));
    }

    #[test]
    fn a_clock_that_a_time_server_sets_or_that_nobody_asked_for_is_right() {
        assert_eq!(found(Some(true), 5_000, 5_100), Verdict::Right);
        assert_eq!(found(None, 5_000, 5_100), Verdict::Right);
        assert_eq!(compare(Some(false), None), Verdict::Right);
        assert_eq!(found(Some(false), -200, 180), Verdict::Right);
    }

    #[test]
    fn a_link_too_slow_to_tell_is_noted() {
        let unknown = found(Some(false), -100, 1_700);
        assert!(
            matches!(unknown, Verdict::Unknown(note) if note.contains("between -100 and 1700 ms"))
        );
    }
}
