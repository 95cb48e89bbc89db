//! The end of a server: bounded, and told to whoever is still there.

use std::time::Duration;

use geodeploy::serve::Ended;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::harness::{Server, chat, client, config, endless, streamed};

/// Far below the default of `DRAIN_TIMEOUT`, and enough for a busy machine.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn draining_lets_a_stream_finish_and_accepts_no_connection() {
    let server = Server::start(config(&[])).await;
    let kept = client();
    assert_eq!(
        kept.get(server.url("/readyz"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let answer = server.chat("ann", &streamed("a b c d", 300)).await;
    let begin = Instant::now();
    server.shutdown.request();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let ready = kept.get(server.url("/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.headers()["connection"], "close");
    assert!(TcpStream::connect(server.address).await.is_err());
    assert!(answer.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    let ended = timeout(SOON, server.task).await.unwrap().unwrap().unwrap();
    assert_eq!(ended, Ended::Drained);
    assert!(begin.elapsed() > Duration::from_secs(1));
}

#[tokio::test]
async fn a_request_on_an_open_connection_is_served_when_draining_has_just_begun() {
    let server = Server::start(config(&[])).await;
    let kept = client();
    kept.get(server.url("/livez"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    server.shutdown.request();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer = chat(&kept, &server.url(""), "ann", &streamed("hi", 1)).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    let ended = timeout(SOON, server.task).await.unwrap().unwrap().unwrap();
    assert_eq!(ended, Ended::Drained);
}

#[tokio::test]
async fn at_the_bound_a_stream_ends_with_a_draining_frame() {
    let server = Server::start(config(&[("DRAIN_TIMEOUT", "2")])).await;
    let answer = server.chat("ann", &endless()).await;
    let begin = Instant::now();
    server.shutdown.request();
    let text = answer.text().await.unwrap();
    assert!(
        text.contains("\"code\":\"draining\"") && !text.contains("[DONE]"),
        "{text}"
    );
    assert!(text.contains("\nretry: "), "{text}");
    let ended = timeout(SOON, server.task).await.unwrap().unwrap().unwrap();
    assert_eq!(ended, Ended::Drained);
    let took = begin.elapsed().as_secs_f64();
    assert!((2.0..3.0).contains(&took), "{took}");
}

#[tokio::test]
async fn an_idle_server_ends_within_its_linger() {
    let server = Server::start(config(&[])).await;
    let kept = client();
    kept.get(server.url("/livez"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    server.shutdown.request();
    let ended = timeout(SOON, server.task).await.unwrap().unwrap().unwrap();
    assert_eq!(ended, Ended::Drained);
}

#[tokio::test]
async fn a_second_request_to_end_leaves_at_once() {
    let server = Server::start(config(&[])).await;
    let mut answer = server.chat("ann", &endless()).await;
    answer.chunk().await.unwrap();
    server.shutdown.request();
    server.shutdown.request();
    let ended = timeout(SOON, server.task).await.unwrap().unwrap().unwrap();
    assert_eq!(ended, Ended::Cut);
    assert!(answer.text().await.is_err());
}

#[tokio::test]
async fn a_client_that_never_reads_does_not_hold_up_the_end() {
    let server = Server::start(config(&[("DRAIN_TIMEOUT", "1")])).await;
    // Some 20 MB of frames, more than the sockets of both sides take in.
    let answer = server
        .chat("ann", &streamed(&"x ".repeat(100_000), 0))
        .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let begin = Instant::now();
    server.shutdown.request();
    let ended = timeout(Duration::from_secs(4), server.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(ended, Ended::Drained);
    assert!(
        begin.elapsed() > Duration::from_secs(2),
        "the sockets took in everything"
    );
    drop(answer);
}
