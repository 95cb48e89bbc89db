//! Documents and the records that they hold.

use jiff::Timestamp;
use mongodb::bson::{Bson, DateTime, Document, deserialize_from_bson, doc, serialize_to_bson};
use mongodb::error::Error;
use serde_json::Value;

use super::batch::Fault;
use crate::serve::store::{AgentSession, Conversation, Message, Status};

/// The `_id` of what a user has once in a session. A session's id has no slash, so this is unambiguous.
pub(super) fn key(user: &str, session: &str) -> String {
    format!("{user}/{session}")
}

/// A time of the database.
pub(super) fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}

pub(super) fn message_document(message: &Message) -> Result<Document, Error> {
    Ok(doc! {
        "_id": &message.id,
        "userId": &message.user,
        "sessionId": &message.session,
        "createdAt": date(message.created_at),
        "role": &message.role,
        "content": serialize_to_bson(&message.content)?,
        "status": status_text(message.status),
        "finishReason": message.finish_reason.as_deref(),
        "usage": serialize_to_bson(&message.usage)?,
    })
}

pub(super) fn conversation(document: &Document) -> Result<Conversation, Error> {
    Ok(Conversation {
        user: text(document, "userId")?,
        session: text(document, "sessionId")?,
        title: text(document, "title")?,
        created_at: time(document, "createdAt")?,
        updated_at: time(document, "updatedAt")?,
        first_message: text(document, "firstMessage")?,
    })
}

pub(super) fn message(document: &Document) -> Result<Message, Error> {
    let status = text(document, "status")?;
    Ok(Message {
        id: text(document, "_id")?,
        user: text(document, "userId")?,
        session: text(document, "sessionId")?,
        created_at: time(document, "createdAt")?,
        role: text(document, "role")?,
        content: value(document, "content")?.unwrap_or_default(),
        status: if status == status_text(Status::Complete) {
            Status::Complete
        } else {
            Status::Interrupted
        },
        finish_reason: document.get_str("finishReason").ok().map(str::to_owned),
        usage: value(document, "usage")?,
    })
}

pub(super) fn agent_session(document: &Document) -> Result<AgentSession, Error> {
    Ok(AgentSession {
        user: text(document, "userId")?,
        session: text(document, "sessionId")?,
        rev: document
            .get_i64("rev")
            .map_err(|_| missing(document, "rev"))?,
        state: value(document, "state")?.unwrap_or_default(),
        expires_at: time(document, "expiresAt")?,
    })
}

fn status_text(status: Status) -> &'static str {
    match status {
        Status::Complete => "complete",
        Status::Interrupted => "interrupted",
    }
}

fn text(document: &Document, field: &str) -> Result<String, Error> {
    let found = document.get_str(field).map(str::to_owned);
    found.map_err(|_| missing(document, field))
}

fn time(document: &Document, field: &str) -> Result<Timestamp, Error> {
    let found = document.get_datetime(field).ok();
    found
        .and_then(|date| Timestamp::from_millisecond(date.timestamp_millis()).ok())
        .ok_or_else(|| missing(document, field))
}

/// A field of any kind; `None` when it is null or not there.
fn value(document: &Document, field: &str) -> Result<Option<Value>, Error> {
    match document.get(field) {
        None | Some(Bson::Null) => Ok(None),
        Some(found) => Ok(Some(deserialize_from_bson(found.clone())?)),
    }
}

/// A document that somebody else wrote, or changed by hand.
fn missing(document: &Document, field: &str) -> Error {
    let id = document.get("_id").map(ToString::to_string);
    let id = id.unwrap_or_default();
    Error::custom(Fault {
        text: format!("the document {id} has no proper field `{field}`"),
        for_ever: true,
    })
}
