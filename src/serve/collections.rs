//! The database's collections and indexes, defined once: the server queries them and provisioning
//! creates them. The server itself creates none, since its user may be refused the right to.

/// A collection and the indexes that it needs beside `_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collection {
    /// Its name in the application's database.
    pub name: &'static str,
    /// Its indexes.
    pub indexes: &'static [Index],
}

/// An index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// Field and direction (1 rising, -1 falling), in order.
    pub keys: &'static [(&'static str, i32)],
    /// Makes it a TTL index: a document is deleted this many seconds after the time in its field.
    pub expire_after_seconds: Option<u32>,
}

/// Those who talked to the server; `_id` is the user.
pub const USERS: &str = "users";
/// One document a conversation; `_id` is `USER/SESSION`.
pub const CONVERSATIONS: &str = "conversations";
/// One document a message; `_id` sorts as they were said.
pub const MESSAGES: &str = "messages";
/// The state of agents; `_id` is `USER/SESSION`.
pub const AGENT_SESSIONS: &str = "multi_agent_sessions";

/// Every collection of the application.
pub const COLLECTIONS: &[Collection] = &[
    Collection {
        name: AGENT_SESSIONS,
        indexes: &[
            Index {
                keys: &[("expiresAt", 1)],
                expire_after_seconds: Some(0),
            },
            plain(&[("sessionId", 1), ("userId", 1)]),
        ],
    },
    Collection {
        name: USERS,
        indexes: &[],
    },
    Collection {
        name: CONVERSATIONS,
        indexes: &[plain(&[("userId", 1), ("updatedAt", -1)])],
    },
    Collection {
        name: MESSAGES,
        indexes: &[plain(&[("userId", 1), ("sessionId", 1), ("_id", 1)])],
    },
];

const fn plain(keys: &'static [(&'static str, i32)]) -> Index {
    Index {
        keys,
        expire_after_seconds: None,
    }
}

impl Index {
    /// The name that MongoDB gives an index by default, for example `sessionId_1_userId_1`.
    #[must_use]
    pub fn name(&self) -> String {
        let parts: Vec<_> = self
            .keys
            .iter()
            .map(|(field, direction)| format!("{field}_{direction}"))
            .collect();
        parts.join("_")
    }
}

#[cfg(test)]
mod tests {
    use super::COLLECTIONS;

    #[test]
    fn index_names_are_the_databases_defaults() {
        let names: Vec<_> = COLLECTIONS[0]
            .indexes
            .iter()
            .map(super::Index::name)
            .collect();
        assert_eq!(names, ["expiresAt_1", "sessionId_1_userId_1"]);
        assert_eq!(
            COLLECTIONS[2].indexes[0].name(),
            "userId_1_updatedAt_-1",
            "a falling direction has its sign"
        );
    }
}
