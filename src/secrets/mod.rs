//! Secrets as a type that cannot print, and their resolution from the sources that an inventory names.

mod openpgp;
mod resolve;
mod sources;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

pub use resolve::Secrets;
pub(crate) use sources::located;

/// Text that must not be seen: no `Display`, no `Serialize`, and a `Debug` that says only that it is there.
///
/// The bytes are overwritten when the value is dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of the text, so that no readable copy stays with the caller.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Every call is a place to look at in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// Serde for the one place where a secret may be written: a request on the standard input of an agent.
///
/// Use it as `#[serde(with = "crate::secrets::wire")]` on a field of a message that never reaches a log.
pub mod wire {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Secret;

    /// Writes the text in clear.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    /// Reads the text back.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

/// The project's key for fingerprints: equal secrets give equal fingerprints within one project only,
/// so a fingerprint in a plan or a log cannot be looked up in a table of common passwords.
#[derive(Clone, Debug)]
pub struct FingerprintKey(Secret);

impl FingerprintKey {
    /// A key from text of any length; 32 random bytes in hex are what the tool makes.
    pub fn new(text: Secret) -> Self {
        Self(text)
    }

    /// The key's text, for the request that carries it to a host.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// HMAC-SHA256 of `bytes`, its first 16 bytes in lower-case hex.
    pub fn fingerprint(&self, bytes: &[u8]) -> Fingerprint {
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.expose().as_bytes())
        else {
            // HMAC takes keys of every length (RFC 2104).
            return Fingerprint(String::new());
        };
        mac.update(bytes);
        Fingerprint(crate::digest::hex(&mac.finalize().into_bytes()[..16]))
    }
}

/// What is shown and compared in place of a secret: 32 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fingerprint(String);

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.get(..8).unwrap_or(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_only_that_it_is_there() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "[secret]");
    }

    #[test]
    fn fingerprints_differ_between_projects_and_agree_within_one() {
        let ours = FingerprintKey::new(Secret::new("a".to_owned()));
        let theirs = FingerprintKey::new(Secret::new("b".to_owned()));
        assert_eq!(ours.fingerprint(b"x"), ours.fingerprint(b"x"));
        assert_ne!(ours.fingerprint(b"x"), theirs.fingerprint(b"x"));
        assert_ne!(ours.fingerprint(b"x"), ours.fingerprint(b"y"));
    }
}
