//! What passes through from the upstream to the client.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::harness::{Server, eventually, payloads};
use crate::mock::{Mock, STREAM_HEAD, Step, send, stream};

fn ask() -> Value {
    json!({"model": "ark", "stream": true, "messages": [{"role": "user", "content": "x"}]})
}

const BODY: &str = concat!(
    "data: {\"choices\":[{\"delta\":{\"content\":\"北京\",\"reasoning_content\":\"想\"},\"finish_reason\":null}],\"usage\":null}\r\n\r\n",
    ": keep-alive\n\n",
    "data:{\"choices\":[],  \"moderation_hit_type\":\"x\",\"encrypted_content\":\"e/+=\"}\n\n",
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"service_tier\":\"default\"}\n\n",
    "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n",
    "data: [DONE]\n\n",
);
const PASSED: [&str; 4] = [
    "{\"choices\":[{\"delta\":{\"content\":\"北京\",\"reasoning_content\":\"想\"},\"finish_reason\":null}],\"usage\":null}",
    "{\"choices\":[],  \"moderation_hit_type\":\"x\",\"encrypted_content\":\"e/+=\"}",
    "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"service_tier\":\"default\"}",
    "[DONE]",
];

#[tokio::test]
async fn payloads_pass_byte_for_byte_wherever_the_upstream_cuts() {
    let scripts = (0..=BODY.len())
        .map(|cut| {
            let (left, right) = BODY.as_bytes().split_at(cut);
            let pause = Step::Wait(Duration::from_millis(1));
            vec![
                send(STREAM_HEAD),
                Step::Send(left.to_vec()),
                pause,
                Step::Send(right.to_vec()),
            ]
        })
        .collect();
    let mock = Mock::start(scripts).await;
    let server = Server::start(mock.config()).await;
    for cut in 0..=BODY.len() {
        let text = server
            .chat(&format!("user{cut}"), &ask())
            .await
            .text()
            .await
            .unwrap();
        assert_eq!(payloads(&text), PASSED, "cut at {cut}");
    }
}

#[tokio::test]
async fn the_upstream_gets_its_own_model_name_the_key_and_the_requests_id() {
    let mock = Mock::start(vec![stream(BODY)]).await;
    let server = Server::start(mock.config()).await;
    let answer = server.chat("ann", &ask()).await;
    let id = answer.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    answer.text().await.unwrap();
    let request = &mock.requests()[0];
    assert!(
        request.starts_with("POST /api/v3/chat/completions HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("authorization: Bearer the-secret-key\r\n"));
    assert!(request.contains(&format!("x-client-request-id: {id}\r\n")));
    assert!(request.contains("\"model\":\"ep-1\""));
    assert!(request.contains("\"stream_options\":{\"include_usage\":true}"));
}

#[tokio::test]
async fn an_upstream_that_closes_early_is_an_error_and_never_a_success() {
    let piece = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    let cut_line = format!("{piece}data: {{\"choices\":[{{\"fin");
    for body in [piece, "", &cut_line] {
        let mock = Mock::start(vec![stream(body)]).await;
        let server = Server::start(mock.config()).await;
        let text = server.chat("ann", &ask()).await.text().await.unwrap();
        let frames = payloads(&text);
        let error: Value = serde_json::from_str(frames.last().unwrap()).unwrap();
        assert_eq!(error["error"]["code"], "upstream_truncated");
        assert!(!text.contains("[DONE]"));
        eventually(Duration::from_secs(10), async || server.active().await == 0).await;
        let outcome = "sse_streams_total{outcome=\"upstream_truncated\"}";
        assert_eq!(server.metric(outcome).await, Some(1.0));
    }
}

#[tokio::test]
async fn a_finished_answer_without_its_end_mark_is_completed() {
    let body = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    let mock = Mock::start(vec![stream(body)]).await;
    let server = Server::start(mock.config()).await;
    let text = server.chat("ann", &ask()).await.text().await.unwrap();
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
}

#[tokio::test]
async fn an_error_within_a_stream_ends_it_with_one_error_frame() {
    let body = "data: {\"choices\":[{\"delta\":{}}]}\n\ndata: {\"error\":{\"message\":\"overloaded\"}}\n\ndata: [DONE]\n\n";
    let mock = Mock::start(vec![stream(body)]).await;
    let server = Server::start(mock.config()).await;
    let text = server.chat("ann", &ask()).await.text().await.unwrap();
    let frames = payloads(&text);
    assert_eq!(frames.len(), 2);
    let error: Value = serde_json::from_str(frames[1]).unwrap();
    assert_eq!(error["error"]["code"], "upstream_error");
    assert!(
        error["error"]["message"]
            .as_str()
            .unwrap()
            .contains("overloaded")
    );
}

#[tokio::test]
async fn heartbeats_come_before_the_first_token_with_or_without_the_upstreams_status() {
    let late = Duration::from_millis(700);
    let with_status = vec![send(STREAM_HEAD), Step::Wait(late), send(BODY)];
    let without = vec![Step::Wait(late), send(STREAM_HEAD), send(BODY)];
    for script in [with_status, without] {
        let mock = Mock::start(vec![script]).await;
        let mut config = mock.config();
        config.timings.heartbeat = Duration::from_millis(100);
        config.timings.status_wait = Duration::from_millis(50);
        let server = Server::start(config).await;
        let text = server.chat("ann", &ask()).await.text().await.unwrap();
        let beats = text.matches(": heartbeat\n\n").count();
        assert!((4..=7).contains(&beats), "{beats} heartbeats");
        assert!(text.starts_with(": heartbeat\n\n"));
        assert_eq!(payloads(&text), PASSED);
    }
}

#[tokio::test]
async fn silence_within_an_answer_and_before_it_times_out_with_an_error_frame() {
    let piece = "data: {\"choices\":[{\"delta\":{}}]}\n\n";
    for script in [
        vec![send(STREAM_HEAD), send(piece), Step::Hold],
        vec![Step::Hold],
    ] {
        let mock = Mock::start(vec![script]).await;
        let mut config = mock.config();
        config.timings.gap = Duration::from_millis(200);
        config.timings.first_byte = Duration::from_millis(300);
        config.timings.status_wait = Duration::from_millis(50);
        let server = Server::start(config).await;
        let text = server.chat("ann", &ask()).await.text().await.unwrap();
        assert!(text.contains("\"code\":\"upstream_timeout\""), "{text}");
        timeout(Duration::from_secs(10), mock.seen.left.notified())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_client_that_leaves_closes_the_upstream_at_any_stage() {
    let piece = "data: {\"choices\":[{\"delta\":{}}]}\n\n";
    let before_status = vec![Step::Hold];
    let before_token = vec![send(STREAM_HEAD), Step::Hold];
    let amid = vec![send(STREAM_HEAD), send(piece), Step::Hold];
    for (streaming, script) in [
        (true, before_status.clone()),
        (false, before_status),
        (true, before_token),
        (true, amid),
    ] {
        let mock = Mock::start(vec![script]).await;
        let server = Server::start(mock.config()).await;
        let mut body = ask();
        body["stream"] = json!(streaming);
        let mut asking = Box::pin(server.chat("ann", &body));
        let arrived = eventually(Duration::from_secs(10), async || mock.requests().len() == 1);
        let early = tokio::select! {
            () = arrived => None,
            answer = &mut asking => Some(answer),
        };
        let answer = match early {
            Some(answer) => Some(answer),
            None => timeout(Duration::from_millis(200), &mut asking).await.ok(),
        };
        if let Some(answer) = &answer {
            assert_eq!(answer.status(), 200);
        }
        assert_eq!(mock.requests().len(), 1);
        let begin = Instant::now();
        drop((asking, answer));
        timeout(Duration::from_millis(500), mock.seen.left.notified())
            .await
            .unwrap();
        eventually(Duration::from_millis(500), async || {
            server.active().await == 0
        })
        .await;
        assert!(begin.elapsed() < Duration::from_millis(500));
    }
}

#[tokio::test]
async fn a_finished_stream_leaves_a_warm_connection() {
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{BODY}\r\n",
        BODY.len()
    );
    let late_end = vec![
        send(&chunked),
        Step::Wait(Duration::from_millis(50)),
        send("0\r\n\r\n"),
        Step::Again,
    ];
    let mock = Mock::start(vec![late_end]).await;
    let server = Server::start(mock.config()).await;
    for _ in 0..3 {
        server.chat("ann", &ask()).await.text().await.unwrap();
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert_eq!(mock.requests().len(), 3);
    assert_eq!(*mock.seen.connections.lock().unwrap(), 1);
}
