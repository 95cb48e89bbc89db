use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::*;

fn reply(status: u16, body: &str) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("cf-ray", HeaderValue::from_static("8f2a6c31be0de1a2-FRA"));
    Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.to_owned(),
    }
}

fn failed(status: u16, body: &str) -> Error {
    let page: Result<Page<serde_json::Value>, Failure> = read(&reply(status, body));
    page.err().unwrap().error("create record x")
}

#[test]
fn a_code_above_16_bits_comes_through_with_the_requests_id_and_what_it_is_about() {
    let error = failed(
        400,
        r#"{"success":false,"errors":[{"code":81058,"message":"An identical record already exists.",
           "source":{"pointer":"/name"},"error_chain":[{"code":9000000001,"message":"deeper"}]}],"result":null}"#,
    );
    assert_eq!(
        error.what,
        "cloudflare refuses to create record x (status 400)"
    );
    assert_eq!(
        error.causes,
        [
            "code 81058: An identical record already exists. (at /name); code 9000000001: deeper",
            "request id 8f2a6c31be0de1a2-FRA"
        ]
    );
}

#[test]
fn an_answer_that_is_no_envelope_keeps_its_status_and_id() {
    let error = failed(502, "<html>bad gateway</html>");
    assert!(error.what.ends_with("(status 502)"), "{error:?}");
    assert_eq!(error.causes, ["request id 8f2a6c31be0de1a2-FRA"]);
    let error = failed(200, "hello");
    assert_eq!(
        error.causes.last().unwrap(),
        "request id 8f2a6c31be0de1a2-FRA"
    );
    // A refusal may come with a status of success.
    let error = failed(
        200,
        r#"{"success":false,"errors":[{"code":7003,"message":"no"}]}"#,
    );
    assert_eq!(error.causes[0], "code 7003: no");
}

#[test]
fn a_request_shows_no_token() {
    let token = Secret::new("hunter2".to_owned());
    let client = Client::new(token, None, Duration::from_secs(1)).unwrap();
    let request = client
        .http
        .request(Method::GET, "https://api.cloudflare.com/");
    let request = client.authorized(request).unwrap().build().unwrap();
    assert_eq!(request.headers()["authorization"], "Bearer hunter2");
    let shown = format!("{request:?}");
    assert!(
        shown.contains("authorization") && !shown.contains("hunter2"),
        "{shown}"
    );

    let broken = Client::new(Secret::new("a\nb".to_owned()), None, Duration::ZERO).unwrap();
    let request = broken
        .http
        .request(Method::GET, "https://api.cloudflare.com/");
    let error = broken.authorized(request).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input);
}

#[test]
fn only_a_create_is_never_repeated() {
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        assert_eq!(repeat(&method), Repeat::Harmless);
    }
    assert_eq!(repeat(&Method::POST), Repeat::Never);
    assert!(!throttled(Repeat::Never)(&reply(503, "")));
    assert!(throttled(Repeat::Harmless)(&reply(503, "")));
    assert!(throttled(Repeat::Never)(&reply(429, "")));
}
