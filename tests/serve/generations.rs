//! Two processes that share one listening socket and one set of slots, as during a switch.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Client, Response};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{JWT_SECRET, chat, client, endless, eventually, streamed};

/// A generation in a process of its own, killed when it is dropped.
struct Generation {
    child: Child,
    socket: PathBuf,
}

impl Generation {
    /// Starts this test's own program as a server, its listening socket handed over as systemd does.
    async fn start(name: &str, runtime: &Path, listener: &TcpListener, most: u32) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test starts its own program again"
        )]
        let mut command = Command::new("sh");
        let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"";
        command
            .args(["-c", script])
            .arg(std::env::current_exe().unwrap())
            .args([
                "generations::a_server_process",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .stdin(Stdio::from(OwnedFd::from(listener.try_clone().unwrap())))
            .stdout(Stdio::null())
            .env_clear()
            .envs([
                ("REGION", "US"),
                ("SERVER_NAME", "test"),
                ("MODEL", "echo"),
                ("LOG_LEVEL", "warn"),
            ])
            .envs([
                ("JWT_SECRET", JWT_SECRET),
                ("DRAIN_TIMEOUT", "20"),
                ("GENERATION", name),
            ])
            .env("MAX_SSE_CONNECTIONS", most.to_string())
            .env("RUNTIME_DIRECTORY", runtime);
        let systemd = runtime.join("notify");
        if systemd.exists() {
            command
                .env("NOTIFY_SOCKET", systemd)
                .env("WATCHDOG_USEC", "200000");
        }
        let child = command.spawn().unwrap();
        let generation = Self {
            child,
            socket: runtime.join(format!("{name}.sock")),
        };
        let own = generation.own_client();
        eventually(Duration::from_secs(20), async || {
            own.get("http://generation/readyz")
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
        })
        .await;
        generation
    }

    /// A client that reaches this generation and no other.
    fn own_client(&self) -> Client {
        Client::builder()
            .no_proxy()
            .unix_socket(self.socket.as_path())
            .build()
            .unwrap()
    }

    /// Waits until it says that it drains.
    async fn drains(&self) {
        let own = self.own_client();
        eventually(Duration::from_secs(10), async || {
            let ready = own.get("http://generation/readyz").send().await.unwrap();
            ready.status() == 503
        })
        .await;
    }

    async fn active(&self) -> u64 {
        let answer = self
            .own_client()
            .get("http://generation/api/health")
            .send()
            .await
            .unwrap();
        answer.json::<Value>().await.unwrap()["sse"]["activeGlobal"]
            .as_u64()
            .unwrap()
    }

    async fn chat(&self, user: &str) -> Response {
        chat(&self.own_client(), "http://generation", user, &endless()).await
    }

    async fn fill(&self, prefix: &str, count: usize) -> (Vec<Response>, usize) {
        let mut open = Vec::new();
        for n in 0..count {
            let answer = self.chat(&format!("{prefix}{n}")).await;
            if answer.status() == 200 {
                open.push(answer);
            }
        }
        let refused = count - open.len();
        (open, refused)
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    async fn exit_code(&mut self, limit: Duration) -> Option<i32> {
        let child = std::cell::RefCell::new(&mut self.child);
        eventually(limit, async || {
            child.borrow_mut().try_wait().unwrap().is_some()
        })
        .await;
        self.child.wait().unwrap().code()
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[test]
#[ignore = "it is the server that the other tests start as a process"]
#[expect(clippy::exit, reason = "the exit code is what the other tests look at")]
fn a_server_process() {
    let ended = geodeploy::serve::main(false, None).unwrap();
    std::process::exit(i32::from(ended.exit_code()));
}

#[tokio::test]
async fn two_generations_never_exceed_the_maximum_and_a_killed_one_frees_its_slots() {
    let runtime = tempfile::tempdir().unwrap();
    let (listener, _) = listen();
    let old = Generation::start("old", runtime.path(), &listener, 10).await;
    let new = Generation::start("new", runtime.path(), &listener, 10).await;
    let (kept, _) = old.fill("old", 6).await;
    assert_eq!(new.chat("old3").await.status(), 429);
    let (also, refused) = new.fill("new", 7).await;
    assert_eq!((kept.len(), also.len(), refused), (6, 4, 3));
    assert_eq!((old.active().await, new.active().await), (10, 10));
    assert_eq!(old.chat("late").await.status(), 503);
    old.signal(Signal::KILL);
    eventually(Duration::from_secs(2), async || new.active().await == 4).await;
    let (more, refused) = new.fill("old", 8).await;
    assert_eq!((more.len(), refused), (6, 2));
}

#[tokio::test]
async fn a_switch_refuses_no_request_and_cuts_no_stream() {
    let runtime = tempfile::tempdir().unwrap();
    let (listener, address) = listen();
    let base = format!("http://{address}");
    let mut old = Generation::start("old", runtime.path(), &listener, 200).await;
    let running = chat(&client(), &base, "runner", &streamed("a b c d e f", 500)).await;
    let new = Generation::start("new", runtime.path(), &listener, 200).await;
    let asking = tokio::spawn(async move {
        // One client keeps its connections as a proxy does, the other makes a new one each time.
        let kept = client();
        for n in 0..150 {
            for client in [&kept, &client()] {
                let answer = chat(client, &base, &format!("user{n}"), &streamed("x y", 2)).await;
                assert_eq!(answer.status(), 200);
                assert!(answer.text().await.unwrap().ends_with("data: [DONE]\n\n"));
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    old.signal(Signal::TERM);
    old.drains().await;
    assert!(running.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    asking.await.unwrap();
    assert_eq!(old.exit_code(Duration::from_secs(5)).await, Some(0));
    assert!(!old.socket.exists());
    eventually(Duration::from_secs(10), async || new.active().await == 0).await;
}

#[tokio::test]
async fn systemd_hears_that_a_generation_is_ready_alive_and_draining() {
    let runtime = tempfile::tempdir().unwrap();
    let systemd = tokio::net::UnixDatagram::bind(runtime.path().join("notify")).unwrap();
    let (listener, address) = listen();
    let only = Generation::start("only", runtime.path(), &listener, 10).await;
    let answer = chat(&client(), &format!("http://{address}"), "ann", &endless()).await;
    assert_eq!(answer.status(), 200);
    let mut heard = String::new();
    let mut signalled = false;
    while !heard.contains("STOPPING=1") {
        let mut message = [0; 256];
        let wait = tokio::time::timeout(Duration::from_secs(5), systemd.recv(&mut message)).await;
        heard.push_str(&String::from_utf8_lossy(&message[..wait.unwrap().unwrap()]));
        if !signalled && heard.contains("READY=1") && heard.matches("WATCHDOG=1").count() > 2 {
            only.signal(Signal::TERM);
            signalled = true;
        }
    }
    assert!(
        signalled && heard.contains("STATUS=draining, 1 streams open"),
        "{heard}"
    );
}

#[tokio::test]
async fn a_second_sigterm_ends_a_generation_at_once() {
    let runtime = tempfile::tempdir().unwrap();
    let (listener, _) = listen();
    let mut only = Generation::start("only", runtime.path(), &listener, 10).await;
    let answer = only.chat("ann").await;
    only.signal(Signal::TERM);
    only.drains().await;
    only.signal(Signal::TERM);
    assert_eq!(only.exit_code(Duration::from_secs(5)).await, Some(130));
    drop(answer);
}
