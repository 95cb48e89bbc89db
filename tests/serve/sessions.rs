//! Conversations over HTTP: kept, listed, continued, deleted, and nobody else's.

use serde_json::{Value, json};

use crate::harness::{Server, client, config, endless, eventually, payloads, streamed, token};
use crate::mock::Mock;
use std::time::Duration;

pub async fn say(server: &Server, user: &str, session: &str, body: &Value) -> reqwest::Response {
    let request = client().post(server.url("/v1/chat/completions"));
    let request = request
        .bearer_auth(token(user))
        .header("x-session-id", session);
    request.json(body).send().await.unwrap()
}

pub async fn get(server: &Server, user: &str, path: &str) -> Value {
    let request = client().get(server.url(path)).bearer_auth(token(user));
    request.send().await.unwrap().json().await.unwrap()
}

pub async fn contents(server: &Server, user: &str, session: &str) -> Vec<String> {
    let path = format!("/api/sessions/{session}/messages");
    let page = get(server, user, &path).await;
    let messages = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
    let content = |message: &Value| message["content"].as_str().unwrap().to_owned();
    messages.iter().map(content).collect()
}

#[tokio::test]
async fn a_turn_with_a_session_is_kept_and_listed_for_its_user_only() {
    let server = Server::start(config(&[])).await;
    let without = server.chat("ann", &streamed("not kept", 0)).await;
    without.text().await.unwrap();
    for (user, session, text) in [
        ("ann", "s1", "hello"),
        ("ann", "s2", "more"),
        ("bob", "s1", "mine"),
    ] {
        let answer = say(&server, user, session, &streamed(text, 0)).await;
        let text = answer.text().await.unwrap();
        assert_eq!(payloads(&text).last(), Some(&"[DONE]"));
    }
    let list = get(&server, "ann", "/api/sessions").await;
    let ids: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(ids, ["s2", "s1"]);
    assert_eq!(list["data"][1]["title"], "hello");
    assert_eq!(contents(&server, "ann", "s1").await, ["hello", "hello"]);
    assert_eq!(contents(&server, "bob", "s1").await, ["mine", "mine"]);
    let page = get(&server, "ann", "/api/sessions/s1/messages?limit=1").await;
    assert_eq!(
        (&page["hasMore"], &page["data"][0]["role"]),
        (&json!(true), &json!("user"))
    );
    let after = page["data"][0]["id"].as_str().unwrap();
    let rest = get(
        &server,
        "ann",
        &format!("/api/sessions/s1/messages?after={after}"),
    )
    .await;
    assert_eq!(rest["hasMore"], false);
    assert_eq!(rest["data"][0]["role"], "assistant");
    assert_eq!(rest["data"][0]["finishReason"], "stop");
    assert_eq!(rest["data"][0]["usage"]["total_tokens"], 2);
    assert_eq!(
        get(&server, "bob", "/api/sessions/s2/messages").await["error"]["code"],
        "session_not_found"
    );
}

#[tokio::test]
async fn a_deleted_conversation_is_gone_and_only_its_user_can_delete_it() {
    let server = Server::start(config(&[])).await;
    let mut body = streamed("hello", 0);
    body["stream"] = json!(false);
    assert_eq!(say(&server, "ann", "s1", &body).await.status(), 200);
    assert_eq!(contents(&server, "ann", "s1").await, ["hello", "hello"]);
    for (user, expected) in [("bob", 404), ("ann", 204), ("ann", 404)] {
        let request = client().delete(server.url("/api/sessions/s1"));
        let answer = request.bearer_auth(token(user)).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{user}");
    }
    assert_eq!(
        get(&server, "ann", "/api/sessions").await["data"],
        json!([])
    );
}

#[tokio::test]
async fn bad_session_ids_limits_and_missing_tokens_are_refused() {
    let server = Server::start(config(&[])).await;
    let refused = say(&server, "ann", "a/b", &streamed("x", 0)).await;
    assert_eq!(refused.status(), 400);
    let deep = (0..100).fold(json!(1), |inside, _| json!([inside]));
    let part = json!([{"type": "text", "text": "x", "deep": deep}]);
    let body = json!({"model": "echo", "messages": [{"role": "user", "content": part}]});
    let refused = say(&server, "ann", "s1", &body).await;
    assert_eq!(refused.status(), 400);
    for path in [
        "/api/sessions?limit=0",
        "/api/sessions?limit=201",
        "/api/sessions?before=soon",
    ] {
        assert_eq!(
            get(&server, "ann", path).await["error"]["code"],
            "invalid_request",
            "{path}"
        );
    }
    let answer = client()
        .get(server.url("/api/sessions"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn an_answer_that_broke_off_is_kept_as_interrupted() {
    let server = Server::start(config(&[])).await;
    let mut answer = say(&server, "ann", "s1", &streamed("one two three four", 100)).await;
    let mut heard = String::new();
    while !heard.contains("two") {
        heard.push_str(std::str::from_utf8(&answer.chunk().await.unwrap().unwrap()).unwrap());
    }
    drop(answer);
    let kept = async || {
        let page = get(&server, "ann", "/api/sessions/s1/messages").await;
        page["data"][1]["status"] == "interrupted"
            && page["data"][1]["content"]
                .as_str()
                .unwrap()
                .starts_with("one two ")
    };
    eventually(Duration::from_secs(5), kept).await;
    let silent = say(&server, "ann", "s2", &endless()).await;
    drop(silent);
    let freed = async || server.active().await == 0;
    eventually(Duration::from_secs(5), freed).await;
    assert_eq!(contents(&server, "ann", "s2").await, ["wait"]);
}

/// The texts that an upstream was sent.
fn sent(request: &str) -> Vec<String> {
    let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: Value = serde_json::from_str(body).unwrap();
    let messages = body["messages"].as_array().unwrap();
    let content = |message: &Value| message["content"].as_str().unwrap().to_owned();
    messages.iter().map(content).collect()
}

#[tokio::test]
async fn a_conversation_is_continued_from_what_was_kept_unless_the_client_sends_it() {
    let piece = |text: &str, finish: Value| {
        let choice = json!({"index": 0, "delta": {"content": text}, "finish_reason": finish});
        format!("data: {}\n\n", json!({"choices": [choice]}))
    };
    let script = |text: &str| {
        let body = piece(text, Value::Null) + &piece("", json!("stop")) + "data: [DONE]\n\n";
        crate::mock::stream(&body)
    };
    let mock = Mock::start(vec![script("first"), script("second"), script("third")]).await;
    let server = Server::start(mock.config()).await;
    let ask = |messages: Value| json!({"model": "ark", "stream": true, "messages": messages});
    let asked = [
        json!([{"role": "user", "content": "a"}]),
        json!([{"role": "system", "content": "be brief"}, {"role": "user", "content": "b"}]),
        json!([{"role": "assistant", "content": "own"}, {"role": "user", "content": "c"}]),
    ];
    for messages in asked {
        let answer = say(&server, "ann", "s1", &ask(messages)).await;
        answer.text().await.unwrap();
    }
    let requests = mock.requests();
    assert_eq!(sent(&requests[0]), ["a"]);
    assert_eq!(sent(&requests[1]), ["be brief", "a", "first", "b"]);
    assert_eq!(sent(&requests[2]), ["own", "c"]);
    let kept = contents(&server, "ann", "s1").await;
    assert_eq!(kept, ["a", "first", "b", "second", "c", "third"]);
}

#[tokio::test]
async fn a_question_that_the_model_refused_is_not_kept() {
    let mock = Mock::start(vec![crate::mock::answer(400, "", "{}")]).await;
    let server = Server::start(mock.config()).await;
    let body =
        json!({"model": "ark", "stream": true, "messages": [{"role": "user", "content": "a"}]});
    assert_eq!(say(&server, "ann", "s1", &body).await.status(), 400);
    assert_eq!(
        get(&server, "ann", "/api/sessions").await["data"],
        json!([])
    );
}
