//! The contract of stores, held by both.

use std::num::NonZeroU32;

use geodeploy::secrets::Secret;
use geodeploy::serve::collections;
use geodeploy::serve::store::record::{message_id, now};
use geodeploy::serve::store::{
    AgentSession, Conversation, DatabaseHealth, EmbeddedStore, Message, Part, Status, Store,
    StoreError, Write,
};
use jiff::{SignedDuration, Timestamp};
use mongodb::bson::{Document, doc};
use serde_json::json;

use crate::harness::eventually;
use crate::host::{Run, application, login, uri};
use crate::mongo;

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
    an_agents_state_is_kept_whatever_its_fields_are_called(store).await;
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

async fn an_agents_state_is_kept_whatever_its_fields_are_called(store: &dyn Store) {
    let at = now();
    for (rev, state) in [
        json!({"$set": {"a.b": 1}, "x.y": [{"$where": "1"}], "": null}),
        json!({"$ref": 1, "$id": {"$db": "z"}}),
        json!([1, "two", {"three": 3.5}]),
        json!("a\0text"),
        // As deep as the API takes it.
        (1..32).fold(json!(i64::MAX), |inside, _| json!([inside])),
        (1..32).fold(json!(1.5), |inside, _| json!({"inside": inside})),
    ]
    .into_iter()
    .enumerate()
    {
        let state = AgentSession {
            user: "gus".to_owned(),
            session: "s".to_owned(),
            rev: i64::try_from(rev).unwrap(),
            state,
            expires_at: at + SignedDuration::from_secs(60),
        };
        let write = Write::AgentSession(state.clone(), at);
        store.write(vec![write]).await.unwrap();
        let found = store.agent_session("gus", "s", at).await.unwrap();
        assert_eq!(found, Some(state));
    }
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

async fn kept_by_mongodb(documents: bool) {
    let Some(mongod) = mongo::start(documents).await else {
        return;
    };
    let store = mongo::store(&mongod, mongod.port).await;
    let healthy = async || store.health() == DatabaseHealth::Ok;
    eventually(std::time::Duration::from_secs(10), healthy).await;
    contract(&*store).await;
    let count = move || {
        let (connection, run) = (mongod.connection(), Run::new());
        let user = application(&connection);
        let count = |name: &str, query: Document| {
            let command = doc! { "count": name, "query": query };
            let answer = run.command(&connection, &login(&user), "aiagent", command);
            answer.unwrap().get_i32("n").unwrap()
        };
        assert_eq!(count(collections::MESSAGES, doc! { "userId": "cat" }), 5);
        assert_eq!(count(collections::MESSAGES, doc! { "userId": "eve" }), 2);
        assert_eq!(count(collections::USERS, doc! { "_id": "cat" }), 1);
        let dates = doc! { "expiresAt": { "$type": "date" } };
        assert_eq!(count(collections::AGENT_SESSIONS, dates), 2);
    };
    tokio::task::spawn_blocking(count).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn mongodb_keeps_the_contract_with_tls_a_login_and_the_rights_on_one_database() {
    kept_by_mongodb(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mongodb_keeps_the_contract_for_a_user_that_may_touch_documents_only() {
    kept_by_mongodb(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_an_unhealthy_database_and_is_not_repeated_in_words() {
    let Some(mongod) = mongo::start(false).await else {
        return;
    };
    let wrong = Secret::new("wrong-secret".to_owned());
    let store = mongo::open(&uri(&mongod), Some(("aiagent_user", &wrong))).await;
    let error = store.conversations("ann", None, TEN).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(store.health(), DatabaseHealth::Error);
}
