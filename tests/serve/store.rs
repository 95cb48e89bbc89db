//! The contract of stores, held by both.

use std::num::NonZeroU32;

use geodeploy::serve::collections;
use geodeploy::serve::store::mongo::MongoSettings;
use geodeploy::serve::store::record::{message_id, now};
use geodeploy::serve::store::{
    AgentSession, Conversation, DatabaseHealth, EmbeddedStore, Message, MongoStore, Part, Status,
    Store, Write,
};
use jiff::{SignedDuration, Timestamp};
use mongodb::bson::{Document, doc};
use serde_json::json;

use crate::harness::eventually;
use crate::mongod::Mongod;

const TEN: NonZeroU32 = NonZeroU32::new(10).unwrap();

fn message(user: &str, session: &str, text: &str) -> Message {
    let at = now();
    Message {
        id: message_id(at),
        user: user.to_owned(),
        session: session.to_owned(),
        created_at: at,
        role: "user".to_owned(),
        content: json!(text),
        status: Status::Complete,
        finish_reason: None,
        usage: None,
    }
}

fn conversation(first: &Message, seconds: i64) -> Conversation {
    let at = Timestamp::from_second(1_700_000_000 + seconds).unwrap();
    Conversation {
        user: first.user.clone(),
        session: first.session.clone(),
        title: format!("about {}", first.session),
        created_at: at,
        updated_at: at,
        first_message: first.id.clone(),
    }
}

fn delete(user: &str, session: &str) -> Write {
    Write::Delete {
        user: user.to_owned(),
        session: session.to_owned(),
    }
}

async fn texts(store: &dyn Store, user: &str, session: &str, part: Part) -> Option<Vec<String>> {
    let messages = store.messages(user, session, part).await.unwrap()?;
    let text = |message: Message| message.content.as_str().unwrap().to_owned();
    Some(messages.into_iter().map(text).collect())
}

/// What every store does.
async fn contract(store: &dyn Store) {
    conversations_are_kept(store).await;
    messages_are_kept_once(store).await;
    deleted_conversations_stay_deleted(store).await;
    agents_state_follows_its_revision(store).await;
}

async fn conversations_are_kept(store: &dyn Store) {
    let (one, two) = (message("ann", "one", "1"), message("ann", "two", "2"));
    let other = message("bob", "one", "3");
    let (first, second) = (conversation(&one, 1), conversation(&two, 2));
    let batch =
        [&first, &second, &conversation(&other, 3)].map(|new| Write::Conversation(new.clone()));
    store.write(batch.to_vec()).await.unwrap();
    let all = store.conversations("ann", None, TEN).await.unwrap();
    assert_eq!(all, [second.clone(), first.clone()]);
    let later = Conversation {
        title: "another title".to_owned(),
        ..conversation(&one, 5)
    };
    for _ in 0..2 {
        let write = Write::Conversation(later.clone());
        store.write(vec![write]).await.unwrap();
    }
    let first = Conversation {
        updated_at: later.updated_at,
        ..first
    };
    let all = store.conversations("ann", None, TEN).await.unwrap();
    assert_eq!(all, [first.clone(), second.clone()]);
    let newest = store.conversations("ann", None, NonZeroU32::MIN).await;
    assert_eq!(newest.unwrap(), std::slice::from_ref(&first));
    let before = store
        .conversations("ann", Some(first.updated_at), TEN)
        .await;
    assert_eq!(before.unwrap(), [second]);
}

async fn messages_are_kept_once(store: &dyn Store) {
    let mut all: Vec<Message> = (0..5)
        .map(|number| message("cat", "s", &number.to_string()))
        .collect();
    all[1].content =
        json!([{"type": "text", "text": "你好", "n": 1.5, "deep": {"a": [null, true]}}]);
    all[2].usage = Some(json!({"total_tokens": 3}));
    all[2].finish_reason = Some("stop".to_owned());
    all[3].status = Status::Interrupted;
    let mut batch = vec![
        Write::User {
            id: "cat".to_owned(),
            seen_at: now(),
        },
        Write::Conversation(conversation(&all[0], 1)),
    ];
    batch.extend(all.iter().cloned().map(Write::Message));
    // The answer to the first sending was lost.
    for _ in 0..2 {
        store.write(batch.clone()).await.unwrap();
    }
    let part = |after: Option<usize>, limit| {
        let after = after.map(|at| all[at].id.clone());
        Part::After(after, NonZeroU32::new(limit).unwrap())
    };
    let read = |part| store.messages("cat", "s", part);
    assert_eq!(read(part(None, 10)).await.unwrap().unwrap(), all);
    assert_eq!(read(part(None, 2)).await.unwrap().unwrap(), all[..2]);
    assert_eq!(read(part(Some(1), 2)).await.unwrap().unwrap(), all[2..4]);
    assert_eq!(read(part(Some(4), 2)).await.unwrap().unwrap(), []);
    let two = NonZeroU32::new(2).unwrap();
    assert_eq!(read(Part::Last(two)).await.unwrap().unwrap(), all[3..]);
    let foreign = store.messages("dan", "s", part(None, 10)).await.unwrap();
    assert_eq!(foreign, None);
}

async fn deleted_conversations_stay_deleted(store: &dyn Store) {
    let (question, answer) = (message("eve", "s", "q"), message("eve", "s", "a"));
    let kept = message("eve", "kept", "k");
    let writes = vec![
        Write::Conversation(conversation(&question, 1)),
        Write::Message(question.clone()),
        Write::Conversation(conversation(&kept, 1)),
        Write::Message(kept),
        delete("eve", "s"),
        // The answer comes after the deletion.
        Write::Message(answer),
    ];
    store.write(writes).await.unwrap();
    let all = || Part::After(None, TEN);
    assert_eq!(texts(store, "eve", "s", all()).await, None);
    let left = texts(store, "eve", "kept", all()).await;
    assert_eq!(left, Some(vec!["k".to_owned()]));
    let late = message("eve", "s", "late");
    let again = message("eve", "s", "again");
    let writes = vec![
        Write::Conversation(conversation(&again, 1)),
        Write::Message(again),
        Write::Message(late),
    ];
    store.write(writes).await.unwrap();
    let left = texts(store, "eve", "s", all()).await;
    assert_eq!(left, Some(vec!["again".to_owned()]));
}

async fn agents_state_follows_its_revision(store: &dyn Store) {
    let at = now();
    let state = |rev: i64, lives: i64| AgentSession {
        user: "fay".to_owned(),
        session: "s".to_owned(),
        rev,
        state: json!({"step": rev}),
        expires_at: at + SignedDuration::from_secs(lives),
    };
    let save = |state| store.write(vec![Write::AgentSession(state, at)]);
    let read = async |now| store.agent_session("fay", "s", now).await.unwrap();
    assert_eq!(read(at).await, None);
    for rev in [1, 3, 2, 3] {
        save(state(rev, 60)).await.unwrap();
    }
    assert_eq!(read(at).await, Some(state(3, 60)));
    assert_eq!(read(at + SignedDuration::from_secs(60)).await, None);
    save(state(4, -1)).await.unwrap();
    assert_eq!(read(at).await, None, "it has expired, deleted or not");
    save(state(1, 60)).await.unwrap();
    assert_eq!(read(at).await, Some(state(1, 60)));
}

#[tokio::test]
async fn the_embedded_store_keeps_the_contract_in_memory_and_in_a_file() {
    contract(&EmbeddedStore::new(None)).await;
    let folder = tempfile::tempdir().unwrap();
    contract(&EmbeddedStore::new(Some(folder.path().to_owned()))).await;
    let again = EmbeddedStore::new(Some(folder.path().to_owned()));
    let all = again.conversations("ann", None, TEN).await.unwrap();
    assert_eq!(all.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn mongodb_keeps_the_contract_on_a_real_replica_set() {
    let Some(mongod) = Mongod::start().await else {
        return;
    };
    mongod.index("aiagent").await;
    let settings = MongoSettings::new(&mongod.uri("aiagent"), None).unwrap();
    let store = MongoStore::open(&settings).await.unwrap();
    let healthy = async || store.health() == DatabaseHealth::Ok;
    eventually(std::time::Duration::from_secs(10), healthy).await;
    contract(&store).await;
    let database = mongod.client().await.database("aiagent");
    let count = async |name: &str, filter| {
        let collection = database.collection::<Document>(name);
        collection.count_documents(filter).await.unwrap()
    };
    assert_eq!(
        count(collections::MESSAGES, doc! { "userId": "cat" }).await,
        5
    );
    assert_eq!(
        count(collections::MESSAGES, doc! { "userId": "eve" }).await,
        2
    );
    assert_eq!(count(collections::USERS, doc! { "_id": "cat" }).await, 1);
    let dates = doc! { "expiresAt": { "$type": "date" } };
    assert_eq!(count(collections::AGENT_SESSIONS, dates).await, 1);
}
