//! `/api/sessions`: a user's own conversations.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::app::App;
use super::error::{ApiError, Code};
use super::request_id::RequestId;
use super::store::{Conversation, Message, Part, StoreError, Write};
use super::turn::{SETTLE, is_session, unavailable};

const DEFAULT_LIMIT: u32 = 50;
const LARGEST_LIMIT: u32 = 200;
/// How long a deletion is waited for before it is only said to be accepted.
const DELETE_WAIT: Duration = Duration::from_secs(5);

type Options = Query<BTreeMap<String, String>>;

/// `GET /api/sessions?before&limit`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    Query(options): Options,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let user = app.authenticator.user(&headers)?;
        let limit = limit(&options)?;
        let before = before(&options)?;
        app.queue.settled(SETTLE).await;
        let found = app.store.conversations(&user, before, more(limit)).await;
        let page = found.map_err(unreadable)?;
        Ok(page_of(page, limit, conversation_json))
    };
    respond(answer.await, &id)
}

/// `GET /api/sessions/{id}/messages?after&limit`.
pub(super) async fn messages(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    Path(session): Path<String>,
    Query(options): Options,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let user = app.authenticator.user(&headers)?;
        let limit = limit(&options)?;
        let after = options.get("after").cloned();
        if after.as_deref().is_some_and(|after| !is_session(after)) {
            return Err(ApiError::invalid("after", "`after` is a message's id"));
        }
        known(&session)?;
        app.queue.settled(SETTLE).await;
        let part = Part::After(after, more(limit));
        let found = app.store.messages(&user, &session, part).await;
        let page = found.map_err(unreadable)?.ok_or_else(no_such_session)?;
        Ok(page_of(page, limit, message_json))
    };
    respond(answer.await, &id)
}

/// `DELETE /api/sessions/{id}`: 204, or 202 while the database does not confirm it.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let user = app.authenticator.user(&headers)?;
        known(&session)?;
        app.queue.settled(SETTLE).await;
        let part = Part::Last(NonZeroU32::MIN);
        let found = app.store.messages(&user, &session, part).await;
        found.map_err(unreadable)?.ok_or_else(no_such_session)?;
        let delete = Write::Delete { user, session };
        app.queue.begin(vec![delete]).map_err(|_| unavailable())?;
        Ok(if app.queue.settled(DELETE_WAIT).await {
            StatusCode::NO_CONTENT.into_response()
        } else {
            StatusCode::ACCEPTED.into_response()
        })
    };
    respond(answer.await, &id)
}

fn respond(answer: Result<Response, ApiError>, id: &RequestId) -> Response {
    answer.unwrap_or_else(|error| error.response(id))
}

fn unreadable(error: StoreError) -> ApiError {
    tracing::warn!(%error, "a conversation cannot be read");
    unavailable()
}

fn no_such_session() -> ApiError {
    ApiError::new(Code::SessionNotFound, "you have no such conversation")
}

fn known(session: &str) -> Result<(), ApiError> {
    if is_session(session) {
        Ok(())
    } else {
        Err(no_such_session())
    }
}

fn limit(options: &BTreeMap<String, String>) -> Result<u32, ApiError> {
    let Some(text) = options.get("limit") else {
        return Ok(DEFAULT_LIMIT);
    };
    let number = text.parse().ok();
    number
        .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
        .ok_or_else(|| {
            let message = format!("`limit` is a whole number from 1 to {LARGEST_LIMIT}");
            ApiError::invalid("limit", message)
        })
}

fn before(options: &BTreeMap<String, String>) -> Result<Option<Timestamp>, ApiError> {
    let parsed = options.get("before").map(|text| text.parse()).transpose();
    parsed.map_err(|_| {
        let message =
            "`before` is an `updatedAt` of the list, for example 2026-01-02T03:04:05.678Z";
        ApiError::invalid("before", message)
    })
}

/// One more than the page holds, to know whether there is another page.
fn more(limit: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(limit)
}

fn page_of<T>(mut found: Vec<T>, limit: u32, show: fn(T) -> Value) -> Response {
    let has_more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let data: Vec<Value> = found.into_iter().map(show).collect();
    Json(json!({"object": "list", "data": data, "hasMore": has_more})).into_response()
}

fn conversation_json(conversation: Conversation) -> Value {
    json!({
        "id": conversation.session,
        "title": conversation.title,
        "createdAt": conversation.created_at,
        "updatedAt": conversation.updated_at,
    })
}

fn message_json(message: Message) -> Value {
    json!({
        "id": message.id,
        "role": message.role,
        "content": message.content,
        "status": message.status,
        "finishReason": message.finish_reason,
        "usage": message.usage,
        "createdAt": message.created_at,
    })
}
