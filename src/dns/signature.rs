//! AWS Signature Version 4: what a request to Route 53 carries to be believed. Pure.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::hmac::hmac_sha256;
use crate::digest::{hex, sha256};
use crate::secrets::Secret;

/// Whose requests they are.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// The access key's id.
    pub(super) access_key_id: Secret,
    /// The access key's secret.
    pub(super) secret_access_key: Secret,
    /// Of temporary credentials.
    pub(super) session_token: Option<Secret>,
}

/// Where signatures count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// `us-east-1` for services that are global.
    pub(super) region: &'static str,
    /// `route53`.
    pub(super) service: &'static str,
}

/// A request as far as it is signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'r> {
    /// `GET`.
    pub(super) method: &'r str,
    /// Name and, unless it is the scheme's own, port.
    pub(super) host: &'r str,
    /// The path as it is sent.
    pub(super) path: &'r str,
    /// Names and values as they are meant, not escaped.
    pub(super) query: &'r [(&'r str, &'r str)],
    /// The body.
    pub(super) body: &'r str,
}

/// The headers to send with a request. A session token and a signature are as secret as the keys.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    /// `x-amz-date`.
    pub(super) date: String,
    /// `x-amz-security-token`.
    pub(super) token: Option<Secret>,
    /// `authorization`.
    pub(super) authorization: Secret,
}

/// The query as it is sent and signed: escaped, and sorted by name and value.
pub(super) fn query_string(query: &[(&str, &str)]) -> String {
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .map(|(name, value)| (escaped(name, false), escaped(value, false)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// Signs a request that is sent at `now`.
pub(super) fn sign(keys: &Keys, scope: Scope, now: Timestamp, request: Request<'_>) -> Signed {
    let moment = now.to_zoned(TimeZone::UTC);
    let date = moment.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = moment.strftime("%Y%m%d").to_string();
    let mut headers = format!("host:{}\nx-amz-date:{date}\n", request.host);
    let mut names = "host;x-amz-date".to_owned();
    if let Some(token) = &keys.session_token {
        headers += &format!("x-amz-security-token:{}\n", token.expose().trim());
        names += ";x-amz-security-token";
    }
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{names}\n{}",
        request.method,
        escaped(request.path, true),
        query_string(request.query),
        sha256(request.body.as_bytes())
    );
    let place = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{place}\n{}",
        sha256(canonical.as_bytes())
    );
    let first = Secret::new(format!("AWS4{}", keys.secret_access_key.expose()));
    let mut key = hmac_sha256(first.expose().as_bytes(), day.as_bytes());
    for part in [scope.region, scope.service, "aws4_request"] {
        key = hmac_sha256(&key, part.as_bytes());
    }
    let signature = hex(&hmac_sha256(&key, text.as_bytes()));
    Signed {
        date,
        token: keys.session_token.clone(),
        authorization: Secret::new(format!(
            "AWS4-HMAC-SHA256 Credential={}/{place}, SignedHeaders={names}, Signature={signature}",
            keys.access_key_id.expose()
        )),
    }
}

/// Everything but letters, digits and `-._~` as `%XX` (RFC 3986 2.3); a path keeps its slashes.
fn escaped(text: &str, path: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            b'/' if path => out.push('/'),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests;
