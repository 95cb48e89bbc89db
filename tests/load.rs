//! A thousand users at once: what they get straight from the server, and through the nginx of a provisioned host.

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

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use field::{DOMAIN, Field};
use geodeploy::rehearse::base::Suite;
use harness::{JWT_SECRET, chat, client, endless, eventually, token};
use reqwest::Client;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const USERS: usize = 1000;
const STREAMS: usize = 200;

/// Each user takes a connection here, and one more at a server within this process.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(u64::MAX).min(8192);
    let current = Some(limit.current.unwrap_or(u64::MAX).max(wanted));
    let maximum = limit.maximum;
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    assert!(
        wanted > 2 * USERS as u64,
        "{wanted} descriptors are too few"
    );
}

/// A server, and the name by which it is asked.
struct Target {
    address: SocketAddr,
    host: String,
    client: Client,
}

impl Target {
    fn base(&self) -> String {
        format!("http://{}", self.host)
    }

    async fn active(&self) -> u64 {
        let answer = self.client.get(format!("{}/api/health", self.base()));
        let health: Value = answer.send().await.unwrap().json().await.unwrap();
        health["sse"]["activeGlobal"].as_u64().unwrap()
    }

    async fn nobody_left(&self) {
        eventually(Duration::from_secs(5), async || self.active().await == 0).await;
    }

    /// A user's request for a stream over a connection of its own.
    fn request(&self, user: &str) -> String {
        let body = endless().to_string();
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.host,
            token(user),
            body.len()
        )
    }
}

/// Sends a request and reads the head of a stream, or the whole of a refusal.
async fn ask(connection: &mut TcpStream, request: &str) -> String {
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        let read = connection.read_buf(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer);
        if read == 0 || text.starts_with("HTTP/1.1 200 ") && text.contains("\r\n\r\n") {
            return text.into_owned();
        }
    }
}

/// Connects all users, lets them all ask at once, counts, and lets them go.
async fn crowd(name: &str, target: &Target) {
    let mut connections = Vec::new();
    for _ in 0..USERS {
        connections.push(TcpStream::connect(target.address).await.unwrap());
    }
    let mut users = JoinSet::new();
    let begin = Instant::now();
    for (user, mut connection) in connections.into_iter().enumerate() {
        let user = format!("user{user}");
        let request = target.request(&user);
        users.spawn(async move {
            let answer = ask(&mut connection, &request).await;
            (user, connection, answer)
        });
    }
    let (mut open, mut refused) = (Vec::new(), 0);
    while let Some(answered) = users.join_next().await {
        let (user, connection, answer) = answered.unwrap();
        if answer.starts_with("HTTP/1.1 200 ") {
            open.push((user, connection));
            continue;
        }
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.to_lowercase().contains("\r\nretry-after: "));
        assert!(answer.contains(r#""code":"global_stream_limit""#));
        refused += 1;
    }
    println!("{name}: {USERS} users answered in {:?}", begin.elapsed());
    assert_eq!((open.len(), refused), (STREAMS, USERS - STREAMS));
    assert_eq!(target.active().await, STREAMS as u64);

    let second = chat(&target.client, &target.base(), &open[0].0, &endless()).await;
    assert_eq!(second.status(), 429);
    let error: Value = second.json().await.unwrap();
    assert_eq!(error["error"]["code"], "user_stream_limit");

    let begin = Instant::now();
    drop(open);
    target.nobody_left().await;
    println!("{name}: the gauge is back after {:?}", begin.elapsed());
    let again = chat(&target.client, &target.base(), "user0", &endless()).await;
    assert_eq!(again.status(), 200);
    drop(again);
    target.nobody_left().await;
}

fn loopback(port: u16) -> Target {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    Target {
        address,
        host: address.to_string(),
        client: client(),
    }
}

struct Server {
    process: Child,
    target: Target,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The host's binary, serving on a free port of the loopback interface.
#[expect(clippy::disallowed_methods, reason = "runs the real server")]
async fn serve() -> Server {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let process = Command::new(env!("CARGO_BIN_EXE_geodeploy-host"))
        .args(["serve", "--port", &port.to_string()])
        .env_clear()
        .envs([("REGION", "US"), ("SERVER_NAME", "us-server")])
        .envs([("MODEL", "echo"), ("JWT_SECRET", JWT_SECRET)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server {
        process,
        target: loopback(port),
    };
    let url = format!("{}/readyz", server.target.base());
    let ready = async || {
        let answer = server.target.client.get(&url).send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    };
    eventually(Duration::from_secs(10), ready).await;
    server
}

#[tokio::test]
async fn of_a_thousand_users_the_server_by_itself_takes_two_hundred() {
    raise_descriptors();
    let server = serve().await;
    crowd("straight", &server.target).await;
}

#[test]
fn of_a_thousand_users_a_provisioned_host_takes_two_hundred() {
    let name = "of_a_thousand_users_a_provisioned_host_takes_two_hundred";
    raise_descriptors();
    let Some(field) = Field::stand(name, "load", Suite::Bookworm, JWT_SECRET, &[]) else {
        return;
    };
    field.provision_and_deploy(Path::new(env!("CARGO_BIN_EXE_geodeploy-host")));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let nginx = Target {
        address: (field.twin().endpoint.ipv4, 80).into(),
        host: DOMAIN.to_owned(),
        client: field.client(),
    };
    runtime.block_on(crowd("nginx", &nginx));
    straight_within(&field);
    let complaints = [
        "sh",
        "-c",
        "grep -v '\\[notice\\]' /var/log/nginx/error.log",
    ];
    let complaints = field.twin().exec(complaints).unwrap().stdout;
    assert_eq!(complaints, "", "nginx complained");
    let exposure = field.exposure();
    println!("exposure of the unit: {exposure}");
    assert!(exposure <= 1.5, "{exposure}");
    field.held.lab.down().unwrap();
}

/// The same to the unit itself, from within the twin's network.
#[expect(clippy::disallowed_methods, reason = "starts this very test program")]
fn straight_within(field: &Field) {
    let leader = field.twin().leader().unwrap().to_string();
    let status = Command::new("nsenter")
        .args(["--net", "--target", &leader, "--"])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "users_sent_from_here",
            "--ignored",
            "--nocapture",
        ])
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
#[ignore = "another test starts it in a twin's network"]
async fn users_sent_from_here() {
    raise_descriptors();
    crowd("straight to the unit", &loopback(8000)).await;
}
