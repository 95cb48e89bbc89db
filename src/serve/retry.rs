//! When a failed call to the upstream is worth repeating, and when it is the client's turn.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;

/// Calls after the first.
pub const MOST_RETRIES: u32 = 2;
/// A wait longer than this is passed on to the client instead.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// A call that brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection was made, so the upstream saw nothing.
    Connect,
    /// The connection broke after the request was sent; it may have been acted on.
    Broken,
    /// A status that is not success.
    Status {
        /// The upstream's status.
        status: StatusCode,
        /// Its `Retry-After`.
        retry_after: Option<Duration>,
        /// Its `x-should-retry`, which overrides what the status says.
        should_retry: Option<bool>,
    },
}

impl Failure {
    /// Reads an answer that is not success.
    #[must_use]
    pub fn of(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let should_retry = match text("x-should-retry") {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        let retry_after =
            text(header::RETRY_AFTER.as_str()).and_then(|text| parse_retry_after(text, now));
        Self::Status {
            status,
            retry_after,
            should_retry,
        }
    }
}

/// How long to wait before the next call, or `None` to give up.
///
/// `retries` is the number of repeats so far; `jitter`, from 0 to 1, spreads the waits of many
/// clients over the second half of each.
#[must_use]
pub fn wait(failure: Failure, retries: u32, base: Duration, jitter: f64) -> Option<Duration> {
    if retries >= MOST_RETRIES {
        return None;
    }
    let backoff = (base * 2_u32.pow(retries)).min(LONGEST_WAIT);
    let backoff = backoff.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
    match failure {
        Failure::Connect => Some(backoff),
        Failure::Broken => None,
        Failure::Status {
            status,
            retry_after,
            should_retry,
        } => {
            let by_status = matches!(status.as_u16(), 408 | 409 | 429) || status.is_server_error();
            let asked = retry_after.unwrap_or(backoff);
            (should_retry.unwrap_or(by_status) && asked <= LONGEST_WAIT).then_some(asked)
        }
    }
}

/// Seconds, or an HTTP date (RFC 9110 section 10.2.3).
fn parse_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::{Failure, wait};
    use axum::http::{HeaderMap, HeaderValue, StatusCode};
    use jiff::Timestamp;
    use std::time::Duration;

    const BASE: Duration = Duration::from_millis(500);

    fn status(status: u16, headers: &[(&'static str, &'static str)]) -> Failure {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect();
        let now = "2024-12-01T00:00:00Z".parse::<Timestamp>().unwrap();
        Failure::of(StatusCode::from_u16(status).unwrap(), &headers, now)
    }

    #[test]
    fn waits_double_and_end_after_two_repeats() {
        assert_eq!(wait(Failure::Connect, 0, BASE, 1.0), Some(BASE));
        assert_eq!(wait(Failure::Connect, 1, BASE, 1.0), Some(BASE * 2));
        assert_eq!(wait(Failure::Connect, 0, BASE, 0.0), Some(BASE / 2));
        assert_eq!(wait(Failure::Connect, 2, BASE, 1.0), None);
    }

    #[test]
    fn only_what_may_pass_is_repeated() {
        for code in [408, 409, 429, 500, 502, 503, 504] {
            assert!(wait(status(code, &[]), 0, BASE, 0.5).is_some(), "{code}");
        }
        for code in [400, 401, 403, 404, 413, 422] {
            assert!(wait(status(code, &[]), 0, BASE, 0.5).is_none(), "{code}");
        }
        assert_eq!(wait(Failure::Broken, 0, BASE, 0.5), None);
    }

    #[test]
    fn the_upstreams_own_word_counts() {
        let no = status(500, &[("x-should-retry", "false")]);
        assert_eq!(wait(no, 0, BASE, 0.5), None);
        let yes = status(400, &[("x-should-retry", "true")]);
        assert!(wait(yes, 0, BASE, 0.5).is_some());
        let seconds = status(429, &[("retry-after", "3")]);
        assert_eq!(wait(seconds, 0, BASE, 0.5), Some(Duration::from_secs(3)));
        let date = status(503, &[("retry-after", "Sun, 01 Dec 2024 00:00:05 GMT")]);
        assert_eq!(wait(date, 0, BASE, 0.5), Some(Duration::from_secs(5)));
        let past = status(503, &[("retry-after", "Sat, 30 Nov 2024 00:00:00 GMT")]);
        assert_eq!(wait(past, 0, BASE, 0.5), Some(Duration::ZERO));
    }

    #[test]
    fn a_long_wait_is_left_to_the_client() {
        assert_eq!(
            wait(status(429, &[("retry-after", "60")]), 0, BASE, 0.5),
            None
        );
    }
}
