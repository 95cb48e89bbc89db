//! Whether a request is signed as the vendor's signer would, seen from the server.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::http::HeaderMap;

pub(crate) const ACCESS_KEY_ID: &str = "AKIDOFTHETEST";
pub(crate) const SECRET: &str = "the-secret-of-the-test";
pub(crate) const SESSION_TOKEN: &str = "the-token-of-the-test";

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}

/// Whether the `Authorization` is the one for what arrived.
pub(crate) fn is_right(method: &str, target: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let moment = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text(headers, "x-amz-date"));
    let Ok(moment) = moment else { return false };
    let moment = moment
        .to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap()
        .timestamp();
    let seconds = u64::try_from(moment.as_second()).unwrap();
    let token = Some(SESSION_TOKEN.to_owned());
    let identity = Credentials::new(ACCESS_KEY_ID, SECRET, token, None, "test").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("route53")
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let host = text(headers, "host");
    let request = SignableRequest::new(
        method,
        format!("http://{host}{target}"),
        std::iter::once(("host", host)),
        SignableBody::Bytes(body),
    );
    let (instructions, _) = sign(request.unwrap(), &parameters).unwrap().into_parts();
    let (expected, _) = instructions.into_parts();
    expected
        .iter()
        .all(|header| text(headers, header.name()) == header.value())
}
