//! A user of a region: asks for its health, chats, and opens more streams than one user may.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use reqwest::{Client, ClientBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::error::{Error, ErrorKind};
use crate::inventory::{Model, Region, Setting};

/// Streams that are opened at most in order to reach the limit.
const MOST_STREAMS: u32 = 64;

/// A user of one region.
pub(in crate::commands) struct Visitor<'r> {
    region: &'r Region,
    /// The way to the server, for messages: `through nginx`.
    way: &'static str,
    base: String,
    client: Client,
}

impl<'r> Visitor<'r> {
    /// A user who reaches the region's domain at that address.
    ///
    /// # Errors
    /// When there is no HTTP client to be had.
    pub(in crate::commands) fn new(
        region: &'r Region,
        address: SocketAddr,
        way: &'static str,
    ) -> Result<Self, Error> {
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30));
        Self::over(client, region, address, way)
    }

    /// Likewise, over a client with settings of its own.
    ///
    /// # Errors
    /// As [`Visitor::new`].
    pub(in crate::commands) fn over(
        client: ClientBuilder,
        region: &'r Region,
        address: SocketAddr,
        way: &'static str,
    ) -> Result<Self, Error> {
        let domain = region.domain.as_str();
        let client = client.resolve(domain, address).build().map_err(|error| {
            Error::new(ErrorKind::Failed, "cannot make an HTTP client").cause(error)
        })?;
        let base = match address.port() {
            80 => format!("http://{domain}"),
            443 => format!("https://{domain}"),
            port => format!("http://{domain}:{port}"),
        };
        Ok(Self {
            region,
            way,
            base,
            client,
        })
    }

    fn failed(&self, what: &str) -> Error {
        let name = self.region.name.as_str();
        Error::new(ErrorKind::Failed, format!("{name}: {what}"))
    }

    fn unreached(&self, error: &reqwest::Error) -> Error {
        self.failed(&format!("no answer {}", self.way))
            .source(error)
    }

    /// Asks for `/api/health`, which must be 200 in the guide's form with this region's name.
    ///
    /// # Errors
    /// When it is not.
    pub(in crate::commands) async fn health(&self) -> Result<String, Error> {
        let url = format!("{}/api/health", self.base);
        let unreached = |error| self.unreached(&error);
        let answer = self.client.get(url).send().await.map_err(unreached)?;
        let status = answer.status();
        let body = answer.text().await.map_err(unreached)?;
        if status != StatusCode::OK {
            let error = self.failed(&format!("health answers {status}"));
            return Err(error.cause(body));
        }
        let health: Value = serde_json::from_str(&body).unwrap_or_default();
        let wrong = not_the_guides(&health);
        if !wrong.is_empty() {
            let error = self.failed(&format!("health lacks {}", wrong.join(", ")));
            return Err(error.cause(body));
        }
        let word = |key: &str| health[key].as_str().unwrap_or_default();
        if let Some(expected) = expected_name(self.region)
            && word("region") != expected
        {
            return Err(self.failed(&format!(
                "health is that of {}, not of {expected}",
                word("region")
            )));
        }
        Ok(format!(
            "{status}: {}, region {}, database {}, {} of {} streams",
            word("status"),
            word("region"),
            word("database"),
            health["sse"]["activeGlobal"],
            health["sse"]["maxGlobal"],
        ))
    }

    async fn ask(&self, token: &str, text: &str, delay: Duration) -> Result<Response, Error> {
        let body = json!({
            "model": "echo",
            "stream": true,
            "metadata": { "delay_ms": delay.as_millis().to_string() },
            "messages": [{ "role": "user", "content": text }],
        });
        self.post(token, &body).await
    }

    async fn post(&self, token: &str, body: &Value) -> Result<Response, Error> {
        let url = format!("{}/v1/chat/completions", self.base);
        let request = self.client.post(url).bearer_auth(token).json(body);
        request.send().await.map_err(|error| self.unreached(&error))
    }

    /// Asks whatever model the region has one short question, and leaves when the answer begins: a model costs.
    ///
    /// # Errors
    /// When it is refused, or the stream ends or fails before it begins.
    pub(in crate::commands) async fn first_event(&self, token: &str) -> Result<String, Error> {
        let begun = Instant::now();
        let body = json!({
            "model": match self.region.model {
                Model::Ark { .. } => "ark",
                Model::Echo => "echo",
            },
            "stream": true,
            "max_tokens": 8,
            "messages": [{ "role": "user", "content": "Say hello." }],
        });
        let answer = self.post(token, &body).await?;
        let status = answer.status();
        if !status.is_success() {
            let why = answer.text().await.unwrap_or_default();
            return Err(self
                .failed(&format!("a chat is answered with {status}"))
                .cause(why.trim()));
        }
        let mut stream = answer.bytes_stream();
        let mut received = Vec::new();
        while let Some(part) = stream.next().await {
            received.extend_from_slice(&part.map_err(|error| self.unreached(&error))?);
            let text = String::from_utf8_lossy(&received);
            if let Some(event) = first_payload(&text) {
                let event: Value = serde_json::from_str(event).unwrap_or_default();
                if event["choices"].is_array() {
                    let waited = begun.elapsed().as_millis();
                    return Ok(format!("the first event after {waited} ms"));
                }
                return Err(self.failed("a chat begins with an error").cause(event));
            }
        }
        Err(self.failed("a chat's stream ended before its first event"))
    }

    /// Chats and reads the answer's stream to its end.
    ///
    /// # Errors
    /// When it is refused or does not end as a stream should.
    pub(in crate::commands) async fn chat(&self, token: &str) -> Result<String, Error> {
        let begun = Instant::now();
        let delay = Duration::from_millis(20);
        let answer = self.ask(token, "hello from the other side", delay).await?;
        let answer = answer
            .error_for_status()
            .map_err(|error| self.unreached(&error))?;
        let mut stream = answer.bytes_stream();
        let mut first = None;
        let mut received = Vec::new();
        while let Some(part) = stream.next().await {
            first.get_or_insert_with(|| begun.elapsed());
            received.extend_from_slice(&part.map_err(|error| self.unreached(&error))?);
        }
        let text = String::from_utf8_lossy(&received);
        let events = text.lines().filter(|line| line.starts_with("data: "));
        if !text.contains("data: [DONE]") {
            return Err(self.failed("the stream did not end well"));
        }
        Ok(format!(
            "{} events streamed, the first after {} ms",
            events.count(),
            first.unwrap_or_default().as_millis()
        ))
    }

    /// Opens as many streams as one user may have, and one more, which must be refused with 429.
    ///
    /// # Errors
    /// When one of the former is refused or the last one is not.
    pub(in crate::commands) async fn one_stream_too_many(
        &self,
        token: &str,
    ) -> Result<String, Error> {
        let allowed = self.region.limits.max_sse_per_user;
        if allowed > MOST_STREAMS {
            return Ok(format!("not tried: one user may have {allowed} streams"));
        }
        let long = "word ".repeat(200);
        let slow = Duration::from_millis(200);
        let open = (0..allowed).map(|_| self.ask(token, &long, slow));
        let open: Vec<Response> = join_all(open).await.into_iter().collect::<Result<_, _>>()?;
        if let Some(refused) = open.iter().find(|answer| !answer.status().is_success()) {
            let status = refused.status();
            return Err(self.failed(&format!(
                "one of {allowed} streams that one user may have is refused with {status}"
            )));
        }
        let status = self.ask(token, &long, slow).await?.status();
        if status != StatusCode::TOO_MANY_REQUESTS {
            return Err(self.failed(&format!(
                "stream {} of one user is answered with {status}, not with 429",
                allowed + 1
            )));
        }
        Ok(format!("stream {} of one user: {status}", allowed + 1))
    }
}

/// The payload of the first event that is there whole; comments, which keep a silent stream alive, are none.
fn first_payload(text: &str) -> Option<&str> {
    let whole = &text[..=text.rfind('\n')?];
    whole.lines().find_map(|line| line.strip_prefix("data: "))
}

/// What a region's server calls itself; `None` where only the operator's secret knows.
fn expected_name(region: &Region) -> Option<String> {
    let set = region
        .env
        .iter()
        .find(|(name, _)| name.as_str() == "REGION");
    match set {
        None => Some(region.name.upper_case()),
        Some((_, Setting::Plain(text))) => Some(text.clone()),
        Some((_, Setting::Secret(_))) => None,
    }
}

/// The parts of a healthy answer in the guide's form that this one does not have.
fn not_the_guides(health: &Value) -> Vec<&'static str> {
    let timestamp = health["timestamp"].as_str().unwrap_or_default();
    let parts = [
        ("status: healthy", health["status"] == "healthy"),
        ("region", health["region"].is_string()),
        ("timestamp", timestamp.parse::<jiff::Timestamp>().is_ok()),
        ("database: ok", health["database"] == "ok"),
        ("sse.activeGlobal", health["sse"]["activeGlobal"].is_u64()),
        ("sse.maxGlobal", health["sse"]["maxGlobal"].is_u64()),
    ];
    let missing = parts.into_iter().filter(|(_, there)| !there);
    missing.map(|(name, _)| name).collect()
}
