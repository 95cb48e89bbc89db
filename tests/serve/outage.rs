//! The server while its database, a real one, is out of reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use geodeploy::serve::Ended;
use geodeploy::serve::store::MongoStore;
use geodeploy::serve::store::mongo::MongoSettings;
use mongodb::bson::doc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::harness::{Server, client, config, eventually, payloads, streamed};
use crate::host::{Run, application, login};
use crate::mongo;
use crate::server::ports;
use crate::sessions::{contents, get, say};

/// A link to the database that can swallow everything without closing a connection.
async fn link(to: u16, hole: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (near, _) = listener.accept().await.unwrap();
            let far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            let ((near_read, near_write), (far_read, far_write)) =
                (near.into_split(), far.into_split());
            tokio::spawn(pass(near_read, far_write, Arc::clone(&hole)));
            tokio::spawn(pass(far_read, near_write, Arc::clone(&hole)));
        }
    });
    port
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, hole: Arc<AtomicBool>) {
    let mut buffer = vec![0; 64 << 10];
    // What was sent into the hole is lost, so this connection never works again.
    let mut broken = false;
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        broken |= hole.load(Ordering::Relaxed);
        if !broken && to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
}

async fn health(server: &Server) -> (u16, serde_json::Value, Duration) {
    let begin = Instant::now();
    let request = client().get(server.url("/api/health"));
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.json().await.unwrap();
    (status, body, begin.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_black_holed_database_costs_its_health_and_no_stream() {
    let Some(mongod) = mongo::start(false).await else {
        return;
    };
    let hole = Arc::new(AtomicBool::new(false));
    let port = link(mongod.port, Arc::clone(&hole)).await;
    let server = Server::with_store(config(&[]), mongo::store(&mongod, port).await).await;
    let healthy = async || health(&server).await.0 == 200;
    eventually(Duration::from_secs(10), healthy).await;

    let words = "word ".repeat(150);
    let stream = say(&server, "ann", "s1", &streamed(&words, 100)).await;
    assert_eq!(stream.status(), 200);
    hole.store(true, Ordering::Relaxed);
    let cut = Instant::now();
    loop {
        let (status, body, took) = health(&server).await;
        assert!(took < Duration::from_millis(100), "health took {took:?}");
        if status == 503 {
            assert_eq!(
                (&body["status"], &body["database"]),
                (&"unhealthy".into(), &"error".into())
            );
            break;
        }
        assert!(cut.elapsed() < Duration::from_secs(10), "still healthy");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        cut.elapsed() > Duration::from_secs(2),
        "one failure is not enough"
    );
    let text = stream.text().await.unwrap();
    assert_eq!(payloads(&text).last(), Some(&"[DONE]"));
    assert_eq!(text.matches("word ").count(), 150);
    let unread = get(&server, "ann", "/api/sessions").await;
    assert_eq!(unread["error"]["code"], "database_unavailable");

    hole.store(false, Ordering::Relaxed);
    let healthy = async || health(&server).await.0 == 200;
    eventually(Duration::from_secs(40), healthy).await;
    let kept = async || server.metric("persist_queue_depth ").await == Some(0.0);
    eventually(Duration::from_secs(40), kept).await;
    assert_eq!(
        contents(&server, "ann", "s1").await,
        [words.as_str(), words.as_str()]
    );
}

/// How many documents the application's user finds.
async fn count(mongod: &crate::server::Server, collection: &'static str) -> i32 {
    let connection = mongod.connection();
    let count = move || {
        let user = application(&connection);
        let command = doc! { "count": collection };
        let answer = Run::new().command(&connection, &login(&user), "aiagent", command);
        answer.unwrap().get_i32("n").unwrap()
    };
    tokio::task::spawn_blocking(count).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_ends_and_comes_back_has_every_message_of_the_time_between() {
    let Some(mut mongod) = mongo::start(false).await else {
        return;
    };
    let store = mongo::store(&mongod, mongod.port).await;
    let server = Server::with_store(config(&[]), store).await;
    let healthy = async || health(&server).await.0 == 200;
    eventually(Duration::from_secs(10), healthy).await;
    mongod.kill();
    let ended = Instant::now();
    let chats = 30;
    for number in 0..chats {
        let (user, session) = (format!("user{number}"), format!("s{number}"));
        // A conversation that is continued reads the database; what the client tells in full does not.
        let body = serde_json::json!({"model": "echo", "stream": true, "messages": [
            {"role": "assistant", "content": "before"}, {"role": "user", "content": "hello"}]});
        let answer = say(&server, &user, &session, &body).await;
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.unwrap();
        assert_eq!(payloads(&text).last(), Some(&"[DONE]"));
    }
    let unhealthy = async || health(&server).await.1["database"] == "error";
    eventually(
        Duration::from_secs(10).saturating_sub(ended.elapsed()),
        unhealthy,
    )
    .await;
    assert!(server.metric("persist_queue_depth ").await.unwrap() > 0.0);
    let mongod = tokio::task::spawn_blocking(move || {
        mongod.up();
        mongod
    });
    let mongod = mongod.await.unwrap();
    let healthy = async || health(&server).await.0 == 200;
    eventually(Duration::from_secs(30), healthy).await;
    let kept = async || server.metric("persist_queue_depth ").await == Some(0.0);
    eventually(Duration::from_secs(30), kept).await;
    assert_eq!(server.metric("persist_lost_total ").await, Some(0.0));
    assert_eq!(count(&mongod, "conversations").await, chats);
    assert_eq!(count(&mongod, "messages").await, 2 * chats);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_end_waits_until_a_slow_database_has_everything() {
    let Some(mongod) = mongo::start(false).await else {
        return;
    };
    let store = mongo::store(&mongod, mongod.port).await;
    let server = Server::with_store(config(&[]), store).await;
    let healthy = async || health(&server).await.0 == 200;
    eventually(Duration::from_secs(10), healthy).await;
    let first = say(&server, "ann", "s1", &streamed("hello", 0)).await;
    first.text().await.unwrap();
    let kept = async || server.metric("persist_queue_depth ").await == Some(0.0);
    eventually(Duration::from_secs(10), kept).await;
    mongod.hold(true);
    for session in ["s2", "s3"] {
        let body = serde_json::json!({"model": "echo", "messages": [
            {"role": "assistant", "content": "before"}, {"role": "user", "content": "hello"}]});
        let answer = say(&server, "ann", session, &body).await;
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap();
    }
    server.shutdown.request();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    mongod.hold(false);
    let ended = tokio::time::timeout(Duration::from_secs(10), server.task).await;
    assert_eq!(ended.unwrap().unwrap().unwrap(), Ended::Drained);
    assert_eq!(count(&mongod, "messages").await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_without_its_database_and_says_so() {
    let uri = format!("mongodb://127.0.0.1:{}/aiagent", ports::free());
    let server = Server::with_store(config(&[]), mongo::open(&uri, None).await).await;
    assert_eq!(health(&server).await.0, 503);
    let answer = server.chat("ann", &streamed("hello", 0)).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_tls_file_that_is_not_there_keeps_the_server_from_starting() {
    let uri = "mongodb://127.0.0.1/aiagent?tls=true&tlsCAFile=/nowhere/ca.pem";
    let settings = MongoSettings::new(uri, None).unwrap();
    assert!(MongoStore::open(&settings).await.is_err());
}
