//! One turn of a conversation that is kept: what was said before goes to the model, what is said now to the store.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use serde_json::Value;

use super::app::App;
use super::error::{ApiError, Code};
use super::request::ChatRequest;
use super::store::queue::Queue;
use super::store::record::{self, LIMITS_OF_VALUES, can_be_kept, message_id, now};
use super::store::{Conversation, Message, Part, Status, Write};

/// Turns persistence on and names the conversation.
pub(super) const HEADER: &str = "x-session-id";
const LONGEST_SESSION: usize = 64;
/// How many messages a conversation is continued from.
const HISTORY: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// How long a conversation waits for its own earlier messages to reach the store.
pub(super) const SETTLE: Duration = Duration::from_secs(3);

/// A turn that will be kept.
pub(super) struct Turn {
    queue: Arc<Queue>,
    user: String,
    session: String,
    said: Vec<Message>,
    title: String,
    /// Made with the question's, so that an answer sorts right after its question.
    answer_id: String,
}

/// How an answer ended.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Ending {
    pub(super) finish_reason: Option<String>,
    pub(super) usage: Option<Value>,
}

/// Whether `id` can name a conversation: letters, digits, `-`, `_` and `.`, at most 64.
pub(super) fn is_session(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !id.is_empty() && id.len() <= LONGEST_SESSION && id.bytes().all(plain)
}

/// The turn that a request begins, with what was said before put into `chat`; `None` without the header.
///
/// Nothing is kept before [`Turn::accept`].
pub(super) async fn begin(
    app: &App,
    user: &str,
    headers: &HeaderMap,
    chat: &mut ChatRequest,
) -> Result<Option<Turn>, ApiError> {
    let Some(session) = headers.get(HEADER) else {
        return Ok(None);
    };
    let session = session.to_str().unwrap_or_default();
    if !is_session(session) {
        let message = format!(
            "`X-Session-Id` has letters, digits, `-`, `_` and `.`, at most {LONGEST_SESSION}"
        );
        return Err(ApiError::invalid("X-Session-Id", message));
    }
    if app.queue.nearly_full() {
        let message = "too many messages wait for the database; ask again later";
        return Err(ApiError::new(Code::PersistenceBacklog, message));
    }
    let turn = Turn::new(app, user, session, chat);
    if !turn.said.iter().all(|said| can_be_kept(&said.content)) {
        let message = format!("a message's content cannot be kept: {LIMITS_OF_VALUES}");
        return Err(ApiError::invalid("messages", message));
    }
    if !chat.carries_history() {
        continue_from_store(app, user, session, chat).await?;
    }
    Ok(Some(turn))
}

/// Waits until the store has what this process queued, then reads the last messages.
async fn continue_from_store(
    app: &App,
    user: &str,
    session: &str,
    chat: &mut ChatRequest,
) -> Result<(), ApiError> {
    if !app.queue.settled(SETTLE).await {
        return Err(unavailable());
    }
    let read = app.store.messages(user, session, Part::Last(HISTORY)).await;
    let messages = read.map_err(|error| {
        tracing::warn!(%error, "a conversation cannot be read");
        unavailable()
    })?;
    let messages = messages.unwrap_or_default();
    let history: Vec<(&str, &Value)> = messages
        .iter()
        .map(|message| (message.role.as_str(), &message.content))
        .collect();
    chat.insert_history(&history)
        .map_err(|error| ApiError::new(Code::Internal, error.to_string()))
}

pub(super) fn unavailable() -> ApiError {
    let message = "the database does not answer, so the conversation cannot be read";
    ApiError::new(Code::DatabaseUnavailable, message)
}

impl Turn {
    fn new(app: &App, user: &str, session: &str, chat: &ChatRequest) -> Self {
        let at = now();
        let said = chat.said_now().into_iter().map(|(role, content)| Message {
            id: message_id(at),
            user: user.to_owned(),
            session: session.to_owned(),
            created_at: at,
            role,
            content,
            status: Status::Complete,
            finish_reason: None,
            usage: None,
        });
        Self {
            queue: Arc::clone(&app.queue),
            user: user.to_owned(),
            session: session.to_owned(),
            said: said.collect(),
            title: record::title(&chat.last_user_text()),
            answer_id: message_id(at),
        }
    }

    /// Keeps what the user said, now that the model has taken it.
    pub(super) fn accept(&mut self) -> Result<(), ApiError> {
        let at = now();
        let first = self.said.first().map_or(&self.answer_id, |first| &first.id);
        let mut writes = vec![
            Write::User {
                id: self.user.clone(),
                seen_at: at,
            },
            Write::Conversation(Conversation {
                user: self.user.clone(),
                session: self.session.clone(),
                title: std::mem::take(&mut self.title),
                created_at: at,
                updated_at: at,
                first_message: first.clone(),
            }),
        ];
        writes.extend(self.said.drain(..).map(Write::Message));
        self.queue.finish(writes).map_err(|_| {
            let message = "no more messages can wait for the database; ask again later";
            ApiError::new(Code::PersistenceBacklog, message)
        })
    }

    /// Keeps the model's answer.
    pub(super) fn answer(self, text: String, status: Status, ending: Ending) {
        let queue = self.queue;
        let message = Message {
            id: self.answer_id,
            user: self.user,
            session: self.session,
            created_at: now(),
            role: "assistant".to_owned(),
            content: Value::String(text),
            status,
            finish_reason: ending.finish_reason,
            usage: ending.usage,
        };
        if queue.finish(vec![Write::Message(message)]).is_err() {
            queue.lose(1);
            tracing::error!("an answer is lost: no more can wait for the database");
        }
    }
}
