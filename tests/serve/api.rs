//! Routes, their shapes, and what is refused before any model is asked.

use std::num::NonZeroU32;
use std::sync::Arc;

use geodeploy::serve::store::{
    AgentSession, Answer, Conversation, DatabaseHealth, Message, Part, Store, StoreError, Write,
};
use serde_json::{Value, json};

use crate::harness::{Server, client, config, payloads, streamed, token};

/// A database that nobody reaches.
struct BrokenStore;

fn away<T: Send + 'static>() -> Answer<T> {
    Box::pin(std::future::ready(Err(StoreError::Unavailable(
        "away".to_owned(),
    ))))
}

impl Store for BrokenStore {
    fn health(&self) -> DatabaseHealth {
        DatabaseHealth::Error
    }

    fn write(&self, _: Vec<Write>) -> Answer<()> {
        away()
    }

    fn conversations(
        &self,
        _: &str,
        _: Option<jiff::Timestamp>,
        _: NonZeroU32,
    ) -> Answer<Vec<Conversation>> {
        away()
    }

    fn messages(&self, _: &str, _: &str, _: Part) -> Answer<Option<Vec<Message>>> {
        away()
    }

    fn agent_session(&self, _: &str, _: &str, _: jiff::Timestamp) -> Answer<Option<AgentSession>> {
        away()
    }
}

fn without_time(mut health: Value) -> Value {
    let time = health["timestamp"].take();
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    let age = jiff::Timestamp::now().duration_since(time).as_secs();
    assert!((0..5).contains(&age), "{age} s old");
    health
}

#[tokio::test]
async fn health_has_the_guides_shape_when_healthy_and_when_not() {
    let server = Server::start(config(&[])).await;
    let answer = client()
        .get(server.url("/api/health"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let expected = json!({
        "status": "healthy", "region": "US", "timestamp": null, "database": "ok",
        "sse": {"activeGlobal": 0, "maxGlobal": 200},
    });
    assert_eq!(without_time(answer.json().await.unwrap()), expected);

    let server = Server::with_store(config(&[]), Arc::new(BrokenStore)).await;
    let answer = client()
        .get(server.url("/api/health"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 503);
    let health = without_time(answer.json().await.unwrap());
    assert_eq!(
        (&health["status"], &health["database"]),
        (&json!("unhealthy"), &json!("error"))
    );
}

#[tokio::test]
async fn live_ready_models_and_metrics_answer() {
    let server = Server::start(config(&[])).await;
    for path in ["/livez", "/readyz", "/metrics"] {
        let answer = client().get(server.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    assert_eq!(server.metric("sse_max_connections ").await, Some(200.0));
    let answer = client().get(server.url("/v1/models")).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let request = client()
        .get(server.url("/v1/models"))
        .bearer_auth(token("ann"));
    let models: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(models["data"][0]["id"], "echo");
}

#[tokio::test]
async fn a_streamed_echo_is_a_whole_openai_stream() {
    let server = Server::start(config(&[])).await;
    let answer = server.chat("ann", &streamed("你好 big world", 1)).await;
    assert_eq!(answer.status(), 200);
    let headers = answer.headers().clone();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-cache, no-transform");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert!(headers.contains_key("x-request-id") && headers.contains_key("x-stream-id"));
    let text = answer.text().await.unwrap();
    let frames = payloads(&text);
    assert_eq!(frames.last(), Some(&"[DONE]"));
    let chunks: Vec<Value> = frames[..frames.len() - 1]
        .iter()
        .map(|frame| serde_json::from_str(frame).unwrap())
        .collect();
    let said: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(said, "你好 big world");
    assert_eq!(
        chunks.last().unwrap()["choices"][0]["finish_reason"],
        "stop"
    );
}

#[tokio::test]
async fn token_counts_come_only_when_asked_for() {
    let server = Server::start(config(&[])).await;
    let mut body = streamed("a b", 1);
    let without = server.chat("ann", &body).await.text().await.unwrap();
    assert!(!without.contains("total_tokens"));
    body["stream_options"] = json!({"include_usage": true});
    let with = server.chat("ann", &body).await.text().await.unwrap();
    let frames = payloads(&with);
    let usage: Value = serde_json::from_str(frames[frames.len() - 2]).unwrap();
    assert_eq!(
        (&usage["choices"], &usage["usage"]["total_tokens"]),
        (&json!([]), &json!(4))
    );
}

#[tokio::test]
async fn an_unstreamed_echo_is_one_json_answer() {
    let server = Server::start(config(&[])).await;
    let mut body = streamed("hello", 1);
    body["stream"] = json!(false);
    let answer: Value = server.chat("ann", &body).await.json().await.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "hello");
    assert_eq!(server.active().await, 0);
}

/// Method, path, whether there is a token, content type, body, then status and code of the answer.
const REFUSALS: &str = "
    POST /v1/chat/completions no  application/json good  401 missing_token
    POST /v1/chat/completions yes text/plain       good  415 unsupported_media_type
    POST /v1/chat/completions yes application/json cut   400 invalid_request
    POST /v1/chat/completions yes application/json bare  400 invalid_request
    POST /v1/chat/completions yes application/json large 413 body_too_large
    POST /v1/chat/completions yes application/json other 404 model_not_found
    GET  /v1/chat/completions yes application/json none  405 method_not_allowed
    GET  /nowhere             yes application/json none  404 not_found
";

fn body(name: &str) -> String {
    let good = streamed("x", 1).to_string();
    match name {
        "good" => good,
        "cut" => good[..good.len() - 1].to_owned(),
        "bare" => r#"{"model":"echo"}"#.to_owned(),
        "large" => format!(r#"{{"model":"echo","x":"{}"}}"#, "x".repeat(1 << 20)),
        "other" => good.replace("\"echo\"", "\"gpt\""),
        _ => String::new(),
    }
}

#[tokio::test]
async fn every_refusal_has_openais_envelope_and_the_requests_id() {
    let server = Server::start(config(&[])).await;
    for row in REFUSALS.trim().lines() {
        let cells: Vec<&str> = row.split_whitespace().collect();
        let mut request = client()
            .request(cells[0].parse().unwrap(), server.url(cells[1]))
            .header("content-type", cells[3])
            .header("x-request-id", "my-request")
            .body(body(cells[4]));
        if cells[2] == "yes" {
            request = request.bearer_auth(token("ann"));
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_str(), cells[5], "{row}");
        assert_eq!(answer.headers()["x-request-id"], "my-request");
        let error = answer.json::<Value>().await.unwrap()["error"].take();
        assert_eq!(error["code"], cells[6], "{row}");
        assert_eq!(error["request_id"], "my-request");
        assert!(error["message"].is_string() && error["type"].is_string());
        assert!(error.as_object().unwrap().contains_key("param"));
    }
    let counted = "http_errors_total{code=\"missing_token\"}";
    assert_eq!(server.metric(counted).await, Some(1.0));
}

#[tokio::test]
async fn dev_lets_everyone_in_as_one_user() {
    let dev = geodeploy::serve::config::Config::from_variables(&Default::default(), true).unwrap();
    let server = Server::start(dev).await;
    let request = client()
        .post(server.url("/v1/chat/completions"))
        .json(&streamed("hi", 1));
    assert_eq!(request.send().await.unwrap().status(), 200);
}
