use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::*;

fn reply(status: u16, body: &str) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("x-amzn-requestid", "from-the-header".parse().unwrap());
    headers.insert("date", "Tue, 24 Nov 2026 03:00:00 GMT".parse().unwrap());
    Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.to_owned(),
    }
}

fn error(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>in-the-body</RequestId></ErrorResponse>"
    )
}

fn refusal(body: &str) -> Refusal {
    let now = "2026-11-24T02:50:00Z".parse().unwrap();
    Refusal::read("ChangeResourceRecordSets", &reply(400, body), now)
}

#[test]
fn code_message_and_request_id_reach_the_user() {
    let body = error("InvalidInput", "Invalid &lt;XML&gt;");
    let shown = refusal(&body).error();
    assert_eq!(
        shown.what,
        "Route 53 refuses ChangeResourceRecordSets (InvalidInput)"
    );
    assert_eq!(shown.causes, ["Invalid <XML>", "request id in-the-body"]);
}

#[test]
fn a_rejected_batch_says_every_reason() {
    let body = "<?xml version=\"1.0\"?><InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Messages>\
        <Message>Tried to delete resource record set [name='a.', type='A'] but it was not found</Message>\
        <Message>RRSet of type CNAME is not permitted</Message></Messages><RequestId>7</RequestId></InvalidChangeBatch>";
    let refusal = refusal(body);
    assert!(refusal.is_conflict());
    let shown = refusal.error();
    assert_eq!(shown.kind, ErrorKind::Stale);
    assert_eq!(shown.causes.len(), 3, "{shown}");
}

#[test]
fn what_is_no_xml_is_a_status_with_the_headers_request_id() {
    let shown = refusal("<html>Bad Gateway").error();
    assert_eq!(
        shown.what,
        "Route 53 refuses ChangeResourceRecordSets (status 400)"
    );
    assert_eq!(shown.causes, ["request id from-the-header"]);
}

#[test]
fn each_kind_of_refused_key_says_what_to_change() {
    for (code, message, hint) in [
        (
            "AccessDenied",
            "User is not authorized",
            "allow `route53:ChangeResourceRecordSets`",
        ),
        (
            "InvalidClientTokenId",
            "The security token is invalid",
            "`dns.access_key_id` is not known",
        ),
        (
            "ExpiredToken",
            "The token is expired",
            "get new temporary credentials",
        ),
        (
            "SignatureDoesNotMatch",
            "The signature does not match",
            "`dns.secret_access_key` does not belong",
        ),
        (
            "SignatureDoesNotMatch",
            "Signature expired: 1 is now earlier than 2",
            "it is 600 s behind Route 53's",
        ),
    ] {
        let shown = refusal(&error(code, message)).error();
        assert!(shown.hints[0].contains(hint), "{shown:?}");
    }
}

#[test]
fn a_session_token_that_the_provider_repeats_is_not_shown() {
    let message = "The signature does not match. The Canonical String for this request should have been 'GET\nx-amz-security-token:FwoGZX'";
    let shown = format!(
        "{:?}",
        refusal(&error("SignatureDoesNotMatch", message)).error()
    );
    assert!(!shown.contains("FwoGZX"), "{shown}");
}

#[test]
fn only_what_was_not_carried_out_is_sent_again() {
    for code in [
        "Throttling",
        "ThrottlingException",
        "PriorRequestNotComplete",
    ] {
        assert!(
            throttled(&reply(400, &error(code, "Rate exceeded"))),
            "{code}"
        );
    }
    assert!(throttled(&reply(503, "")));
    assert!(!throttled(&reply(400, &error("InvalidChangeBatch", "no"))));
    assert!(!throttled(&reply(500, "")));
    assert!(!throttled(&reply(
        200,
        &error("Throttling", "a body that only looks so")
    )));
}
