//! Calls to a provider's interface over HTTP: deadlines, and patience with a provider that asks for it.

use std::future::Future;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, StatusCode};
use tokio::time::{Instant, sleep};

use crate::error::{Error, ErrorKind};

/// For one call's answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The largest answer that is read, in bytes.
const LARGEST: usize = 16 << 20;

/// What came back, whatever the status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Reply {
    /// How long the provider asks to wait, where it says so in seconds.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?;
        text.trim().parse().ok().map(Duration::from_secs)
    }
}

/// Whether a call may be sent again after no answer came: reads may, a create may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It only reads, or sets the same state however often it is sent.
    Harmless,
    /// It may have been carried out although no answer came.
    Never,
}

/// A client for one provider.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client() -> Result<Client, Error> {
    Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(Duration::from_secs(10))
        .user_agent(concat!("geodeploy/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| {
            Error::new(ErrorKind::Failed, "no HTTPS client can be made").source(&error)
        })
}

/// Sends a request until it is answered by something other than "slow down", within `deadline` as a whole. `request`
/// builds it anew each time, because a signature holds the time; `throttled` says whether a reply asks for patience.
///
/// # Errors
/// No answer (exit 4 if nothing can have been written), or the provider was still asking for patience at the deadline.
pub async fn send<F, Fut>(
    provider: &str,
    deadline: Instant,
    repeat: Repeat,
    throttled: fn(&Reply) -> bool,
    request: F,
) -> Result<Reply, Error>
where
    F: Fn() -> Fut + Send,
    Fut: Future<Output = Result<RequestBuilder, Error>> + Send,
{
    let mut pause = Duration::from_millis(500);
    loop {
        let outcome = reply(request().await?).await;
        let wait = match &outcome {
            Ok(reply) if throttled(reply) => reply.retry_after().unwrap_or(pause),
            Err(error) if repeat == Repeat::Harmless || error.is_connect() => pause,
            _ => return outcome.map_err(|error| silent(provider, repeat, &error)),
        };
        if Instant::now() + wait > deadline {
            return match outcome {
                Ok(reply) => Err(impatient(provider, &reply, wait)),
                Err(error) => Err(silent(provider, repeat, &error)),
            };
        }
        sleep(wait).await;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}

async fn reply(request: RequestBuilder) -> Result<Reply, reqwest::Error> {
    let mut response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            break;
        }
    }
    Ok(Reply {
        status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn silent(provider: &str, repeat: Repeat, error: &reqwest::Error) -> Error {
    let written = repeat == Repeat::Never && !error.is_connect();
    let kind = if written {
        ErrorKind::Failed
    } else {
        ErrorKind::Unreachable
    };
    // The address may hold what a provider takes in its query; what went wrong is in the sources.
    let mut what = Error::new(kind, format!("{provider} does not answer"));
    let mut source = std::error::Error::source(error);
    if error.is_timeout() {
        what = what.cause(format!("no answer within {} s", TIMEOUT.as_secs()));
    }
    while let Some(cause) = source {
        what = what.cause(cause);
        source = cause.source();
    }
    if written {
        what.hint("it may have carried out the call: `geodeploy dns plan` shows what is there")
    } else {
        what.hint("check this machine's way to it, or `dns.endpoint` where the inventory sets one")
    }
}

fn impatient(provider: &str, reply: &Reply, wait: Duration) -> Error {
    Error::new(
        ErrorKind::Unreachable,
        format!(
            "{provider} asks to slow down (status {})",
            reply.status.as_u16()
        ),
    )
    .cause(format!(
        "it asks for another {} s, which is more than this run has left",
        wait.as_secs()
    ))
    .hint(format!("try again in {} s", wait.as_secs().max(1)))
}
