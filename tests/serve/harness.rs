//! A server on a port of its own within the test's process, and clients with tokens.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use geodeploy::secrets::Secret;
use geodeploy::serve::auth::{SigningKey, mint};
use geodeploy::serve::config::Config;
use geodeploy::serve::lifecycle::Shutdown;
use geodeploy::serve::listen::Listeners;
use geodeploy::serve::store::{EmbeddedStore, Store};
use geodeploy::serve::{Ended, StartError, run};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub const JWT_SECRET: &str = "0123456789abcdef0123456789abcdef";

pub struct Server {
    pub address: SocketAddr,
    pub shutdown: Shutdown,
    pub task: JoinHandle<Result<Ended, StartError>>,
}

impl Server {
    pub async fn start(config: Config) -> Self {
        Self::with_store(config, Arc::new(EmbeddedStore::new(None))).await
    }

    pub async fn with_store(config: Config, store: Arc<dyn Store>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::default();
        let task = tokio::spawn(run(
            Listeners::tcp(listener),
            config,
            store,
            shutdown.clone(),
        ));
        Self {
            address,
            shutdown,
            task,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn chat(&self, user: &str, body: &Value) -> reqwest::Response {
        chat(&client(), &self.url(""), user, body).await
    }

    pub async fn health(&self) -> Value {
        client()
            .get(self.url("/api/health"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    pub async fn active(&self) -> u64 {
        self.health().await["sse"]["activeGlobal"].as_u64().unwrap()
    }

    pub async fn metric(&self, line: &str) -> Option<f64> {
        let page = client()
            .get(self.url("/metrics"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        page.lines()
            .find_map(|found| found.strip_prefix(line)?.trim().parse().ok())
    }
}

/// The configuration of an echo server with tokens, changed by `changes`.
pub fn config(changes: &[(&str, &str)]) -> Config {
    let mut variables = BTreeMap::new();
    let defaults = [
        ("REGION", "US"),
        ("SERVER_NAME", "us-server"),
        ("MODEL", "echo"),
        ("JWT_SECRET", JWT_SECRET),
    ];
    for (name, value) in defaults.iter().chain(changes) {
        variables.insert((*name).to_owned(), (*value).to_owned());
    }
    Config::from_variables(&variables, false).unwrap()
}

pub fn token(user: &str) -> String {
    let key = SigningKey::Hs256(Secret::new(JWT_SECRET.to_owned()));
    mint(user, Duration::from_secs(3600), &key).unwrap()
}

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub async fn chat(
    client: &reqwest::Client,
    base: &str,
    user: &str,
    body: &Value,
) -> reqwest::Response {
    let request = client.post(format!("{base}/v1/chat/completions"));
    request
        .bearer_auth(token(user))
        .json(body)
        .send()
        .await
        .unwrap()
}

/// A streamed request whose echo takes `delay_ms` a word.
pub fn streamed(text: &str, delay_ms: u64) -> Value {
    json!({
        "model": "echo",
        "stream": true,
        "metadata": {"delay_ms": delay_ms.to_string()},
        "messages": [{"role": "user", "content": text}],
    })
}

/// A request that stays open until somebody ends it.
pub fn endless() -> Value {
    streamed("wait", 600_000)
}

/// The payloads of a whole event stream.
pub fn payloads(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect()
}

/// Asks until the answer is as wanted, or fails after `limit`.
pub async fn eventually<F: Future<Output = bool>>(limit: Duration, mut check: impl FnMut() -> F) {
    let begin = Instant::now();
    while !check().await {
        assert!(begin.elapsed() < limit, "not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
