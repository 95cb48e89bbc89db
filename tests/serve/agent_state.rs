//! Agents' state over HTTP, on both stores.

use std::sync::Arc;
use std::time::Duration;

use geodeploy::serve::store::{DatabaseHealth, EmbeddedStore, Store};
use serde_json::{Value, json};

use crate::harness::{Server, client, config, eventually, token};
use crate::mongo;

const PATH: &str = "/api/sessions/s1/agent-state";

async fn put(server: &Server, user: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = client().put(server.url(path)).bearer_auth(token(user));
    let answer = request.json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn get(server: &Server, user: &str) -> (u16, Value) {
    let request = client().get(server.url(PATH)).bearer_auth(token(user));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn saved_and_read(store: Arc<dyn Store>) {
    let server = Server::with_store(config(&[]), store).await;
    assert_eq!(get(&server, "ann").await.0, 404);
    let save = |rev: i64, life: i64| json!({"rev": rev, "state": {"step": rev, "notes": ["你好"]}, "expiresInSeconds": life});
    for rev in [1, 3, 2] {
        let (status, said) = put(&server, "ann", PATH, &save(rev, 60)).await;
        assert_eq!((status, &said["rev"]), (202, &json!(rev)));
    }
    let (status, found) = get(&server, "ann").await;
    assert_eq!((status, &found["rev"]), (200, &json!(3)));
    assert_eq!(found["state"], save(3, 60)["state"]);
    assert_eq!(get(&server, "bob").await.0, 404, "somebody else's");

    put(&server, "ann", PATH, &save(4, 1)).await;
    assert_eq!(get(&server, "ann").await.1["rev"], 4);
    let expired = async || get(&server, "ann").await.0 == 404;
    eventually(Duration::from_secs(3), expired).await;
    let (status, _) = put(&server, "ann", PATH, &save(1, 60)).await;
    assert_eq!((status, get(&server, "ann").await.0), (202, 200));
}

#[tokio::test]
async fn an_agents_state_is_saved_read_and_expires_in_the_embedded_store() {
    saved_and_read(Arc::new(EmbeddedStore::new(None))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_state_is_saved_read_and_expires_before_mongodb_deletes_it() {
    let Some(mongod) = mongo::start(false).await else {
        return;
    };
    let store = mongo::store(&mongod, mongod.port).await;
    let healthy = async || store.health() == DatabaseHealth::Ok;
    eventually(Duration::from_secs(10), healthy).await;
    saved_and_read(store.clone()).await;
}

#[tokio::test]
async fn a_bad_state_a_bad_session_and_a_missing_token_are_refused() {
    let server = Server::with_store(config(&[]), Arc::new(EmbeddedStore::new(None))).await;
    let no_rev = json!({"state": {}});
    assert_eq!(put(&server, "ann", PATH, &no_rev).await.0, 400);
    let whole = json!({"rev": 1, "state": {}});
    let elsewhere = "/api/sessions/a%20b/agent-state";
    assert_eq!(put(&server, "ann", elsewhere, &whole).await.0, 404);
    let deep = (0..100).fold(json!(1), |inside, _| json!([inside]));
    let deep = json!({"rev": 1, "state": deep});
    assert_eq!(put(&server, "ann", PATH, &deep).await.0, 400);
    let large = json!({"rev": 1, "state": "x".repeat(1 << 20)});
    assert_eq!(put(&server, "ann", PATH, &large).await.0, 413);
    let request = client().put(server.url(PATH)).json(&whole);
    assert_eq!(request.send().await.unwrap().status(), 401);
}
