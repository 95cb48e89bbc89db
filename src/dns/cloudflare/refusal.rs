//! What Cloudflare says when it does not do something.

use std::fmt;

use serde::Deserialize;

use crate::error::{Error, ErrorKind};

/// A call that gave nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// Cloudflare answered and refused: nothing was done.
    Refused(Refusal),
    /// No answer, or none that can be read.
    Silent(Error),
}

/// An envelope without success.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) errors: Vec<ApiError>,
    /// The request's id, by which Cloudflare's support finds it.
    pub(super) ray: Option<String>,
}

/// One of an envelope's errors. Codes go beyond 16 bits: 81,058 is an identical record.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ApiError {
    #[serde(default)]
    pub(super) code: u64,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) source: Option<Source>,
    #[serde(default)]
    pub(super) error_chain: Option<Vec<Self>>,
}

/// Which part of the body an error is about.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Source {
    #[serde(default)]
    pub(super) pointer: Option<String>,
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "code {}: {}", self.code, self.message)?;
        if let Some(pointer) = self.source.as_ref().and_then(|from| from.pointer.as_ref()) {
            write!(formatter, " (at {pointer})")?;
        }
        self.error_chain
            .iter()
            .flatten()
            .try_for_each(|inner| write!(formatter, "; {inner}"))
    }
}

impl Refusal {
    pub(super) fn has(&self, code: u64) -> bool {
        self.errors.iter().any(|error| error.code == code)
    }

    /// Whether the token may not do this: 10000 is the gateway's "Authentication error", 9109 "unauthorized".
    pub(super) fn lacks_permission(&self) -> bool {
        !self.lacks_load_balancing() && (self.status == 403 || self.has(10_000) || self.has(9_109))
    }

    /// Whether the account or zone has no Load Balancing. Cloudflare says so in words: code 1002, which is any failed
    /// validation, "load balancing not enabled for zone", or a monitor's "interval is not in range [0, 0]".
    pub(super) fn lacks_load_balancing(&self) -> bool {
        self.errors.iter().any(|error| {
            let message = error.message.to_ascii_lowercase();
            let words = [
                "not enabled for",
                "not in range [0, 0]",
                "not entitled",
                "no entitlement",
                "requires a subscription",
            ];
            words.iter().any(|words| message.contains(words))
        })
    }

    /// The refusal as a failure of `what`.
    pub(super) fn error(&self, what: impl fmt::Display) -> Error {
        let what = format!("cloudflare refuses to {what} (status {})", self.status);
        let error = Error::new(ErrorKind::Failed, what);
        self.explain(error)
    }

    /// Adds Cloudflare's own words and the request's id.
    pub(super) fn explain(&self, mut error: Error) -> Error {
        for said in &self.errors {
            error = error.cause(said);
        }
        match &self.ray {
            Some(ray) => error.cause(format!("request id {ray}")),
            None => error,
        }
    }
}

impl Failure {
    /// The failure of `what`, a verb and its object: `list pools`.
    pub(super) fn error(self, what: impl fmt::Display) -> Error {
        match self {
            Self::Refused(refusal) => refusal.error(what),
            Self::Silent(error) => error,
        }
    }
}

/// The account has no Load Balancing, which answers by geography need.
pub(super) fn no_load_balancing(said: &Error) -> Error {
    let what = "cloudflare: this account or zone has no Load Balancing, and nothing else of Cloudflare's answers by geography";
    let mut error = Error::new(ErrorKind::Input, what).cause(&said.what);
    for cause in &said.causes {
        error = error.cause(cause);
    }
    error
        .hint("Load Balancing is a paid add-on: enable it in the dashboard under Traffic, Load Balancing, or")
        .hint("write `provider = \"embedded\"` (free, on the regions' own hosts) or `provider = \"route53\"`, or")
        .hint("write `geo = false`, or `provider = \"manual\"`: A and AAAA records alone, and clients choose a region")
}
