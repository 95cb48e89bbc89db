//! An upstream that plays a script for each request it gets, and tells what it saw.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use geodeploy::secrets::Secret;
use geodeploy::serve::config::{Config, ModelConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::harness;

#[derive(Clone, Debug)]
pub enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    /// Keeps the connection until the other side closes it.
    Hold,
    /// Waits for another request on the same connection.
    Again,
}

#[derive(Default)]
pub struct Seen {
    pub requests: Mutex<Vec<String>>,
    pub connections: Mutex<usize>,
    pub left: Notify,
}

pub struct Mock {
    pub url: String,
    pub seen: Arc<Seen>,
}

pub const STREAM_HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

pub fn send(text: &str) -> Step {
    Step::Send(text.as_bytes().to_vec())
}

/// A stream of these bytes that ends when the connection does.
pub fn stream(body: &str) -> Vec<Step> {
    vec![send(STREAM_HEAD), send(body)]
}

/// An answer with a status, some headers and a body.
pub fn answer(status: u16, headers: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    vec![send(&format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    ))]
}

impl Mock {
    /// Plays `scripts` in the order of requests; the last one is repeated.
    pub async fn start(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v3", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                *shared.connections.lock().unwrap() += 1;
                tokio::spawn(play(connection, scripts.clone(), Arc::clone(&shared)));
            }
        });
        Self { url, seen }
    }

    pub fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// The configuration of a server whose upstream this is; it retries at once.
    pub fn config(&self) -> Config {
        config_for(&self.url)
    }
}

pub fn config_for(url: &str) -> Config {
    let mut config = harness::config(&[]);
    config.model = ModelConfig::Ark {
        url: url.to_owned(),
        key: Secret::new("the-secret-key".to_owned()),
        endpoint_id: "ep-1".to_owned(),
    };
    config.timings.retry = Duration::from_millis(10);
    config
}

async fn play(mut connection: TcpStream, scripts: Vec<Vec<Step>>, seen: Arc<Seen>) {
    connection.set_nodelay(true).unwrap();
    while let Some(request) = read_request(&mut connection).await {
        let index = {
            let mut requests = seen.requests.lock().unwrap();
            requests.push(request);
            (requests.len() - 1).min(scripts.len() - 1)
        };
        let mut again = false;
        for step in &scripts[index] {
            match step {
                Step::Send(bytes) => {
                    if connection.write_all(bytes).await.is_err() {
                        seen.left.notify_one();
                        return;
                    }
                }
                Step::Wait(time) => tokio::time::sleep(*time).await,
                Step::Hold => {
                    let mut rest = [0; 64];
                    while connection
                        .read(&mut rest)
                        .await
                        .is_ok_and(|count| count > 0)
                    {}
                    seen.left.notify_one();
                    return;
                }
                Step::Again => again = true,
            }
        }
        if !again {
            return;
        }
    }
}

async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = connection
            .read(&mut buffer)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        text.extend_from_slice(&buffer[..count]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        if body.len() >= length {
            return Some(so_far);
        }
    }
}
