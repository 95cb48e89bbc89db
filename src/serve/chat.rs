//! `POST /v1/chat/completions`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, timeout};

use super::app::App;
use super::error::{ApiError, Code};
use super::recorder::Recorder;
use super::relay::{self, Terms, Upstream};
use super::request::ChatRequest;
use super::request_id::RequestId;
use super::slots::{Refused, Slot};
use super::turn::{self, Turn};

/// The largest body.
pub(super) const LARGEST_BODY: usize = 1 << 20;
/// How long a body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(30);

pub(super) async fn chat(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    answer(&app, &id, request)
        .await
        .unwrap_or_else(|error| error.response(&id))
}

async fn answer(app: &Arc<App>, id: &RequestId, request: Request) -> Result<Response, ApiError> {
    let user = app.authenticator.user(request.headers())?;
    if app.lifecycle.closing.is_cancelled() {
        return Err(draining());
    }
    require_json(request.headers())?;
    let headers = request.headers().clone();
    let mut chat = ChatRequest::parse(&read(request).await?)?;
    if !app.model.answers_to(&chat.model) {
        let message = format!(
            "there is no model `{}`; this server has `{}`",
            chat.model,
            app.model.alias()
        );
        let error = ApiError::new(Code::ModelNotFound, message);
        return Err(ApiError {
            param: Some("model".to_owned()),
            ..error
        });
    }
    if chat.stream {
        let slot = app
            .slots
            .acquire(&user)
            .map_err(|refused| refusal(app, refused))?;
        let turn = turn::begin(app, &user, &headers, &mut chat).await?;
        stream(app, id, &chat, slot, turn).await
    } else {
        let _permit = app.unstreamed.try_acquire().map_err(|_| {
            let message = "the server answers as many requests as it may";
            ApiError::new(Code::GlobalRequestLimit, message)
        })?;
        let turn = turn::begin(app, &user, &headers, &mut chat).await?;
        complete(app, id, &chat, turn).await
    }
}

async fn stream(
    app: &Arc<App>,
    id: &RequestId,
    chat: &ChatRequest,
    slot: Slot,
    mut turn: Option<Turn>,
) -> Result<Response, ApiError> {
    let started = Instant::now();
    let mut opening = app.model.stream(chat, id);
    let opened = tokio::select! {
        () = app.lifecycle.expired.cancelled() => return Err(draining()),
        opened = timeout(app.timings.status_wait, &mut opening) => opened,
    };
    let upstream = match opened {
        Ok(stream) => Upstream::Open(stream?),
        Err(_) => Upstream::Opening(opening),
    };
    if let Some(turn) = &mut turn {
        turn.accept()?;
    }
    let terms = Terms {
        id: id.clone(),
        include_usage: chat.include_usage,
        started,
        timings: app.timings,
        expired: app.lifecycle.expired.clone(),
        metrics: Arc::clone(&app.metrics),
        recorder: turn.map(Recorder::new),
    };
    let mut response = Response::new(relay::body(upstream, terms, slot));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-transform"),
    );
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert("x-stream-id", id.header_value());
    Ok(response)
}

async fn complete(
    app: &App,
    id: &RequestId,
    chat: &ChatRequest,
    turn: Option<Turn>,
) -> Result<Response, ApiError> {
    let body = tokio::select! {
        () = app.lifecycle.expired.cancelled() => return Err(draining()),
        body = app.model.complete(chat, id) => body?,
    };
    if let Some(mut turn) = turn {
        turn.accept()?;
        let mut recorder = Recorder::new(turn);
        recorder.heard(&body);
        recorder.complete();
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    Ok((json, Body::from(body)).into_response())
}

fn refusal(app: &App, refused: Refused) -> ApiError {
    let limits = app.slots.limits();
    match refused {
        Refused::User => ApiError::new(
            Code::UserStreamLimit,
            format!(
                "a user may have {} open streams; end one first",
                limits.streams_per_user
            ),
        ),
        Refused::Global => ApiError::new(
            Code::GlobalStreamLimit,
            format!(
                "all {} streams of this server are taken; ask again later",
                limits.streams
            ),
        ),
        Refused::Locks(error) => {
            tracing::error!(%error, "stream slots cannot be locked");
            ApiError::new(Code::Internal, "the server cannot count its streams")
        }
    }
}

pub(super) fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = "send the header `Content-Type: application/json`";
    Err(ApiError::new(Code::UnsupportedMediaType, message))
}

pub(super) async fn read(request: Request) -> Result<Bytes, ApiError> {
    match timeout(BODY_WAIT, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("the body is over {LARGEST_BODY} bytes");
            Err(ApiError::new(Code::BodyTooLarge, message))
        }
        Ok(Err(_)) => Err(ApiError::new(Code::InvalidRequest, "the body ended early")),
        Err(_) => Err(ApiError::new(
            Code::RequestTimeout,
            "the body did not arrive in time",
        )),
    }
}

fn draining() -> ApiError {
    ApiError::new(Code::Draining, "the server restarts; ask again").retry_after(1)
}
