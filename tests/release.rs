//! The host's binary as it is released: small, static, without the operator's code, and at home on an older system.

#![expect(clippy::unwrap_used, reason = "a test's helper fails as its test does")]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "common/lab.rs"]
mod common;
#[path = "common/field.rs"]
mod field;
#[expect(dead_code, reason = "the server's own tests use the rest")]
#[expect(unreachable_pub, reason = "a test program exports nothing")]
#[path = "serve/harness.rs"]
mod harness;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use field::{DOMAIN, Field};
use geodeploy::rehearse::base::Suite;
use harness::{JWT_SECRET, chat, payloads, streamed, token};
use serde_json::json;

/// What is shipped may be this large in zstd, so that it crosses 5 Mbit/s in 7.4 s: decision 7.
const LARGEST: usize = 4_600_000;

/// The release's file; without it the test is skipped, and how to build it is on stderr.
#[expect(
    clippy::disallowed_methods,
    reason = "the release may have been built elsewhere"
)]
fn release(test: &str) -> Option<PathBuf> {
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let path = std::env::var("GEODEPLOY_HOST_RELEASE").map_or_else(
        |_| {
            let built = Path::new(env!("CARGO_BIN_EXE_geodeploy"))
                .ancestors()
                .nth(2);
            built.unwrap().join(&triple).join("release/geodeploy-host")
        },
        PathBuf::from,
    );
    if path.is_file() {
        return Some(path);
    }
    eprintln!(
        "SKIPPED: {test}: there is no {}; build it: RUSTFLAGS=\"-C target-feature=+crt-static\" \
         cargo build --release --bin geodeploy-host --target {triple}",
        path.display()
    );
    None
}

fn number(bytes: &[u8], at: usize, size: usize) -> usize {
    let mut whole = [0; 8];
    whole[..size].copy_from_slice(&bytes[at..at + size]);
    usize::try_from(u64::from_le_bytes(whole)).unwrap()
}

/// What an ELF file (64 bits, little endian) asks the dynamic linker for: tags of the ELF specification, and glibc's.
fn asks_for(bytes: &[u8]) -> Vec<&'static str> {
    assert!(bytes.starts_with(b"\x7fELF\x02\x01"));
    let (table, size, count) = (
        number(bytes, 32, 8),
        number(bytes, 54, 2),
        number(bytes, 56, 2),
    );
    let mut asks = Vec::new();
    for header in (0..count).map(|index| table + index * size) {
        let (start, length) = (number(bytes, header + 8, 8), number(bytes, header + 32, 8));
        match number(bytes, header, 4) {
            3 => asks.push("an interpreter"),
            2 => {
                let entries = (start..start + length).step_by(16);
                asks.extend(entries.filter_map(|entry| match number(bytes, entry, 8) {
                    1 => Some("a library"),
                    0x6fff_fffe => Some("versions of symbols"),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    asks
}

#[test]
fn the_release_is_static_and_small() {
    let Some(path) = release("the_release_is_static_and_small") else {
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(asks_for(&bytes), Vec::<&str>::new());
    let dynamic = std::fs::read(env!("CARGO_BIN_EXE_geodeploy-host")).unwrap();
    assert!(asks_for(&dynamic).contains(&"versions of symbols"));
    let packed = zstd::bulk::compress(&bytes, 19).unwrap().len();
    println!("{} bytes, {packed} in zstd -19", bytes.len());
    assert!(packed <= LARGEST, "{packed} bytes in zstd -19");
}

#[test]
fn the_release_has_nothing_of_the_operators() {
    let Some(path) = release("the_release_has_nothing_of_the_operators") else {
        return;
    };
    let (host, operator) = (
        std::fs::read(path).unwrap(),
        std::fs::read(env!("CARGO_BIN_EXE_geodeploy")).unwrap(),
    );
    let has = |bytes: &[u8], text: &str| memchr::memmem::find(bytes, text.as_bytes()).is_some();
    for text in [
        "there is no geodeploy-host to ship",
        "geodeploy trust",
        "StrictHostKeyChecking",
        "systemd-nspawn",
        "Nothing but the network, its own two folders",
        "Volcengine Ark, or anything that speaks its OpenAI-compatible interface",
        "For more information, try",
    ] {
        assert!(has(&operator, text), "not even the operator has {text:?}");
        assert!(!has(&host, text), "the host has {text:?}");
    }
    assert!(has(&host, "global_stream_limit"));
}

/// A model service that answers one request with one word, and gives back what it was asked.
fn upstream(address: Ipv4Addr) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let mut reader = BufReader::new(&stream);
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let begin = head.len();
            reader.read_line(&mut head).unwrap();
            let line = head[begin..].to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        let event = r#"data: {"choices":[{"index":0,"delta":{"content":"by-its-name"}}]}"#;
        let head_of_answer =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close";
        stream
            .write_all(format!("{head_of_answer}\r\n\r\n{event}\n\ndata: [DONE]\n\n").as_bytes())
            .unwrap();
        head
    });
    (port, answer)
}

/// A second server on the twin asks a model service that has a name, as the guide's has.
///
/// The name is in the hosts file; a twin has no name server, any host has one, and without one no resolver is made.
fn names_are_resolved(field: &Field) {
    let (port, answer) = upstream(field.held.lab.operator().ipv4);
    let script = format!(
        "echo nameserver 192.0.2.1 > /etc/resolv.conf; \
         systemd-run --quiet --unit=by-name --setenv=REGION=US --setenv=SERVER_NAME=us-server \
         --setenv=JWT_SECRET={JWT_SECRET} --setenv=MODEL=ark --setenv=VOLCENGINE_API_KEY=key \
         --setenv=VOLCENGINE_ENDPOINT_ID=ep --setenv=VOLCENGINE_API_URL=http://model.test:{port}/api/v3 \
         /opt/geodeploy/current/geodeploy serve --port 8100 && \
         curl -sS --retry 20 --retry-connrefused --retry-delay 1 --max-time 60 \
         -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' -d '{}' \
         http://127.0.0.1:8100/v1/chat/completions",
        token("ann"),
        json!({"model": "ark", "stream": true, "messages": [{"role": "user", "content": "where"}]})
    );
    let said = field.twin().exec(["sh", "-c", &script]).unwrap();
    assert!(said.stdout.contains("by-its-name"), "{said:?}");
    let head = answer.join().unwrap().to_lowercase();
    assert!(
        head.contains(&format!("\r\nhost: model.test:{port}\r\n")),
        "{head}"
    );
}

async fn serves(field: &Field) {
    let (client, base) = (field.client(), format!("http://{DOMAIN}"));
    let health = client.get(format!("{base}/api/health")).send().await;
    let health = health.unwrap();
    assert_eq!(health.status(), 200);
    let health: serde_json::Value = health.json().await.unwrap();
    assert_eq!(
        (&health["status"], &health["region"]),
        (&"healthy".into(), &"US".into())
    );
    let answer = chat(&client, &base, "ann", &streamed("one two three", 1)).await;
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    assert_eq!(payloads(&text).last(), Some(&"[DONE]"), "{text}");
    assert!(payloads(&text).len() > 3, "{text}");
}

#[test]
fn the_release_runs_on_bullseye_and_a_newer_glibcs_program_is_not_even_sent() {
    let name = "the_release_runs_on_bullseye_and_a_newer_glibcs_program_is_not_even_sent";
    let Some(release) = release(name) else {
        return;
    };
    let hosts = [("model.test", "operator")];
    let Some(field) = Field::stand(name, "release", Suite::Bullseye, JWT_SECRET, &hosts) else {
        return;
    };
    let refused = field.geodeploy("provision", Path::new(env!("CARGO_BIN_EXE_geodeploy-host")));
    assert_eq!(refused.status.code(), Some(64));
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains("error: us: "), "{error}");
    assert!(error.contains("it needs glibc 2."), "{error}");
    assert!(error.contains("the host has 2.31"), "{error}");
    assert!(error.contains("--host-binary"), "{error}");
    let written = field.twin().exec(["test", "-e", "/opt/geodeploy"]).unwrap();
    assert!(!written.success(), "something was written");

    field.provision_and_deploy(&release);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(serves(&field));
    names_are_resolved(&field);
    let exposure = field.exposure();
    assert!(exposure <= 1.5, "{exposure}");
    let complaints =
        "journalctl -b -p warning -o cat _PID=1 | grep -E 'yourapp|Unknown|Failed to parse'";
    let complaints = field.twin().exec(["sh", "-c", complaints]).unwrap();
    assert_eq!(complaints.stdout, "", "systemd complained");

    let again = field.geodeploy("provision", &release);
    assert_eq!(again.status.code(), Some(0));
    let said = String::from_utf8(again.stdout).unwrap();
    assert!(said.contains("us: nothing to change"), "{said}");
    field.held.lab.down().unwrap();
}
