//! Tokens of a certificate authority, and plain HTTP once there is HTTPS, in a running nginx.

use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use super::proxy::{OK, Proxy, get, nobody, server};

/// A request for a token.
fn token(name: &str, headers: &str) -> String {
    get(&format!("/.well-known/acme-challenge/{name}"), headers)
}

#[test]
fn a_token_that_is_not_here_is_asked_for_once_in_the_other_region_and_no_further() {
    let (peer, asked) = server(OK);
    let Some(proxy) = Proxy::start_with(nobody(), peer, true) else {
        return;
    };
    assert!(
        proxy
            .ask(&token("here-here-here-here-1", ""))
            .contains("200")
    );
    assert!(asked.lock().unwrap().is_empty());
    let spoken = "Cookie: private\r\nAuthorization: Bearer private\r\n";
    assert!(
        proxy
            .ask(&token("elsewhere-elsewhere-1", spoken))
            .contains("200")
    );
    let request = asked.lock().unwrap()[0].clone();
    assert!(request.contains("Host: us.yourapp.com"), "{request}");
    assert!(request.contains("X-Geodeploy-Hop: us"), "{request}");
    assert!(!request.contains("private"), "{request}");
    // What another region asks for is answered from here alone: two that lack it do not ask each other for ever.
    let asked_for_another = token("elsewhere-elsewhere-1", "X-Geodeploy-Hop: cn\r\n");
    assert!(proxy.ask(&asked_for_another).contains("404"));
    for name in [
        "short",
        "a-name-with.a-dot-in-it",
        "../../../etc/passwd",
        "%2e%2e%2f%2e%2e%2fetc",
    ] {
        assert!(!proxy.ask(&token(name, "")).contains("200"), "{name}");
    }
    let post = token("elsewhere-elsewhere-1", "").replace("GET", "POST");
    assert!(proxy.ask(&post).contains("403"));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[test]
fn a_region_that_does_not_answer_for_a_token_costs_seconds_and_no_worker() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let Some(proxy) = Proxy::start(nobody(), silent.local_addr().unwrap()) else {
        return;
    };
    let begun = std::time::Instant::now();
    assert!(
        proxy
            .ask(&token("elsewhere-elsewhere-1", ""))
            .contains("504")
    );
    assert!(begun.elapsed() < Duration::from_secs(8));
}

#[test]
fn plain_http_is_sent_to_https_but_for_tokens_and_health() {
    let (here, _) = server(OK);
    let Some(proxy) = Proxy::start_with(here, nobody(), true) else {
        return;
    };
    let mut answer = String::new();
    let request = get("/v1/chat/completions?a=b", "");
    proxy.send(&request).read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 308 "), "{answer}");
    let there = "Location: https://us.yourapp.com/v1/chat/completions?a=b\r\n";
    assert!(answer.contains(there), "{answer}");
    assert!(proxy.ask(&get("/api/health", "")).contains("200"));
    assert!(
        proxy
            .ask(&token("here-here-here-here-1", ""))
            .contains("200")
    );
    assert!(
        proxy
            .ask(&get("/api/health/../sessions", ""))
            .contains("308")
    );
}
