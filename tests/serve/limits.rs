//! The two limits under many clients at once.

use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::harness::{Server, chat, client, config, endless, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_users_at_once_exactly_two_hundred_are_served() {
    let server = Server::start(config(&[])).await;
    let client = client();
    let mut users = JoinSet::new();
    let begin = Instant::now();
    for user in 0..1000 {
        let (client, base) = (client.clone(), server.url(""));
        users.spawn(async move { chat(&client, &base, &format!("user{user}"), &endless()).await });
    }
    let mut open = Vec::new();
    let mut refused = 0;
    while let Some(answer) = users.join_next().await {
        let answer = answer.unwrap();
        if answer.status() == 200 {
            open.push(answer);
            continue;
        }
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"));
        let error: Value = answer.json().await.unwrap();
        assert_eq!(error["error"]["code"], "global_stream_limit");
        refused += 1;
    }
    println!("1,000 users answered in {:?}", begin.elapsed());
    assert_eq!((open.len(), refused), (200, 800));
    assert_eq!(server.active().await, 200);
    assert_eq!(server.metric("sse_utilization ").await, Some(1.0));
    let reason = "sse_rejected_total{reason=\"global_stream_limit\"}";
    assert_eq!(server.metric(reason).await, Some(800.0));
    drop(open);
    eventually(Duration::from_secs(2), async || server.active().await == 0).await;
}

#[tokio::test]
async fn a_users_second_stream_is_refused_until_the_first_ends() {
    let server = Server::start(config(&[("MAX_SSE_CONNECTIONS", "1")])).await;
    let first = server.chat("ann", &endless()).await;
    assert_eq!(first.status(), 200);
    let second = server.chat("ann", &endless()).await;
    assert_eq!(second.status(), 429);
    assert!(second.headers().contains_key("retry-after"));
    assert_eq!(second.headers()["x-should-retry"], "false");
    assert_eq!(
        second.json::<Value>().await.unwrap()["error"]["code"],
        "user_stream_limit"
    );
    assert_eq!(server.chat("bob", &endless()).await.status(), 503);
    drop(first);
    let begin = Instant::now();
    eventually(Duration::from_secs(2), async || server.active().await == 0).await;
    assert!(
        begin.elapsed() < Duration::from_millis(500),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(server.chat("ann", &endless()).await.status(), 200);
}

#[tokio::test]
async fn zero_admits_none() {
    let server = Server::start(config(&[("MAX_SSE_CONNECTIONS", "0")])).await;
    assert_eq!(server.chat("ann", &endless()).await.status(), 503);
    let server = Server::start(config(&[("MAX_SSE_CONNECTIONS_PER_USER", "0")])).await;
    assert_eq!(server.chat("ann", &endless()).await.status(), 429);
}

#[tokio::test]
#[ignore = "the kernel's user timeout takes half a minute"]
async fn a_client_that_never_reads_loses_its_slot() {
    let server = Server::start(config(&[])).await;
    // Some 20 MB of frames, more than the sockets of both sides take in.
    let text = "x ".repeat(100_000);
    let mut stalled = Vec::new();
    for user in 0..2 {
        let user = format!("user{user}");
        stalled.push(
            server
                .chat(&user, &crate::harness::streamed(&text, 0))
                .await,
        );
    }
    assert_eq!(server.active().await, 2);
    let begin = Instant::now();
    eventually(Duration::from_secs(45), async || server.active().await == 0).await;
    println!("freed after {:?}", begin.elapsed());
    assert!(
        begin.elapsed() > Duration::from_secs(10),
        "the sockets took in everything"
    );
    drop(stalled);
}

#[tokio::test]
async fn a_stream_that_ends_by_itself_gives_its_slot_back() {
    let server = Server::start(config(&[])).await;
    for _ in 0..20 {
        let answer = server.chat("ann", &crate::harness::streamed("a", 1)).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.text().await.unwrap().ends_with("data: [DONE]\n\n"));
        eventually(Duration::from_secs(10), async || server.active().await == 0).await;
    }
    assert_eq!(
        server
            .metric("sse_streams_total{outcome=\"complete\"}")
            .await,
        Some(20.0)
    );
}
