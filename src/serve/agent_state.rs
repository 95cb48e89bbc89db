//! `/api/sessions/{id}/agent-state`: what a user's agents keep for a while, apart from the conversation.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::app::App;
use super::chat::{read as read_body, require_json};
use super::error::{ApiError, Code};
use super::request_id::RequestId;
use super::store::record::{LIMITS_OF_VALUES, can_be_kept, now};
use super::store::{AgentSession, Write};
use super::turn::{SETTLE, is_session, unavailable};

/// A state lives so long after its last save unless the client says otherwise.
const LIFE_SECONDS: i64 = 24 * 60 * 60;
const LONGEST_LIFE_SECONDS: i64 = 30 * LIFE_SECONDS;

/// The body of a save.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Save {
    rev: i64,
    state: Value,
    #[serde(default)]
    expires_in_seconds: Option<i64>,
}

/// `PUT`, with `{rev, state, expiresInSeconds?}`: 202, since agents save often and never wait for the database. A state
/// with a `rev` that is not above the kept one's is ignored then.
pub(super) async fn save(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    Path(session): Path<String>,
    request: Request,
) -> Response {
    let answer = async {
        let user = app.authenticator.user(request.headers())?;
        require_json(request.headers())?;
        if !is_session(&session) {
            return Err(no_state());
        }
        let at = now();
        let state = parse(&read_body(request).await?, user, session, at)?;
        let said = json!({"rev": state.rev, "expiresAt": state.expires_at});
        let write = Write::AgentSession(state, at);
        app.queue.begin(vec![write]).map_err(|_| {
            let message = "too much waits for the database; ask again later";
            ApiError::new(Code::PersistenceBacklog, message)
        })?;
        Ok((StatusCode::ACCEPTED, Json(said)).into_response())
    };
    answer.await.unwrap_or_else(|error| error.response(&id))
}

/// `GET`: the newest state that has not expired, this process's own saves included.
pub(super) async fn read(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let user = app.authenticator.user(&headers)?;
        if !is_session(&session) {
            return Err(no_state());
        }
        if !app.queue.settled(SETTLE).await {
            return Err(unavailable());
        }
        let found = app.store.agent_session(&user, &session, now()).await;
        let state = found.map_err(|error| {
            tracing::warn!(%error, "an agent's state cannot be read");
            unavailable()
        })?;
        let state = state.ok_or_else(no_state)?;
        let body = json!({"rev": state.rev, "state": state.state, "expiresAt": state.expires_at});
        Ok(Json(body).into_response())
    };
    answer.await.unwrap_or_else(|error| error.response(&id))
}

fn parse(
    body: &[u8],
    user: String,
    session: String,
    at: Timestamp,
) -> Result<AgentSession, ApiError> {
    let save: Save = serde_json::from_slice(body).map_err(|error| {
        let message = format!("the body is {{rev, state, expiresInSeconds}}: {error}");
        ApiError::new(Code::InvalidRequest, message)
    })?;
    let life = save.expires_in_seconds.unwrap_or(LIFE_SECONDS);
    if !(1..=LONGEST_LIFE_SECONDS).contains(&life) {
        let message =
            format!("`expiresInSeconds` is a whole number from 1 to {LONGEST_LIFE_SECONDS}");
        return Err(ApiError::invalid("expiresInSeconds", message));
    }
    if !can_be_kept(&save.state) {
        let message = format!("`state` cannot be kept: {LIMITS_OF_VALUES}");
        return Err(ApiError::invalid("state", message));
    }
    Ok(AgentSession {
        user,
        session,
        rev: save.rev,
        state: save.state,
        expires_at: at + SignedDuration::from_secs(life),
    })
}

fn no_state() -> ApiError {
    let message = "you have no agent state under this session, or it has expired";
    ApiError::new(Code::SessionNotFound, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Result<AgentSession, ApiError> {
        parse(
            body.as_bytes(),
            "ann".to_owned(),
            "s".to_owned(),
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn a_state_lives_a_day_unless_it_says_otherwise() {
        let state = parsed(r#"{"rev": 3, "state": {"step": 1}}"#).unwrap();
        assert_eq!((state.rev, state.expires_at.as_second()), (3, 86400));
        let state = parsed(r#"{"rev": 3, "state": null, "expiresInSeconds": 60}"#).unwrap();
        assert_eq!(state.expires_at.as_second(), 60);
    }

    #[test]
    fn a_life_out_of_range_a_missing_rev_a_misspelt_field_and_what_bson_cannot_hold_are_refused() {
        for body in [
            r#"{"rev": 1, "state": {}, "expiresInSeconds": 0}"#,
            r#"{"rev": 1, "state": {}, "expiresInSeconds": 9223372036854775807}"#,
            r#"{"state": {}}"#,
            r#"{"rev": 1, "state": {}, "expires": 1}"#,
            r#"{"rev": 1, "state": [{"n": 9223372036854775808}]}"#,
            r#"{"rev": 1, "state": {"a\u0000b": 1}}"#,
            "rev",
        ] {
            assert_eq!(
                parsed(body).unwrap_err().code,
                Code::InvalidRequest,
                "{body}"
            );
        }
    }
}
