use super::ChatRequest;

fn parse(body: &str) -> Result<ChatRequest, Option<String>> {
    ChatRequest::parse(body.as_bytes()).map_err(|error| error.param)
}

#[test]
fn a_wrong_field_is_named() {
    let message = r#""messages":[{"role":"user","content":"x"}]"#;
    for (body, param) in [
        ("[]".to_owned(), None),
        ("{".to_owned(), None),
        (r#"{"model":"echo"}"#.to_owned(), Some("messages")),
        (
            r#"{"model":"echo","messages":[]}"#.to_owned(),
            Some("messages"),
        ),
        (
            r#"{"model":"echo","messages":"hi"}"#.to_owned(),
            Some("messages"),
        ),
        (format!("{{{message}}}"), Some("model")),
        (format!(r#"{{"model":1,{message}}}"#), Some("model")),
        (
            format!(r#"{{"model":"m","stream":"yes",{message}}}"#),
            Some("stream"),
        ),
        (
            format!(r#"{{"model":"m","stream_options":1,{message}}}"#),
            Some("stream_options"),
        ),
        (
            format!(r#"{{"model":"m","stream_options":{{"include_usage":1}},{message}}}"#),
            Some("include_usage"),
        ),
    ] {
        assert_eq!(parse(&body).unwrap_err().as_deref(), param, "{body}");
    }
}

#[test]
fn null_is_the_same_as_absent() {
    let body = r#"{"model":"m","stream":null,"stream_options":null,"messages":[{}]}"#;
    let request = parse(body).unwrap();
    assert!(!request.stream && !request.include_usage);
}

#[test]
fn unknown_fields_and_numbers_reach_the_upstream_as_written() {
    let body = r#"{"model":"ark","stream":true,"messages":[{"role":"user","content":"你好"}],
        "temperature":0.70,"seed":12345678901234567890123,"thinking":{"type":"disabled"},
        "stream_options":{"chunk_include_usage":false}}"#;
    let sent = parse(body).unwrap().upstream_body("ep-1").unwrap();
    for part in [
        r#""model":"ep-1""#,
        r#""temperature":0.70"#,
        r#""seed":12345678901234567890123"#,
        r#""thinking":{"type":"disabled"}"#,
        r#""content":"你好""#,
        r#""stream_options":{"chunk_include_usage":false,"include_usage":true}"#,
    ] {
        assert!(sent.contains(part), "{part} is not in {sent}");
    }
}

#[test]
fn an_unstreamed_request_gets_no_stream_options() {
    let request = parse(r#"{"model":"m","messages":[{}]}"#).unwrap();
    assert!(
        !request
            .upstream_body("ep")
            .unwrap()
            .contains("stream_options")
    );
}

#[test]
fn the_last_user_text_is_found_in_either_form() {
    let body = r#"{"model":"m","metadata":{"delay_ms":"7","n":8},"messages":[
        {"role":"user","content":"first"},{"role":"user","content":
        [{"type":"text","text":"a "},{"type":"image_url"},{"type":"text","text":"b"}]},
        {"role":"assistant","content":null}]}"#;
    let request = parse(body).unwrap();
    assert_eq!(request.last_user_text(), "a b");
    assert_eq!(request.metadata_number("delay_ms"), Some(7));
    assert_eq!(request.metadata_number("n"), Some(8));
    assert_eq!(request.metadata_number("none"), None);
}

fn with_messages(messages: &str) -> super::ChatRequest {
    let body = format!(r#"{{"model":"m","messages":{messages}}}"#);
    super::ChatRequest::parse(body.as_bytes()).unwrap()
}

#[test]
fn what_is_said_now_comes_after_the_models_last_message() {
    let request = with_messages(
        r#"[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},
            {"role":"user","content":[{"type":"text","text":"c"}]}]"#,
    );
    let parts = serde_json::json!([{"type": "text", "text": "c"}]);
    assert_eq!(request.said_now(), [("user".to_owned(), parts)]);
    assert!(request.carries_history());
    let request =
        with_messages(r#"[{"role":"system","content":"s"},{"role":"user","content":"a"}]"#);
    assert_eq!(request.said_now(), [("user".to_owned(), "a".into())]);
    assert!(!request.carries_history());
}

#[test]
fn history_goes_between_instructions_and_what_is_said_now() {
    let mut request =
        with_messages(r#"[{"role":"system","content":"s"},{"role":"user","content":"c"}]"#);
    let (question, answer) = ("a".into(), "b".into());
    request
        .insert_history(&[("user", &question), ("assistant", &answer)])
        .unwrap();
    let body: serde_json::Value =
        serde_json::from_str(&request.upstream_body("m").unwrap()).unwrap();
    let said: Vec<_> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["content"].as_str().unwrap())
        .collect();
    assert_eq!(said, ["s", "a", "b", "c"]);
}
