//! What the API says when it cannot do what was asked.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::request_id::RequestId;

/// Every refusal and failure the API can answer with; it decides status and type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The body is not a chat request.
    InvalidRequest,
    /// The upstream found the request wrong.
    UpstreamRejected,
    /// There is no bearer token.
    MissingToken,
    /// The token is malformed or its signature is wrong.
    InvalidToken,
    /// The token's time is over.
    ExpiredToken,
    /// No such route.
    NotFound,
    /// No such model.
    ModelNotFound,
    /// The user has no such conversation.
    SessionNotFound,
    /// The route exists for another method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body is over 1 MiB.
    BodyTooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// The user has as many streams as one user may.
    UserStreamLimit,
    /// The upstream's own limit is reached.
    UpstreamRateLimited,
    /// The upstream does not accept our key.
    UpstreamAuth,
    /// The upstream does not know our endpoint.
    UpstreamConfig,
    /// The upstream failed or could not be reached.
    UpstreamError,
    /// The upstream closed before the answer was finished.
    UpstreamTruncated,
    /// The upstream took too long.
    UpstreamTimeout,
    /// The server has as many streams as it may.
    GlobalStreamLimit,
    /// The server answers as many unstreamed requests as it may.
    GlobalRequestLimit,
    /// The server is about to end.
    Draining,
    /// A conversation cannot be read, so it cannot be continued or shown.
    DatabaseUnavailable,
    /// Too much waits for the database.
    PersistenceBacklog,
    /// Our own fault.
    Internal,
}

impl Code {
    /// All codes, for metrics.
    pub const ALL: [Self; 25] = [
        Self::InvalidRequest,
        Self::UpstreamRejected,
        Self::MissingToken,
        Self::InvalidToken,
        Self::ExpiredToken,
        Self::NotFound,
        Self::ModelNotFound,
        Self::SessionNotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::UserStreamLimit,
        Self::UpstreamRateLimited,
        Self::UpstreamAuth,
        Self::UpstreamConfig,
        Self::UpstreamError,
        Self::UpstreamTruncated,
        Self::UpstreamTimeout,
        Self::GlobalStreamLimit,
        Self::GlobalRequestLimit,
        Self::Draining,
        Self::DatabaseUnavailable,
        Self::PersistenceBacklog,
        Self::Internal,
    ];

    /// The HTTP status and the code's name.
    #[must_use]
    pub fn status_and_name(self) -> (StatusCode, &'static str) {
        match self {
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::UpstreamRejected => (StatusCode::BAD_REQUEST, "upstream_rejected"),
            Self::MissingToken => (StatusCode::UNAUTHORIZED, "missing_token"),
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, "invalid_token"),
            Self::ExpiredToken => (StatusCode::UNAUTHORIZED, "expired_token"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::ModelNotFound => (StatusCode::NOT_FOUND, "model_not_found"),
            Self::SessionNotFound => (StatusCode::NOT_FOUND, "session_not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "request_timeout"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            Self::UserStreamLimit => (StatusCode::TOO_MANY_REQUESTS, "user_stream_limit"),
            Self::UpstreamRateLimited => (StatusCode::TOO_MANY_REQUESTS, "upstream_rate_limited"),
            Self::UpstreamAuth => (StatusCode::BAD_GATEWAY, "upstream_auth"),
            Self::UpstreamConfig => (StatusCode::BAD_GATEWAY, "upstream_config"),
            Self::UpstreamError => (StatusCode::BAD_GATEWAY, "upstream_error"),
            Self::UpstreamTruncated => (StatusCode::BAD_GATEWAY, "upstream_truncated"),
            Self::UpstreamTimeout => (StatusCode::GATEWAY_TIMEOUT, "upstream_timeout"),
            Self::GlobalStreamLimit => (StatusCode::SERVICE_UNAVAILABLE, "global_stream_limit"),
            Self::GlobalRequestLimit => (StatusCode::SERVICE_UNAVAILABLE, "global_request_limit"),
            Self::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
            Self::DatabaseUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "database_unavailable"),
            Self::PersistenceBacklog => (StatusCode::SERVICE_UNAVAILABLE, "persistence_backlog"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        }
    }

    /// The code's name, as clients and metrics see it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.status_and_name().1
    }

    fn kind(self) -> &'static str {
        match self.status_and_name().0.as_u16() {
            401 => "authentication_error",
            429 => "rate_limit_error",
            400..=499 => "invalid_request_error",
            _ => "server_error",
        }
    }
}

/// One refusal or failure, in OpenAI's envelope.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// What kind of failure it is.
    pub code: Code,
    /// A sentence for the developer who reads the answer.
    pub message: String,
    /// The field of the request that is wrong.
    pub param: Option<String>,
    /// Seconds after which it is worth to ask again.
    pub retry_after: Option<u64>,
    /// The upstream's own code and type, where they are passed through.
    pub upstream: Option<(Option<String>, Option<String>)>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    message: &'a str,
    r#type: &'a str,
    code: &'a str,
    param: Option<&'a str>,
    request_id: &'a str,
}

impl ApiError {
    /// An error with nothing but its code and a sentence. 429 and 503 get a `Retry-After`.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let retry_after = matches!(code.status_and_name().0.as_u16(), 429 | 503).then_some(5);
        Self {
            code,
            message: message.into(),
            param: None,
            retry_after,
            upstream: None,
        }
    }

    /// A 400 about one field.
    pub fn invalid(param: &str, message: impl Into<String>) -> Self {
        Self {
            param: Some(param.to_owned()),
            ..Self::new(Code::InvalidRequest, message)
        }
    }

    /// The same error with another `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// The JSON body.
    #[must_use]
    pub fn body(&self, request_id: &RequestId) -> String {
        let (code, kind) = self.upstream.as_ref().map_or((None, None), |(code, kind)| {
            (code.as_deref(), kind.as_deref())
        });
        let envelope = Envelope {
            error: Details {
                message: &self.message,
                r#type: kind.unwrap_or_else(|| self.code.kind()),
                code: code.unwrap_or_else(|| self.code.name()),
                param: self.param.as_deref(),
                request_id: request_id.as_str(),
            },
        };
        serde_json::to_string(&envelope).unwrap_or_default()
    }

    /// The whole answer.
    #[must_use]
    pub fn response(&self, request_id: &RequestId) -> Response {
        let status = self.code.status_and_name().0;
        let mut response = Response::new(Body::from(self.body(request_id)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.code == Code::UserStreamLimit {
            // The official SDKs would otherwise repeat a request that only the user can make room for.
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        response.extensions_mut().insert(self.code);
        response
    }
}
