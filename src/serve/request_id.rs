//! The name of one request in answers, logs and calls to the upstream.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderValue};

/// The header that carries it in and out.
pub const HEADER: &str = "x-request-id";
const LONGEST: usize = 64;

/// A name of letters, digits, `-`, `_` and `.`, unique among processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The caller's own `X-Request-Id` where it is plain, otherwise a new one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|text| is_plain(text))
            .map_or_else(Self::unique, |text| Self(text.to_owned()))
    }

    /// A new name.
    #[must_use]
    pub fn unique() -> Self {
        static PROCESS: OnceLock<u64> = OnceLock::new();
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        // The standard library seeds each process's hasher from the system's random numbers.
        let process = PROCESS.get_or_init(|| RandomState::new().hash_one(std::process::id()));
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        Self(format!("req-{process:016x}-{count:x}"))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a header's value.
    #[must_use]
    pub fn header_value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::{HEADER, RequestId};
    use axum::http::{HeaderMap, HeaderValue};

    #[test]
    fn a_plain_name_is_kept_and_any_other_is_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_static("abc-1.2_3"));
        assert_eq!(RequestId::of(&headers).as_str(), "abc-1.2_3");
        for bad in ["", "a b", "a\"b", &"x".repeat(65)] {
            headers.insert(HEADER, HeaderValue::from_str(bad).unwrap());
            assert!(
                RequestId::of(&headers).as_str().starts_with("req-"),
                "{bad}"
            );
        }
    }

    #[test]
    fn new_names_differ() {
        assert_ne!(RequestId::unique(), RequestId::unique());
    }
}
