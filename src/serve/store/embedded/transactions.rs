//! The embedded store's tables and transactions. Values are JSON.

use std::num::NonZeroU32;

use jiff::Timestamp;
use redb::{Database, ReadableDatabase, ReadableTable, StorageError, Table, TableDefinition};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::serve::store::{AgentSession, Conversation, Message, Part, Write};

type Pair = (&'static str, &'static str);
type Triple = (&'static str, &'static str, &'static str);

const USERS: TableDefinition<'_, &str, &str> = TableDefinition::new("users");
/// By user and session.
const CONVERSATIONS: TableDefinition<'_, Pair, &str> = TableDefinition::new("conversations");
/// By user, session and id.
const MESSAGES: TableDefinition<'_, Triple, &str> = TableDefinition::new("messages");
/// By user and session.
const AGENT_SESSIONS: TableDefinition<'_, Pair, &str> =
    TableDefinition::new("multi_agent_sessions");

/// Sorts after every session's and message's id, which are made of letters, digits, `-`, `_` and `.`.
const LAST: &str = "~";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    created_at: Timestamp,
    last_seen_at: Timestamp,
}

/// Makes the tables, so that reading finds them.
pub(super) fn make_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(USERS)?;
    transaction.open_table(CONVERSATIONS)?;
    transaction.open_table(MESSAGES)?;
    transaction.open_table(AGENT_SESSIONS)?;
    transaction.commit()?;
    Ok(())
}

/// The whole batch in one transaction.
pub(super) fn write(database: &Database, batch: &[Write]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut users = transaction.open_table(USERS)?;
        let mut conversations = transaction.open_table(CONVERSATIONS)?;
        let mut messages = transaction.open_table(MESSAGES)?;
        let mut agents = transaction.open_table(AGENT_SESSIONS)?;
        for write in batch {
            match write {
                Write::User { id, seen_at } => see(&mut users, id, *seen_at)?,
                Write::Conversation(conversation) => converse(&mut conversations, conversation)?,
                Write::Message(message) => {
                    let (user, session) = (message.user.as_str(), message.session.as_str());
                    let found = conversations.get((user, session))?;
                    let found: Option<Conversation> =
                        found.map(|json| parse(json.value())).transpose()?;
                    if found.is_some_and(|found| found.first_message <= message.id) {
                        let key = (user, session, message.id.as_str());
                        messages.insert(key, json(message)?.as_str())?;
                    }
                }
                Write::AgentSession(state, now) => save(&mut agents, state, *now)?,
                Write::Delete { user, session } => {
                    conversations.remove((user.as_str(), session.as_str()))?;
                    let all = (user.as_str(), session.as_str(), "")
                        ..(user.as_str(), session.as_str(), LAST);
                    messages.retain_in::<(&str, &str, &str), _>(all, |_, _| false)?;
                }
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

fn see(users: &mut Table<'_, &str, &str>, id: &str, at: Timestamp) -> Result<(), redb::Error> {
    let before: Option<User> = users.get(id)?.map(|json| parse(json.value())).transpose()?;
    let user = User {
        created_at: before.as_ref().map_or(at, |user| user.created_at),
        last_seen_at: before.map_or(at, |user| user.last_seen_at.max(at)),
    };
    users.insert(id, json(&user)?.as_str())?;
    Ok(())
}

fn converse(table: &mut Table<'_, Pair, &str>, new: &Conversation) -> Result<(), redb::Error> {
    let key = (new.user.as_str(), new.session.as_str());
    let before: Option<Conversation> = table
        .get(key)?
        .map(|json| parse(json.value()))
        .transpose()?;
    let conversation = match before {
        Some(before) => Conversation {
            updated_at: before.updated_at.max(new.updated_at),
            first_message: before.first_message.min(new.first_message.clone()),
            ..before
        },
        None => new.clone(),
    };
    table.insert(key, json(&conversation)?.as_str())?;
    Ok(())
}

fn save(
    table: &mut Table<'_, Pair, &str>,
    new: &AgentSession,
    now: Timestamp,
) -> Result<(), redb::Error> {
    let key = (new.user.as_str(), new.session.as_str());
    let before: Option<AgentSession> = table
        .get(key)?
        .map(|json| parse(json.value()))
        .transpose()?;
    if before.is_none_or(|before| before.rev < new.rev || before.expires_at <= now) {
        table.insert(key, json(new)?.as_str())?;
    }
    // The server has nobody else to delete what expired.
    table
        .retain(|_, json| parse::<AgentSession>(json).is_ok_and(|state| state.expires_at > now))?;
    Ok(())
}

pub(super) fn conversations(
    database: &Database,
    user: &str,
    before: Option<Timestamp>,
    limit: NonZeroU32,
) -> Result<Vec<Conversation>, redb::Error> {
    let table = database.begin_read()?.open_table(CONVERSATIONS)?;
    let mut found = Vec::new();
    for entry in table.range((user, "")..(user, LAST))? {
        let conversation: Conversation = parse(entry?.1.value())?;
        if before.is_none_or(|before| conversation.updated_at < before) {
            found.push(conversation);
        }
    }
    found.sort_by_key(|conversation| std::cmp::Reverse(conversation.updated_at));
    found.truncate(limit.get() as usize);
    Ok(found)
}

pub(super) fn messages(
    database: &Database,
    user: &str,
    session: &str,
    part: &Part,
) -> Result<Option<Vec<Message>>, redb::Error> {
    let transaction = database.begin_read()?;
    if transaction
        .open_table(CONVERSATIONS)?
        .get((user, session))?
        .is_none()
    {
        return Ok(None);
    }
    let table = transaction.open_table(MESSAGES)?;
    let mut all = table.range((user, session, "")..(user, session, LAST))?;
    let read = |entry: Result<(_, redb::AccessGuard<'_, &str>), StorageError>| {
        let (_, json): (redb::AccessGuard<'_, Triple>, _) = entry?;
        parse::<Message>(json.value()).map_err(redb::Error::from)
    };
    let found: Result<Vec<Message>, redb::Error> = match part {
        Part::After(None, limit) => all.take(limit.get() as usize).map(read).collect(),
        Part::After(Some(id), limit) => table
            .range((user, session, id.as_str())..(user, session, LAST))?
            .filter(|entry| !matches!(entry, Ok((key, _)) if key.value().2 == id))
            .take(limit.get() as usize)
            .map(read)
            .collect(),
        Part::Last(limit) => {
            let mut last = Vec::new();
            while last.len() < limit.get() as usize
                && let Some(entry) = all.next_back()
            {
                last.push(read(entry)?);
            }
            last.reverse();
            Ok(last)
        }
    };
    found.map(Some)
}

pub(super) fn agent_session(
    database: &Database,
    user: &str,
    session: &str,
    now: Timestamp,
) -> Result<Option<AgentSession>, redb::Error> {
    let table = database.begin_read()?.open_table(AGENT_SESSIONS)?;
    let found = table.get((user, session))?;
    let state: Option<AgentSession> = found.map(|json| parse(json.value())).transpose()?;
    Ok(state.filter(|state| state.expires_at > now))
}

fn json<T: Serialize>(value: &T) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|error| StorageError::Io(error.into()))
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T, StorageError> {
    serde_json::from_str(json).map_err(|error| StorageError::Corrupted(error.to_string()))
}
