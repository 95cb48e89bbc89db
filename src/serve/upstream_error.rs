//! What an upstream's failure is called towards the client.
//!
//! A refused key or an unknown endpoint is this server's mistake, not the client's, so neither passes
//! through; nor do their texts, which may quote the key.

use std::time::Duration;

use axum::http::StatusCode;
use serde::Deserialize;

use super::error::{ApiError, Code};

#[derive(Deserialize)]
struct Envelope {
    error: Details,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    param: Option<String>,
}

/// The error for a status that is not success.
#[must_use]
pub fn explain(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> ApiError {
    match status.as_u16() {
        400 => rejected(body),
        401 | 403 => ApiError::new(
            Code::UpstreamAuth,
            "the model service refuses this server's key; the operator should check VOLCENGINE_API_KEY",
        ),
        404 => ApiError::new(
            Code::UpstreamConfig,
            "the model service does not know this server's endpoint; the operator should check VOLCENGINE_ENDPOINT_ID and VOLCENGINE_API_URL",
        ),
        429 => {
            let error = ApiError::new(
                Code::UpstreamRateLimited,
                "the model service's rate limit is reached",
            );
            match retry_after {
                Some(wait) => error.retry_after(wait.as_secs().max(1)),
                None => error,
            }
        }
        other => ApiError::new(
            Code::UpstreamError,
            format!("the model service answered {other}"),
        ),
    }
}

/// The error for a call that brought no answer at all.
#[must_use]
pub fn unreachable(error: &reqwest::Error) -> ApiError {
    if error.is_timeout() {
        ApiError::new(
            Code::UpstreamTimeout,
            "the model service could not be reached in time",
        )
    } else if error.is_connect() {
        ApiError::new(
            Code::UpstreamError,
            "the model service could not be reached",
        )
    } else {
        ApiError::new(
            Code::UpstreamError,
            "the connection to the model service broke",
        )
    }
}

/// What lies below a failed call, for the log: a name that was not found, a connection that was refused. The error itself
/// says only where to.
#[must_use]
pub fn causes(error: &reqwest::Error) -> String {
    let first = std::error::Error::source(error);
    let chain = std::iter::successors(first, |error| error.source());
    chain
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn rejected(body: &[u8]) -> ApiError {
    let Ok(Envelope { error }) = serde_json::from_slice(body) else {
        return ApiError::new(
            Code::UpstreamRejected,
            "the model service refused the request",
        );
    };
    let message = error
        .message
        .unwrap_or_else(|| "the model service refused the request".to_owned());
    ApiError {
        param: error.param,
        upstream: Some((error.code, error.r#type)),
        ..ApiError::new(Code::UpstreamRejected, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_log_says_why_a_connection_was_not_made() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", free.local_addr().unwrap());
        drop(free);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let error = client.get(url).send().await.unwrap_err();
        assert!(
            causes(&error).contains("Connection refused"),
            "{}",
            causes(&error)
        );
    }
}
