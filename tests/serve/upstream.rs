//! What each failure of the upstream becomes, and how often it is asked.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::harness::{Server, payloads};
use crate::mock::{Mock, Step, answer, config_for, send, stream};

const GOOD: &str =
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

fn ask(streaming: bool) -> Value {
    json!({"model": "ep-1", "stream": streaming, "messages": [{"role": "user", "content": "x"}]})
}

#[tokio::test]
async fn each_status_has_its_code_and_number_of_calls() {
    let rows: [(u16, &str, u16, &str, usize); 13] = [
        (401, "", 502, "upstream_auth", 1),
        (403, "", 502, "upstream_auth", 1),
        (404, "", 502, "upstream_config", 1),
        (402, "", 502, "upstream_error", 1),
        (400, "", 400, "upstream_rejected", 1),
        (409, "", 502, "upstream_error", 3),
        (429, "", 429, "upstream_rate_limited", 3),
        (429, "retry-after: 0\r\n", 429, "upstream_rate_limited", 3),
        (429, "retry-after: 60\r\n", 429, "upstream_rate_limited", 1),
        (
            429,
            "x-should-retry: false\r\n",
            429,
            "upstream_rate_limited",
            1,
        ),
        (500, "", 502, "upstream_error", 3),
        (503, "", 502, "upstream_error", 3),
        (
            301,
            "location: http://127.0.0.1:1/\r\n",
            502,
            "upstream_error",
            1,
        ),
    ];
    for (status, headers, expected, code, calls) in rows {
        for streaming in [true, false] {
            let mock = Mock::start(vec![answer(status, headers, "no, the-secret-key")]).await;
            let server = Server::start(mock.config()).await;
            let answer = server.chat("ann", &ask(streaming)).await;
            assert_eq!(answer.status(), expected, "{status} {headers}");
            assert_eq!(
                answer.headers().contains_key("retry-after"),
                expected == 429
            );
            if headers.contains("60") {
                assert_eq!(answer.headers()["retry-after"], "60");
            }
            let text = answer.text().await.unwrap();
            assert!(!text.contains("the-secret-key"), "{text}");
            let error: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(error["error"]["code"], code, "{status} {headers}");
            assert_eq!(mock.requests().len(), calls, "{status} {headers}");
            assert_eq!(server.active().await, 0);
        }
    }
}

#[tokio::test]
async fn a_bad_request_passes_through_with_the_upstreams_words() {
    let body = r#"{"error":{"message":"temperature is too high","type":"BadRequest","code":"InvalidParameter","param":"temperature"}}"#;
    let mock = Mock::start(vec![answer(400, "", body)]).await;
    let server = Server::start(mock.config()).await;
    let answer = server.chat("ann", &ask(true)).await;
    assert_eq!(answer.status(), 400);
    let mut error = answer.json::<Value>().await.unwrap()["error"].take();
    assert!(error["request_id"].take().is_string());
    assert_eq!(
        error,
        json!({"message": "temperature is too high", "type": "BadRequest", "code": "InvalidParameter",
            "param": "temperature", "request_id": null})
    );
}

#[tokio::test]
async fn a_call_that_fails_twice_and_then_works_is_a_success() {
    let failing = || answer(500, "", "");
    let mock = Mock::start(vec![failing(), failing(), stream(GOOD)]).await;
    let server = Server::start(mock.config()).await;
    let answer = server.chat("ann", &ask(true)).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        payloads(&answer.text().await.unwrap()).last(),
        Some(&"[DONE]")
    );
    assert_eq!(mock.requests().len(), 3);
}

#[tokio::test]
async fn the_upstreams_retry_after_is_obeyed() {
    let mock = Mock::start(vec![answer(429, "retry-after: 1\r\n", ""), stream(GOOD)]).await;
    let server = Server::start(mock.config()).await;
    let begin = Instant::now();
    assert_eq!(server.chat("ann", &ask(true)).await.status(), 200);
    let waited = begin.elapsed();
    assert!((1.0..1.9).contains(&waited.as_secs_f64()), "{waited:?}");
}

#[tokio::test]
async fn nothing_is_repeated_after_a_byte_was_forwarded() {
    let piece = "data: {\"choices\":[{\"delta\":{}}]}\n\n";
    let mock = Mock::start(vec![stream(piece), stream(GOOD)]).await;
    let server = Server::start(mock.config()).await;
    let text = server.chat("ann", &ask(true)).await.text().await.unwrap();
    assert!(text.contains("upstream_truncated"));
    assert_eq!(mock.requests().len(), 1);
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_a_bad_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = Server::start(config_for(&format!("http://{address}"))).await;
    let answer = server.chat("ann", &ask(true)).await;
    assert_eq!(answer.status(), 502);
    let error: Value = answer.json().await.unwrap();
    assert_eq!(error["error"]["code"], "upstream_error");
    assert!(!error.to_string().contains(&address.to_string()));
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_not_repeated() {
    let mock = Mock::start(vec![vec![]]).await;
    let server = Server::start(mock.config()).await;
    assert_eq!(server.chat("ann", &ask(true)).await.status(), 502);
    assert_eq!(mock.requests().len(), 1);
}

#[tokio::test]
async fn an_upstream_without_a_status_is_a_gateway_timeout() {
    let mock = Mock::start(vec![vec![Step::Hold]]).await;
    let mut config = mock.config();
    config.timings.first_byte = Duration::from_millis(200);
    let server = Server::start(config).await;
    assert_eq!(server.chat("ann", &ask(true)).await.status(), 504);
}

#[tokio::test]
async fn a_failure_after_the_status_line_was_sent_comes_as_a_frame() {
    let late = vec![
        Step::Wait(Duration::from_millis(200)),
        send("HTTP/1.1 401 X\r\ncontent-length: 0\r\n\r\n"),
    ];
    let mock = Mock::start(vec![late]).await;
    let mut config = mock.config();
    config.timings.status_wait = Duration::from_millis(50);
    let server = Server::start(config).await;
    let answer = server.chat("ann", &ask(true)).await;
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    assert!(
        text.contains("\"code\":\"upstream_auth\"") && !text.contains("[DONE]"),
        "{text}"
    );
}

#[tokio::test]
async fn an_unstreamed_answer_passes_byte_for_byte() {
    let body = r#"{"id":"1",  "choices":[{"message":{"content":"北京"}}]}"#;
    let mock = Mock::start(vec![answer(
        200,
        "content-type: application/json\r\n",
        body,
    )])
    .await;
    let server = Server::start(mock.config()).await;
    let answer = server.chat("ann", &ask(false)).await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.text().await.unwrap(), body);
}
