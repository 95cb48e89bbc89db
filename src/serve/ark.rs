//! Calls to Volcengine Ark, or to anything that speaks its OpenAI-compatible API.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;
use reqwest::{Client, Response};
use tokio::time::{Instant, timeout_at};

use super::config::Timings;
use super::deadlines::jitter;
use super::error::{ApiError, Code};
use super::model::{Broken, ByteStream};
use super::request::ChatRequest;
use super::request_id::RequestId;
use super::retry::{self, Failure};
use super::upstream_error::{causes, explain, unreachable};
use crate::secrets::Secret;

/// nginx closes its idle connections after 60 s by default; ours go first.
const POOL_IDLE: Duration = Duration::from_secs(55);
const LARGEST_ANSWER: usize = 16 << 20;
const LARGEST_ERROR: usize = 64 << 10;

/// A client with its pool of warm connections.
pub struct Ark {
    client: Client,
    url: String,
    endpoint_id: String,
    headers: HeaderMap,
    timings: Timings,
}

impl Ark {
    /// A client for the API at `url`.
    ///
    /// # Errors
    ///
    /// When the HTTP client cannot be built.
    pub fn new(
        url: &str,
        key: &Secret,
        endpoint_id: &str,
        timings: Timings,
    ) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .connect_timeout(timings.connect)
            .pool_idle_timeout(POOL_IDLE)
            .tcp_keepalive(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        // Configuration admits visible ASCII only, so the key always fits a header.
        if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", key.expose())) {
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        Ok(Self {
            client,
            url: format!("{url}/chat/completions"),
            endpoint_id: endpoint_id.to_owned(),
            headers,
            timings,
        })
    }

    /// What Ark calls the model.
    #[must_use]
    pub fn endpoint_id(&self) -> &str {
        &self.endpoint_id
    }

    pub(super) fn stream(
        &self,
        request: &ChatRequest,
        id: &RequestId,
    ) -> BoxFuture<'static, Result<ByteStream, ApiError>> {
        let call = self.call(request, id);
        let deadline = Instant::now() + self.timings.first_byte;
        async move {
            let response = call?.send(deadline).await?;
            let bytes = response.bytes_stream();
            let stream: ByteStream =
                Box::pin(bytes.map(|read| read.map_err(|error| Broken(without_url(error)))));
            Ok(stream)
        }
        .boxed()
    }

    pub(super) fn complete(
        &self,
        request: &ChatRequest,
        id: &RequestId,
    ) -> BoxFuture<'static, Result<Bytes, ApiError>> {
        let call = self.call(request, id);
        // An unstreamed answer begins only when it is finished, so the whole answer's time applies.
        let deadline = Instant::now() + self.timings.total;
        async move {
            let response = call?.send(deadline).await?;
            read_all(response, deadline, LARGEST_ANSWER).await
        }
        .boxed()
    }

    fn call(&self, request: &ChatRequest, id: &RequestId) -> Result<Call, ApiError> {
        let body = request
            .upstream_body(&self.endpoint_id)
            .map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
        let mut headers = self.headers.clone();
        headers.insert("x-client-request-id", id.header_value());
        let accept = if request.stream {
            "text/event-stream"
        } else {
            "application/json"
        };
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        Ok(Call {
            client: self.client.clone(),
            url: self.url.clone(),
            headers,
            body: Bytes::from(body),
            retry_base: self.timings.retry,
            id: id.clone(),
        })
    }
}

/// One request, repeated while that may help.
struct Call {
    client: Client,
    url: String,
    headers: HeaderMap,
    body: Bytes,
    retry_base: Duration,
    id: RequestId,
}

impl Call {
    /// The answer with its headers, which say success; none of its body has been read.
    async fn send(&self, deadline: Instant) -> Result<Response, ApiError> {
        let mut retries = 0;
        loop {
            let request = self.client.post(&self.url);
            let sending = request
                .headers(self.headers.clone())
                .body(self.body.clone())
                .send();
            let sent = timeout_at(deadline, sending)
                .await
                .map_err(|_| too_slow())?;
            let failure = match &sent {
                Ok(response) if response.status().is_success() => return finish(sent),
                Ok(response) => {
                    Failure::of(response.status(), response.headers(), Timestamp::now())
                }
                Err(error) if error.is_connect() => Failure::Connect,
                Err(_) => Failure::Broken,
            };
            tracing::warn!(
                request_id = self.id.as_str(),
                retries,
                ?failure,
                why = sent.as_ref().err().map(causes),
                "upstream call failed"
            );
            let wait = retry::wait(failure, retries, self.retry_base, jitter());
            match wait.filter(|wait| Instant::now() + *wait < deadline) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(refusal(sent, failure, deadline).await),
            }
            retries += 1;
        }
    }
}

fn finish(sent: Result<Response, reqwest::Error>) -> Result<Response, ApiError> {
    sent.map_err(|error| unreachable(&error))
}

async fn refusal(
    sent: Result<Response, reqwest::Error>,
    failure: Failure,
    deadline: Instant,
) -> ApiError {
    let response = match sent {
        Ok(response) => response,
        Err(error) => return unreachable(&error),
    };
    let Failure::Status {
        status,
        retry_after,
        ..
    } = failure
    else {
        return ApiError::new(Code::UpstreamError, "the model service failed");
    };
    let soon = deadline.min(Instant::now() + Duration::from_secs(5));
    let body = if status == StatusCode::BAD_REQUEST {
        read_all(response, soon, LARGEST_ERROR)
            .await
            .unwrap_or_default()
    } else {
        Bytes::new()
    };
    explain(status, retry_after, &body)
}

async fn read_all(
    mut response: Response,
    deadline: Instant,
    largest: usize,
) -> Result<Bytes, ApiError> {
    let mut all = Vec::new();
    loop {
        let read = timeout_at(deadline, response.chunk())
            .await
            .map_err(|_| too_slow())?;
        match read {
            Ok(Some(chunk)) if all.len() + chunk.len() <= largest => all.extend_from_slice(&chunk),
            Ok(None) => return Ok(Bytes::from(all)),
            Ok(Some(_)) => {
                let message = format!("the model service's answer is over {largest} bytes");
                return Err(ApiError::new(Code::UpstreamError, message));
            }
            Err(_) => {
                let message = "the model service closed before its answer was finished";
                return Err(ApiError::new(Code::UpstreamTruncated, message));
            }
        }
    }
}

fn too_slow() -> ApiError {
    ApiError::new(
        Code::UpstreamTimeout,
        "the model service did not answer in time",
    )
}

fn without_url(error: reqwest::Error) -> String {
    error.without_url().to_string()
}
