//! Two processes on one embedded store, as during a switch of generations.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests start servers themselves"
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{JWT_SECRET, client, eventually, streamed, token};
use crate::server::ports;

struct Generation {
    child: Child,
    port: u16,
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Generation {
    async fn start(state: &Path) -> Self {
        let port = ports::free();
        let child = Command::new(env!("CARGO_BIN_EXE_geodeploy-host"))
            .arg("serve")
            .env_clear()
            .env("REGION", "US")
            .env("SERVER_NAME", "us-server")
            .env("MODEL", "echo")
            .env("JWT_SECRET", JWT_SECRET)
            .env("PORT", port.to_string())
            .env("STATE_DIRECTORY", state)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let generation = Self { child, port };
        let healthy = async || {
            let answer = client().get(generation.url("/api/health")).send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        };
        eventually(Duration::from_secs(20), healthy).await;
        generation
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Says `count` things as a user in a session of its own, one after the other.
    async fn talk(&self, user: &str, count: usize) {
        for number in 0..count {
            let request = client().post(self.url("/v1/chat/completions"));
            let request = request.bearer_auth(token(user)).header("x-session-id", "s");
            let body = streamed(&format!("{user}{number}"), 0);
            let answer = request.json(&body).send().await.unwrap();
            assert!(answer.text().await.unwrap().ends_with("data: [DONE]\n\n"));
        }
    }

    async fn messages(&self, user: &str) -> Vec<Value> {
        let path = self.url("/api/sessions/s/messages?limit=200");
        let answer = client().get(path).bearer_auth(token(user)).send().await;
        let page: Value = answer.unwrap().json().await.unwrap();
        page["data"].as_array().cloned().unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_generations_write_one_embedded_store_and_see_each_others_messages() {
    let state = tempfile::tempdir().unwrap();
    let old = Generation::start(state.path()).await;
    old.talk("zoe", 1).await;
    let new = Generation::start(state.path()).await;
    tokio::join!(old.talk("ann", 20), new.talk("bob", 20));
    for (writer, reader, user) in [
        (&old, &new, "ann"),
        (&new, &old, "bob"),
        (&old, &new, "zoe"),
    ] {
        let written = writer.messages(user).await;
        assert_eq!(written.len(), if user == "zoe" { 2 } else { 40 });
        assert_eq!(reader.messages(user).await, written);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_killed_while_it_writes_leaves_the_other_one_working() {
    let state = tempfile::tempdir().unwrap();
    let old = Generation::start(state.path()).await;
    let new = Generation::start(state.path()).await;
    old.talk("ann", 3).await;
    assert_eq!(old.messages("ann").await.len(), 6);
    let request = client().post(old.url("/v1/chat/completions"));
    let request = request
        .bearer_auth(token("ann"))
        .header("x-session-id", "s");
    let last = request.json(&streamed("last", 0)).send().await.unwrap();
    drop(old);
    drop(last);
    new.talk("bob", 3).await;
    assert_eq!(new.messages("bob").await.len(), 6);
    let kept = new.messages("ann").await;
    assert!(kept.len() >= 6, "{kept:?}");
    assert_eq!(kept[0]["content"], json!("ann0"));
    let third = Generation::start(state.path()).await;
    assert_eq!(third.messages("bob").await.len(), 6);
}
