//! Judges a signature as Tencent documents it, with code of its own.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Call, Refusal, SECRET_ID, SECRET_KEY};

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Nothing, or DNSPod's refusal. A call may be five minutes old.
pub(crate) fn check(call: &Call, content_type: &str, clock: i64) -> Result<(), Refusal> {
    let seconds: i64 = call.timestamp.parse().unwrap();
    let now = Timestamp::now().as_second() + clock;
    if (now - seconds).abs() > 300 {
        let message =
            "The provided credentials could not be validated because of exceeding time limit";
        return Err(("AuthFailure.SignatureExpire", message.to_owned()));
    }
    let date = Timestamp::from_second(seconds).unwrap().to_string();
    let date = &date[..10];
    let credential = format!("Credential={SECRET_ID}/{date}/dnspod/tc3_request,");
    if !call.authorization.contains(&credential) {
        let message = "The SecretId is not found, please ensure that your SecretId is correct.";
        return Err(("AuthFailure.SecretIdNotFound", message.to_owned()));
    }
    let canonical = [
        "POST",
        "/",
        "",
        &format!("content-type:{content_type}"),
        &format!("host:{}", call.host),
        "",
        "content-type;host",
        &hex(&Sha256::digest(call.raw.as_bytes())),
    ]
    .join("\n");
    let text = [
        "TC3-HMAC-SHA256",
        &call.timestamp,
        &format!("{date}/dnspod/tc3_request"),
        &hex(&Sha256::digest(canonical.as_bytes())),
    ]
    .join("\n");
    let day = hmac(format!("TC3{SECRET_KEY}").as_bytes(), date);
    let signature = hex(&hmac(&hmac(&hmac(&day, "dnspod"), "tc3_request"), &text));
    if call
        .authorization
        .ends_with(&format!("Signature={signature}"))
    {
        return Ok(());
    }
    let message =
        "The provided credentials could not be validated. Please check your signature is correct.";
    Err(("AuthFailure.SignatureFailure", message.to_owned()))
}
