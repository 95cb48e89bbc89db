//! The rendered site in a running nginx, on loopback, between a client and servers that misbehave.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::tools::{program, relocated, render};

/// What a server was asked, one text a request.
pub(super) type Asked = Arc<Mutex<Vec<String>>>;

/// A server that answers every request with these bytes, none of them meaning that it hangs up.
pub(super) fn server(answer: &'static str) -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Asked::default();
    let seen = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = [0; 8192];
            let length = stream.read(&mut bytes).unwrap_or(0);
            seen.lock()
                .unwrap()
                .push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    (address, asked)
}

/// An address where nobody listens.
pub(super) fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// Where this machine keeps the public authorities; nginx reads it, and no test here trusts one.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

pub(super) struct Proxy {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // SIGTERM would do, but the standard library has only this; nothing is left to lose.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Proxy {
    /// nginx before `here`, with the other region's listener at `peer`; `None` where there is no nginx.
    pub(super) fn start(here: SocketAddr, peer: SocketAddr) -> Option<Self> {
        Self::start_with(here, peer, false)
    }

    /// Likewise, with or without sending what comes over plain HTTP to HTTPS.
    pub(super) fn start_with(here: SocketAddr, peer: SocketAddr, redirects: bool) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let address = nobody();
        std::fs::create_dir(folder.path().join("sites-enabled")).unwrap();
        std::fs::write(
            folder.path().join("mime.types"),
            "types { text/html html; }\n",
        )
        .unwrap();
        let site = relocated(&render("site.conf.j2", 0, true), folder.path())
            .replace("127.0.0.1:8000", &here.to_string())
            .replace("198.51.100.20:80 ", &format!("{peer} "))
            .replace("server [2001:db8:2::20]:80 max_fails=0 backup;", "")
            .replace("/etc/ssl/certs/ca-certificates.crt", AUTHORITIES)
            .replace("listen 127.0.0.1:8443", &format!("listen {}", nobody()))
            .replace("127.0.0.1:18080", &address.to_string())
            .replace("[::1]:18080", &nobody().to_string());
        std::fs::write(folder.path().join("sites-enabled/yourapp"), site).unwrap();
        let tokens = folder.path().join("tokens/.well-known/acme-challenge");
        std::fs::create_dir_all(&tokens).unwrap();
        std::fs::write(tokens.join("here-here-here-here-1"), "a token of this host").unwrap();
        let parts = folder.path().join("yourapp");
        std::fs::create_dir(&parts).unwrap();
        let backup = format!("server {peer} backup;\n");
        std::fs::write(parts.join("backup.conf"), backup).unwrap();
        if redirects {
            let redirect = render("redirect.conf.j2", 0, true);
            std::fs::write(parts.join("redirect.conf"), redirect).unwrap();
        }
        // One process, because a killed master would leave its workers behind.
        let main = relocated(&render("nginx.conf.j2", 0, true), folder.path());
        let main = format!("daemon off;\nmaster_process off;\n{main}");
        std::fs::write(folder.path().join("nginx.conf"), main).unwrap();
        let mut nginx = program("nginx")?;
        let child = nginx
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(folder.path().join("nginx.conf"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let proxy = Self {
            child,
            address,
            _folder: folder,
        };
        for _ in 0..200 {
            if TcpStream::connect(address).is_ok() {
                return Some(proxy);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("nginx does not listen at {address}");
    }

    pub(super) fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// The status line of an answer.
    pub(super) fn ask(&self, request: &str) -> String {
        let mut answer = String::new();
        self.send(request).read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }
}

pub(super) fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.0\r\nHost: us.yourapp.com\r\n{headers}\r\n")
}

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

#[test]
fn only_websocket_is_upgraded_and_claims_of_clients_are_replaced() {
    let (here, asked) = server(OK);
    let Some(proxy) = Proxy::start(here, nobody()) else {
        return;
    };
    let smuggling =
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nX-Forwarded-For: 192.0.2.1\r\n";
    assert!(proxy.ask(&get("/v1/x", smuggling)).contains("200"));
    assert!(
        proxy
            .ask(&get(
                "/v1/x",
                "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            ))
            .contains("200")
    );
    let asked = asked.lock().unwrap();
    assert!(
        !asked[0].contains("Upgrade:") && asked[0].contains("Connection: close"),
        "{}",
        asked[0]
    );
    assert!(
        asked[0].contains("X-Forwarded-For: 127.0.0.1\r\n"),
        "{}",
        asked[0]
    );
    assert!(
        asked[1].contains("Upgrade: websocket") && asked[1].contains("Connection: upgrade"),
        "{}",
        asked[1]
    );
}

#[test]
fn what_is_for_the_host_alone_is_not_there_for_the_public() {
    let (here, asked) = server(OK);
    let Some(proxy) = Proxy::start(here, nobody()) else {
        return;
    };
    for path in ["/livez", "/readyz", "/metrics"] {
        assert!(proxy.ask(&get(path, "")).contains("404"), "{path}");
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn an_event_arrives_while_its_stream_goes_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let Some(proxy) = Proxy::start(listener.local_addr().unwrap(), nobody()) else {
        return;
    };
    let mut client = proxy.send(&get("/v1/chat/completions", ""));
    let (mut upstream, _) = listener.accept().unwrap();
    upstream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
        .unwrap();
    let mut seen = String::new();
    let mut bytes = [0; 1024];
    while !seen.contains("data: one") {
        let length = client.read(&mut bytes).unwrap();
        assert!(length > 0, "ended before the event: {seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
}

#[test]
fn the_other_region_answers_for_a_dead_application_but_not_for_its_health_or_its_streams() {
    let (peer, asked) = server(OK);
    let Some(proxy) = Proxy::start(nobody(), peer) else {
        return;
    };
    assert!(proxy.ask(&get("/api/sessions", "")).contains("200"));
    assert_eq!(asked.lock().unwrap().len(), 1);
    assert!(proxy.ask(&get("/api/health", "")).contains("502"));
    assert!(proxy.ask(&get("/v1/chat/completions", "")).contains("502"));
    assert!(
        proxy
            .ask(&get("/api/sessions", "X-Geodeploy-Hop: cn\r\n"))
            .contains("502")
    );
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[test]
fn a_limits_answer_stays_and_a_sent_post_is_not_sent_again() {
    let (here, _) = server(BUSY);
    let (peer, asked) = server(OK);
    let Some(proxy) = Proxy::start(here, peer) else {
        return;
    };
    assert!(proxy.ask(&get("/api/sessions", "")).contains("503"));
    let (dying, tried) = server("");
    let Some(proxy) = Proxy::start(dying, peer) else {
        return;
    };
    let post = "POST /api/sessions HTTP/1.0\r\nHost: us.yourapp.com\r\nContent-Length: 2\r\n\r\n{}";
    assert!(proxy.ask(post).contains("502"));
    assert_eq!(
        (tried.lock().unwrap().len(), asked.lock().unwrap().len()),
        (1, 0)
    );
}
