//! A service that asks to slow down, or does not answer.

use std::time::{Duration, Instant};

use geodeploy::dns::Provider;
use geodeploy::error::ErrorKind;

use crate::fake::{Reply, Server};
use crate::suite::{Backend, Operator, wanted};

fn slow_down(seconds: u64) -> Reply {
    let mut reply = Reply::error(429, 10_429, "Please wait and consider throttling");
    reply.retry_after = Some(seconds);
    reply
}

fn posts(server: &Server, end: &str) -> usize {
    let writes = server.writes();
    let posts = writes
        .iter()
        .filter(|call| call.method == "POST" && call.path.ends_with(end));
    posts.count()
}

#[tokio::test]
async fn retry_after_is_waited_for_and_a_call_that_was_not_carried_out_is_sent_again() {
    let server = Server::start().await;
    server
        .store()
        .faults
        .push(("POST", "load_balancers/monitors", slow_down(1)));
    let began = Instant::now();
    Operator::new(server.provider()).sync().await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(posts(&server, "load_balancers/monitors"), 3);
    assert_eq!(server.store().monitors.len(), 2);
    assert_eq!(Operator::new(server.provider()).sync().await, Ok(0));
}

#[tokio::test]
async fn a_block_that_is_longer_than_the_deadline_is_told_at_once() {
    let server = Server::start().await;
    server.store().throttled.push_back(Some(300));
    let began = Instant::now();
    let error = server.provider().list(&wanted()).await.err().unwrap();
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.hints[0].contains("300 s"), "{error:?}");
}

#[tokio::test]
async fn a_service_that_asks_for_patience_for_ever_is_given_up_at_the_deadline() {
    let server = Server::start().await;
    server.store().throttled.extend([None; 100]);
    let began = Instant::now();
    let error = server.provider().list(&wanted()).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(server.log().len() > 1);
}

#[tokio::test]
async fn a_create_without_a_certain_answer_is_not_sent_again_and_the_next_run_makes_no_second_one()
{
    let server = Server::start().await;
    server.store().faults.push((
        "POST",
        "load_balancers/pools",
        Reply::error(502, 0, "bad gateway"),
    ));
    let error = Operator::new(server.provider()).sync().await.unwrap_err();
    let text = format!("{error:?}");
    assert!(
        text.contains("create pool") && text.contains("status 502"),
        "{text}"
    );
    assert_eq!(posts(&server, "load_balancers/pools"), 1);
    Operator::new(server.provider()).sync().await.unwrap();
    assert_eq!(server.store().pools.len(), 2);
    assert_eq!(server.store().monitors.len(), 2);
}

#[tokio::test]
async fn a_read_is_sent_again_after_a_gateways_error() {
    let server = Server::start().await;
    server
        .store()
        .faults
        .push(("GET", "dns_records", Reply::error(503, 0, "try later")));
    assert!(server.provider().list(&wanted()).await.is_ok());
    let records = |call: &&crate::fake::Call| call.path.ends_with("dns_records");
    assert_eq!(server.log().iter().filter(records).count(), 2);
}
