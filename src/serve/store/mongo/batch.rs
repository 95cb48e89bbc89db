//! A batch of writes as commands: as few round trips as its order allows.

use std::collections::BTreeMap;
use std::mem::take;

use futures_util::TryStreamExt;
use mongodb::Database;
use mongodb::bson::{Document, doc, serialize_to_bson};
use mongodb::error::{Error, ErrorKind};
use tokio::try_join;

use super::documents::{date, key, message_document};
use crate::serve::collections::{AGENT_SESSIONS, CONVERSATIONS, MESSAGES, USERS};
use crate::serve::store::{AgentSession, Conversation, Message, Write};

/// The server's code for an `_id` that is there already.
const DUPLICATE_KEY: i32 = 11000;

/// What a reply says went wrong although the command as such did not.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) text: String,
    /// Whether it is the same the next time.
    pub(super) for_ever: bool,
}

/// What can be written together, since its order among itself does not matter.
#[derive(Default)]
struct Run {
    users: Vec<Document>,
    conversations: Vec<Document>,
    agents: Vec<Document>,
    messages: Vec<Message>,
}

/// Carries out the writes; the same batch may be carried out again.
pub(super) async fn write(database: &Database, batch: Vec<Write>) -> Result<(), Error> {
    let mut run = Run::default();
    for write in batch {
        match write {
            Write::User { id, seen_at } => run.users.push(doc! {
                "q": { "_id": id },
                "u": {
                    "$setOnInsert": { "createdAt": date(seen_at) },
                    "$max": { "lastSeenAt": date(seen_at) },
                },
                "upsert": true,
            }),
            Write::Conversation(conversation) => run.conversations.push(converse(&conversation)),
            Write::AgentSession(state, now) => run.agents.push(save(&state, date(now))?),
            Write::Message(message) => run.messages.push(message),
            Write::Delete { user, session } => {
                take(&mut run).carry_out(database).await?;
                delete(database, &user, &session).await?;
            }
        }
    }
    run.carry_out(database).await
}

fn converse(conversation: &Conversation) -> Document {
    doc! {
        "q": { "_id": key(&conversation.user, &conversation.session) },
        "u": {
            "$setOnInsert": {
                "userId": &conversation.user,
                "sessionId": &conversation.session,
                "title": &conversation.title,
                "createdAt": date(conversation.created_at),
            },
            "$max": { "updatedAt": date(conversation.updated_at) },
            "$min": { "firstMessage": &conversation.first_message },
        },
        "upsert": true,
    }
}

/// Where a newer state is there the filter finds nothing, and the insertion that follows fails as a duplicate.
fn save(state: &AgentSession, now: mongodb::bson::DateTime) -> Result<Document, Error> {
    Ok(doc! {
        "q": {
            "_id": key(&state.user, &state.session),
            "$or": [{ "rev": { "$lt": state.rev } }, { "expiresAt": { "$lte": now } }],
        },
        "u": { "$set": {
            "userId": &state.user,
            "sessionId": &state.session,
            "rev": state.rev,
            "state": serialize_to_bson(&state.state)?,
            "expiresAt": date(state.expires_at),
        } },
        "upsert": true,
    })
}

impl Run {
    async fn carry_out(self, database: &Database) -> Result<(), Error> {
        try_join!(
            update(database, USERS, self.users),
            update(database, CONVERSATIONS, self.conversations),
            update(database, AGENT_SESSIONS, self.agents),
        )?;
        insert(database, self.messages).await
    }
}

async fn update(database: &Database, name: &str, updates: Vec<Document>) -> Result<(), Error> {
    if updates.is_empty() {
        return Ok(());
    }
    let mut command = doc! { "update": name, "updates": updates, "ordered": false };
    if let Some(concern) = database.write_concern() {
        command.insert("writeConcern", serialize_to_bson(concern)?);
    }
    let reply = database.run_command(command).await?;
    if let Ok(concern) = reply.get_document("writeConcernError") {
        return Err(Error::custom(Fault {
            text: format!("{name}: not acknowledged: {concern}"),
            for_ever: false,
        }));
    }
    for error in reply.get_array("writeErrors").into_iter().flatten() {
        let error = error.as_document().cloned().unwrap_or_default();
        let code = error.get_i32("code").unwrap_or_default();
        let newer_is_there = name == AGENT_SESSIONS && code == DUPLICATE_KEY;
        if !newer_is_there {
            let words = error.get_str("errmsg").unwrap_or("no reason given");
            return Err(Error::custom(Fault {
                text: format!("{name}: {words} (code {code})"),
                for_ever: !may_pass(code),
            }));
        }
    }
    Ok(())
}

/// Inserts messages, and takes those away again whose conversation is not there: a deletion removes the conversation
/// first and the messages after it, so one of the two sees the other.
async fn insert(database: &Database, messages: Vec<Message>) -> Result<(), Error> {
    if messages.is_empty() {
        return Ok(());
    }
    let documents: Result<Vec<Document>, Error> = messages.iter().map(message_document).collect();
    let all = database.collection::<Document>(MESSAGES);
    let inserted = all.insert_many(documents?).ordered(false).await;
    if let Err(error) = inserted
        && !only_duplicates(&error)
    {
        return Err(error);
    }
    let first_ids = first_messages(database, &messages).await?;
    let orphans: Vec<String> = messages
        .into_iter()
        .filter(|message| {
            let first = first_ids.get(&key(&message.user, &message.session));
            first.is_none_or(|first| *first > message.id)
        })
        .map(|message| message.id)
        .collect();
    if !orphans.is_empty() {
        all.delete_many(doc! { "_id": { "$in": orphans } }).await?;
    }
    Ok(())
}

/// The first message's id of each conversation that is there, by the conversation's `_id`.
async fn first_messages(
    database: &Database,
    messages: &[Message],
) -> Result<BTreeMap<String, String>, Error> {
    let mut keys: Vec<String> = messages
        .iter()
        .map(|message| key(&message.user, &message.session))
        .collect();
    keys.sort();
    keys.dedup();
    let found: Vec<Document> = super::collection(database, CONVERSATIONS, super::Source::Primary)
        .find(doc! { "_id": { "$in": keys } })
        .projection(doc! { "firstMessage": 1 })
        .await?
        .try_collect()
        .await?;
    let pair = |document: Document| {
        let id = document.get_str("_id").ok()?.to_owned();
        Some((id, document.get_str("firstMessage").ok()?.to_owned()))
    };
    Ok(found.into_iter().filter_map(pair).collect())
}

async fn delete(database: &Database, user: &str, session: &str) -> Result<(), Error> {
    let conversations = database.collection::<Document>(CONVERSATIONS);
    conversations
        .delete_one(doc! { "_id": key(user, session) })
        .await?;
    let messages = database.collection::<Document>(MESSAGES);
    messages
        .delete_many(doc! { "userId": user, "sessionId": session })
        .await?;
    Ok(())
}

/// A repeated insertion finds its own documents there.
fn only_duplicates(error: &Error) -> bool {
    let ErrorKind::InsertMany(many) = &*error.kind else {
        return false;
    };
    many.write_concern_error.is_none()
        && many
            .write_errors
            .iter()
            .flatten()
            .all(|error| error.code == DUPLICATE_KEY)
}

/// Whether what a command answered with this code may pass: the server is full, moves, or does not know us yet. The
/// rest, such as a document that is too large, is the same for ever.
pub(super) fn may_pass(code: i32) -> bool {
    // The server's src/mongo/base/error_codes.yml: BadValue, FailedToParse, TypeMismatch, Overflow, InvalidBSON,
    // PathNotViable, ConflictingUpdateOperators, DollarPrefixedFieldName, InvalidDBRef, EmptyFieldName, DottedFieldName,
    // ImmutableField, DocumentValidationFailure, BSONObjectTooLarge, KeyTooLong, and a document too large after an update.
    const FOR_EVER: [i32; 16] = [
        2, 9, 14, 15, 22, 28, 40, 52, 55, 56, 57, 66, 121, 10334, 17280, 17419,
    ];
    !FOR_EVER.contains(&code)
}
