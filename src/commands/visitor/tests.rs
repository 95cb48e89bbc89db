use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;
use crate::commands::block_on;
use crate::inventory::{EXAMPLE, Inventory};

/// A server that answers one request and leaves the stream open; whether its client then left.
fn server(answer: &'static str) -> (SocketAddr, JoinHandle<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 8192];
        let read = stream.read(&mut bytes).unwrap();
        assert!(bytes[..read].starts_with(b"POST /v1/chat/completions"));
        stream.write_all(answer.as_bytes()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        // What is left of the request, then the end.
        loop {
            match stream.read(&mut bytes) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    });
    (address, thread)
}

fn first_event(answer: &'static str) -> (Result<String, Error>, bool) {
    let inventory = Inventory::parse(EXAMPLE, "example.toml").unwrap();
    let (address, thread) = server(answer);
    let visitor = Visitor::new(&inventory.regions[0], address, "through nginx").unwrap();
    let result = block_on(async { Ok(visitor.first_event("token").await) }).unwrap();
    drop(visitor);
    (result, thread.join().unwrap())
}

#[test]
fn a_chat_is_left_as_soon_as_its_answer_begins() {
    let (result, left) = first_event(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: heartbeat\n\ndata: {\"choices\":[]}\n\n",
    );
    assert!(result.unwrap().starts_with("the first event after "));
    assert!(left, "the stream was left open");
}

#[test]
fn a_chat_that_is_refused_or_begins_with_an_error_is_told_with_its_reason() {
    let (refused, _) =
        first_event("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 8\r\n\r\nall full");
    let refused = refused.unwrap_err();
    assert!(refused.what.contains("503"), "{refused}");
    assert_eq!(refused.causes, ["all full"]);
    let (broken, _) =
        first_event("HTTP/1.1 200 OK\r\n\r\ndata: {\"error\":{\"message\":\"no such model\"}}\n\n");
    assert!(broken.unwrap_err().to_string().contains("no such model"));
}

#[test]
fn the_first_event_is_the_first_whole_line_of_data() {
    assert_eq!(
        first_payload(": heartbeat\n\ndata: {\"a\"")
            .into_iter()
            .count(),
        0
    );
    let text = ": heartbeat\n\ndata: {}\n\ndata: [DONE]\n\n";
    assert_eq!(first_payload(text), Some("{}"));
}

#[test]
fn health_in_the_guides_form_lacks_nothing_and_any_other_is_told_what() {
    let mut health = json!({
        "status": "healthy",
        "region": "US",
        "timestamp": "2024-12-01T00:00:00.000Z",
        "database": "ok",
        "sse": { "activeGlobal": 50, "maxGlobal": 200 },
    });
    assert_eq!(not_the_guides(&health), Vec::<&str>::new());
    health["database"] = json!("error");
    health["sse"] = json!({ "maxGlobal": "200" });
    let wrong = ["database: ok", "sse.activeGlobal", "sse.maxGlobal"];
    assert_eq!(not_the_guides(&health), wrong);
    assert_eq!(not_the_guides(&Value::Null).len(), 6);
}
