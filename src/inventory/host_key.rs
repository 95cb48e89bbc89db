//! The pinned public key of a host.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

use super::mistake::Wrong;

/// Algorithms of host keys that OpenSSH 8.9 and newer offers by default. `ssh-dss` is not among them.
const ALGORITHMS: [&str; 5] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
];

/// A host's public key as a line of `/etc/ssh/ssh_host_*_key.pub` has it, without the comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    algorithm: &'static str,
    blob: Vec<u8>,
}

impl HostKey {
    /// The algorithm's name, the first word of the line.
    pub fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// The fingerprint as `ssh-keygen -l` prints it: `SHA256:` and unpadded base64.
    pub fn fingerprint(&self) -> String {
        format!(
            "SHA256:{}",
            STANDARD_NO_PAD.encode(Sha256::digest(&self.blob))
        )
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {}",
            self.algorithm,
            STANDARD.encode(&self.blob)
        )
    }
}

impl FromStr for HostKey {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let mut words = text.split_ascii_whitespace();
        let (Some(name), Some(encoded)) = (words.next(), words.next()) else {
            return Err(Wrong::new(
                "a host key has an algorithm and a key, this has not both",
                "write the line of /etc/ssh/ssh_host_ed25519_key.pub, such as \"ssh-ed25519 AAAA...\"",
            ));
        };
        let Some(algorithm) = ALGORITHMS.into_iter().find(|known| *known == name) else {
            return Err(Wrong::new(
                format!("`{name}` is not an algorithm of host keys that is accepted"),
                format!("write a key of one of {}", ALGORITHMS.join(", ")),
            ));
        };
        match STANDARD.decode(encoded) {
            Ok(blob) if inner_algorithm(&blob) == Some(algorithm.as_bytes()) => {
                Ok(Self { algorithm, blob })
            }
            _ => Err(Wrong::new(
                format!("what follows `{algorithm}` is not a key of that kind"),
                "copy the whole line of the host's key again, or remove it and run `geodeploy trust REGION`",
            )),
        }
    }
}

/// The algorithm that the key itself names: a length of four bytes, then the name (RFC 4253 6.6).
fn inner_algorithm(blob: &[u8]) -> Option<&[u8]> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let name = rest.get(..length)?;
    (rest.len() > length).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn a_key_survives_reading_and_writing_without_its_comment() {
        let key: HostKey = format!("{KEY} root@us-server").parse().unwrap();
        assert_eq!(key.to_string(), KEY);
    }

    #[test]
    fn the_fingerprint_is_the_one_that_ssh_keygen_prints() {
        // GitHub publishes this pair.
        let key: HostKey = KEY.parse().unwrap();
        assert_eq!(
            key.fingerprint(),
            "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
        );
    }

    #[test]
    fn a_cut_or_mislabelled_key_is_refused() {
        assert!("ssh-ed25519 AAAAC3NzaC1lZDI1".parse::<HostKey>().is_err());
        assert!(
            KEY.replacen("ssh-ed25519", "ssh-rsa", 1)
                .parse::<HostKey>()
                .is_err()
        );
        assert!("ssh-dss AAAA".parse::<HostKey>().is_err());
        assert!("ssh-ed25519".parse::<HostKey>().is_err());
    }
}
