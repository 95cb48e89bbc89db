//! What a store keeps, and the changes that can be made to it.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest title of a conversation, in characters.
pub const LONGEST_TITLE: usize = 80;

/// A user's conversation. Its id is the client's own choice, so two users may use the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// Whose it is.
    pub user: String,
    /// The client's id for it.
    pub session: String,
    /// The beginning of the user's first message.
    pub title: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it got its newest message.
    pub updated_at: Timestamp,
    /// The id of its first message. Older messages belong to a conversation of the same id that was deleted.
    pub first_message: String,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// From [`message_id`]: unique, and sorted as the messages were said.
    pub id: String,
    /// Whose conversation it is in.
    pub user: String,
    /// Which conversation it is in.
    pub session: String,
    /// When it was said.
    pub created_at: Timestamp,
    /// `user`, `assistant`, or another of the API's roles.
    pub role: String,
    /// A text, or the API's array of parts.
    pub content: Value,
    /// Whether it is whole.
    pub status: Status,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// Token counts as the model gave them.
    pub usage: Option<Value>,
}

/// Whether a message is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// All of it.
    Complete,
    /// What there was when the answer broke off.
    Interrupted,
}

/// The state of a user's agents in one session, until it expires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentSession {
    /// Whose it is.
    pub user: String,
    /// The session.
    pub session: String,
    /// Rises with every save: an older state never replaces a newer one.
    pub rev: i64,
    /// The state.
    pub state: Value,
    /// When it ceases to exist.
    pub expires_at: Timestamp,
}

/// One change. Repeated, it has no second effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// A user was there.
    User {
        /// Who.
        id: String,
        /// When.
        seen_at: Timestamp,
    },
    /// A conversation begins, or goes on: then its time rises, and its first message is the smaller id.
    Conversation(Conversation),
    /// A message is said. It is not kept in a conversation that has been deleted since, or that begins later.
    Message(Message),
    /// Agents' state is saved, unless there is a newer one that has not expired at the moment given here.
    AgentSession(AgentSession, Timestamp),
    /// A conversation is deleted with its messages.
    Delete {
        /// Whose.
        user: String,
        /// Which.
        session: String,
    },
}

impl Write {
    /// Whose it is.
    #[must_use]
    pub fn user(&self) -> &str {
        match self {
            Self::User { id, .. } => id,
            Self::Conversation(conversation) => &conversation.user,
            Self::Message(message) => &message.user,
            Self::AgentSession(state, _) => &state.user,
            Self::Delete { user, .. } => user,
        }
    }

    /// About how many bytes it holds in memory.
    #[must_use]
    pub fn size(&self) -> usize {
        const FIXED: usize = 200;
        FIXED
            + match self {
                Self::User { .. } | Self::Delete { .. } => 0,
                Self::Conversation(conversation) => conversation.title.len(),
                Self::Message(message) => value_size(&message.content),
                Self::AgentSession(state, _) => value_size(&state.state),
            }
    }
}

fn value_size(value: &Value) -> usize {
    const FIXED: usize = 32;
    FIXED
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(value_size).sum(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, field)| name.len() + value_size(field))
                .sum(),
            _ => 0,
        }
}

/// How deep a value may be nested: reading and writing BSON takes stack for each level.
const DEEPEST: usize = 32;

/// What [`can_be_kept`] asks for, in words for the client.
pub const LIMITS_OF_VALUES: &str =
    "at most 32 levels, whole numbers of at most 63 bits, and no character NUL in names";

/// Whether every store can hold the value, so that what was accepted is not refused by the database later.
#[must_use]
pub fn can_be_kept(value: &Value) -> bool {
    fn within(value: &Value, levels: usize) -> bool {
        let Some(below) = levels.checked_sub(1) else {
            return false;
        };
        match value {
            Value::Number(number) => number
                .as_u64()
                .is_none_or(|number| i64::try_from(number).is_ok()),
            Value::Array(items) => items.iter().all(|item| within(item, below)),
            Value::Object(fields) => fields
                .iter()
                .all(|(name, field)| !name.contains('\0') && within(field, below)),
            Value::Null | Value::Bool(_) | Value::String(_) => true,
        }
    }
    within(value, DEEPEST)
}

/// The time now in whole milliseconds, which is what both stores keep, and later than any that this process was given
/// before: conversations are listed and paged by it, and two of the same millisecond would have no order.
#[must_use]
pub fn now() -> Timestamp {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let now = Timestamp::now();
    let read = now.as_millisecond();
    let last = LAST.fetch_max(read, Ordering::Relaxed);
    let given = if read > last {
        read
    } else {
        LAST.fetch_add(1, Ordering::Relaxed) + 1
    };
    Timestamp::from_millisecond(given).unwrap_or(now)
}

/// A new message's id: the time in milliseconds, a counter, and the process, in hexadecimal digits of fixed width, so
/// that ids sort as texts in the order in which one server made them.
#[must_use]
pub fn message_id(at: Timestamp) -> String {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    // The standard library seeds each process's hasher from the system's random numbers.
    let process = PROCESS.get_or_init(|| RandomState::new().hash_one(std::process::id()));
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{:012x}{count:08x}{process:016x}", at.as_millisecond())
}

/// The title of a conversation that begins with `text`: its first line, cut.
#[must_use]
pub fn title(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    line.chars().take(LONGEST_TITLE).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::{DEEPEST, can_be_kept, message_id, now, title};

    #[test]
    fn no_two_times_are_the_same() {
        let taken: Vec<_> = std::thread::scope(|scope| {
            let take = || (0..1000).map(|_| now()).collect::<Vec<_>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            let each = threads.into_iter().map(|thread| thread.join().unwrap());
            each.inspect(|times| assert!(times.is_sorted()))
                .flatten()
                .collect()
        });
        let distinct: BTreeSet<_> = taken.iter().collect();
        assert_eq!(distinct.len(), 4000);
    }

    #[test]
    fn ids_sort_as_they_were_made() {
        let at = now();
        let ids: Vec<_> = (0..100).map(|_| message_id(at)).collect();
        let mut sorted = ids.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(ids, sorted);
        let later = at + jiff::SignedDuration::from_millis(1);
        assert!(message_id(later) > ids[99]);
    }

    #[test]
    fn values_that_bson_cannot_hold_are_told_apart() {
        let nested = |levels| (1..levels).fold(json!(1), |inside, _| json!([inside]));
        for (value, kept) in [
            (nested(DEEPEST), true),
            (nested(DEEPEST + 1), false),
            (json!(i64::MAX), true),
            (json!(i64::MIN), true),
            (json!(u64::MAX), false),
            (json!({"a\0": 1}), false),
            (json!("a\0"), true),
        ] {
            assert_eq!(can_be_kept(&value), kept, "{value}");
        }
    }

    #[test]
    fn a_title_is_the_first_line_cut_between_characters() {
        assert_eq!(title("  hello\nworld"), "hello");
        assert_eq!(title(&"你".repeat(100)), "你".repeat(80));
        assert_eq!(title(""), "");
    }
}
