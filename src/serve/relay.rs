//! Carries one answer from the upstream to the client as the response's body.
//!
//! There is no task of its own: the body is pulled by the client's connection, so a slow client slows
//! the upstream, and a client that leaves drops the body, and with it the upstream's connection and
//! the slot.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::chunk::{Meaning, meaning};
use super::config::Timings;
use super::deadlines::{Deadlines, Due, jitter};
use super::error::{ApiError, Code};
use super::metrics::{Metrics, Outcome};
use super::model::{Broken, ByteStream};
use super::recorder::Recorder;
use super::request_id::RequestId;
use super::slots::Slot;
use super::sse::{DONE, HEARTBEAT, Splitter, write_event};

/// The largest event that an upstream may send.
const LARGEST_EVENT: usize = 2 << 20;
/// The longest part of an upstream's own words that is passed on.
const LONGEST_MESSAGE: usize = 300;
/// How long the end of the upstream's body is waited for, so that its connection can be used again.
const TAIL: Duration = Duration::from_secs(2);

/// Where the upstream's bytes come from.
pub(super) enum Upstream {
    /// The call has no status yet.
    Opening(BoxFuture<'static, Result<ByteStream, ApiError>>),
    /// The answer flows.
    Open(ByteStream),
    /// The answer is over.
    Closed,
}

/// What a relay needs to know of its request.
pub(super) struct Terms {
    pub(super) id: RequestId,
    pub(super) include_usage: bool,
    pub(super) started: Instant,
    pub(super) timings: Timings,
    pub(super) expired: CancellationToken,
    pub(super) metrics: Arc<Metrics>,
    /// Where the answer is to be kept.
    pub(super) recorder: Option<Recorder>,
}

struct Relay {
    upstream: Upstream,
    splitter: Splitter,
    deadlines: Deadlines,
    timer: Pin<Box<Sleep>>,
    expired: Pin<Box<WaitForCancellationFutureOwned>>,
    include_usage: bool,
    finished: bool,
    ledger: Ledger,
    recorder: Option<Recorder>,
    _slot: Slot,
}

/// Counts the stream's outcome when the relay is dropped.
struct Ledger {
    id: RequestId,
    metrics: Arc<Metrics>,
    outcome: Option<Outcome>,
}

enum Event {
    Opened,
    Read(Bytes),
    Refused(ApiError),
    Ended(Option<Broken>),
    Deadline,
    Drained,
}

/// The body of a streamed answer. It owns the slot.
pub(super) fn body(upstream: Upstream, terms: Terms, slot: Slot) -> Body {
    let now = Instant::now();
    let deadlines = Deadlines::new(terms.timings, terms.started, now);
    let relay = Relay {
        upstream,
        splitter: Splitter::new(LARGEST_EVENT),
        timer: Box::pin(tokio::time::sleep_until(deadlines.next())),
        deadlines,
        expired: Box::pin(terms.expired.cancelled_owned()),
        include_usage: terms.include_usage,
        finished: false,
        ledger: Ledger {
            id: terms.id,
            metrics: terms.metrics,
            outcome: None,
        },
        recorder: terms.recorder,
        _slot: slot,
    };
    Body::from_stream(stream::unfold(relay, |mut relay| async move {
        let frame = relay.next_frame().await?;
        Some((Ok::<_, Infallible>(frame), relay))
    }))
}

impl Upstream {
    async fn next(&mut self) -> Event {
        match self {
            Self::Opening(opening) => match opening.await {
                Ok(stream) => {
                    *self = Self::Open(stream);
                    Event::Opened
                }
                Err(error) => Event::Refused(error),
            },
            Self::Open(stream) => match stream.next().await {
                Some(Ok(bytes)) => Event::Read(bytes),
                Some(Err(broken)) => Event::Ended(Some(broken)),
                None => Event::Ended(None),
            },
            Self::Closed => Event::Ended(None),
        }
    }
}

impl Relay {
    /// The next bytes for the client; `None` when the answer is over.
    async fn next_frame(&mut self) -> Option<Bytes> {
        while self.ledger.outcome.is_none() {
            let event = tokio::select! {
                biased;
                () = &mut self.expired => Event::Drained,
                event = self.upstream.next() => event,
                () = &mut self.timer => Event::Deadline,
            };
            let mut out = BytesMut::new();
            self.handle(event, &mut out);
            if !out.is_empty() {
                self.deadlines.wrote(Instant::now());
                return Some(out.freeze());
            }
        }
        None
    }

    fn handle(&mut self, event: Event, out: &mut BytesMut) {
        match event {
            Event::Opened => {}
            Event::Read(bytes) => {
                self.deadlines.heard(Instant::now());
                self.splitter.push(&bytes);
                self.pass_payloads(out);
            }
            Event::Ended(broken) => self.end_of_upstream(broken, out),
            Event::Refused(error) => self.fail(&error, out),
            Event::Drained => {
                // Clients that obey `retry` come back spread over a few seconds, not all at once.
                let wait = 500 + Duration::from_secs(3).mul_f64(jitter()).as_millis();
                out.extend_from_slice(format!("retry: {wait}\n").as_bytes());
                self.fail(
                    &ApiError::new(Code::Draining, "the server restarts; ask again"),
                    out,
                );
            }
            Event::Deadline => {
                match self.deadlines.due(Instant::now()) {
                    Due::Nothing => {}
                    Due::Heartbeat => {
                        out.extend_from_slice(HEARTBEAT);
                        self.deadlines.wrote(Instant::now());
                    }
                    Due::Timeout(why) => self.fail(&ApiError::new(Code::UpstreamTimeout, why), out),
                }
                self.timer.as_mut().reset(self.deadlines.next());
            }
        }
    }

    fn pass_payloads(&mut self, out: &mut BytesMut) {
        while self.ledger.outcome.is_none() {
            match self.splitter.next_payload() {
                Ok(Some(payload)) => self.pass(&payload, out),
                Ok(None) => break,
                Err(_) => {
                    let message =
                        format!("the model service sent an event of over {LARGEST_EVENT} bytes");
                    self.fail(&ApiError::new(Code::UpstreamError, message), out);
                }
            }
        }
    }

    fn pass(&mut self, payload: &[u8], out: &mut BytesMut) {
        if let Some(recorder) = &mut self.recorder {
            recorder.heard(payload);
        }
        match meaning(payload) {
            Meaning::Done => self.complete(out),
            Meaning::Usage if !self.include_usage => {}
            Meaning::Error(message) => {
                let words: String = message.chars().take(LONGEST_MESSAGE).collect();
                let message = format!("the model service gave up: {words}");
                self.fail(&ApiError::new(Code::UpstreamError, message), out);
            }
            Meaning::Finish => {
                self.finished = true;
                write_event(out, payload);
            }
            Meaning::Usage | Meaning::Piece => write_event(out, payload),
        }
    }

    fn end_of_upstream(&mut self, broken: Option<Broken>, out: &mut BytesMut) {
        if let Some(last) = self.splitter.finish() {
            self.pass(&last, out);
        }
        if self.ledger.outcome.is_some() {
            return;
        }
        if self.finished {
            self.complete(out);
            return;
        }
        if let Some(Broken(error)) = broken {
            tracing::warn!(
                request_id = self.ledger.id.as_str(),
                error,
                "upstream broke within an answer"
            );
        }
        let message = "the model service closed before its answer was finished";
        self.fail(&ApiError::new(Code::UpstreamTruncated, message), out);
    }

    fn complete(&mut self, out: &mut BytesMut) {
        // The end mark promises that the answer is kept.
        if let Some(recorder) = &mut self.recorder {
            recorder.complete();
        }
        write_event(out, DONE);
        self.ledger.outcome = Some(Outcome::Complete);
        if let Upstream::Open(rest) = std::mem::replace(&mut self.upstream, Upstream::Closed) {
            // A body that is read to its end leaves a warm connection; a new one costs round trips.
            tokio::spawn(tokio::time::timeout(
                TAIL,
                rest.for_each(|_| std::future::ready(())),
            ));
        }
    }

    fn fail(&mut self, error: &ApiError, out: &mut BytesMut) {
        write_event(out, error.body(&self.ledger.id).as_bytes());
        self.ledger.outcome = Some(Outcome::Failed(error.code));
        self.upstream = Upstream::Closed;
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        let outcome = self.outcome.unwrap_or(Outcome::ClientLeft);
        self.metrics.count_stream(outcome);
        tracing::info!(request_id = self.id.as_str(), ?outcome, "stream ended");
    }
}
