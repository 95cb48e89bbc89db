//! Tencent Cloud's signature of version 3, `TC3-HMAC-SHA256`. Pure.
//!
//! What is signed: <https://cloud.tencent.com/document/api/1427/56189>. Only the headers `content-type` and `host` are.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::hmac::hmac_sha256;
use crate::digest::{hex, sha256};
use crate::secrets::Secret;

/// The only type of content that is sent, as it is signed.
pub const CONTENT_TYPE: &str = "application/json";

const ALGORITHM: &str = "TC3-HMAC-SHA256";
const SERVICE: &str = "dnspod";

/// A key of Tencent Cloud's.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The key's id, which travels openly.
    pub id: Secret,
    /// The key, which never travels.
    pub key: Secret,
}

/// What is signed of a POST request.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// As in the header `Host`: with the port where it is not the scheme's own.
    pub host: &'a str,
    /// The path, `/` at the public interfaces.
    pub path: &'a str,
    /// The body.
    pub body: &'a str,
    /// As in the header `X-TC-Timestamp`.
    pub time: Timestamp,
}

impl Signed<'_> {
    /// The header `Authorization`. The date in it is that of UTC, wherever this machine is.
    pub fn authorization(&self, credentials: &Credentials) -> String {
        let date = self.time.to_zoned(TimeZone::UTC).date().to_string();
        let scope = format!("{date}/{SERVICE}/tc3_request");
        let request = format!(
            "POST\n{}\n\ncontent-type:{CONTENT_TYPE}\nhost:{}\n\ncontent-type;host\n{}",
            self.path,
            self.host,
            sha256(self.body.as_bytes())
        );
        let text = format!(
            "{ALGORITHM}\n{}\n{scope}\n{}",
            self.time.as_second(),
            sha256(request.as_bytes())
        );
        let secret = format!("TC3{}", credentials.key.expose());
        let key = [date.as_str(), SERVICE, "tc3_request"]
            .iter()
            .fold(secret.into_bytes(), |key, part| {
                hmac_sha256(&key, part.as_bytes()).to_vec()
            });
        format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders=content-type;host, Signature={}",
            credentials.id.expose(),
            hex(&hmac_sha256(&key, text.as_bytes()))
        )
    }
}
