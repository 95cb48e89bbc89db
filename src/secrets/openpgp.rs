//! The fingerprint of an OpenPGP public key (RFC 4880 sections 4.2, 6.2 and 12.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

const PUBLIC_KEY: u8 = 6;

/// The fingerprint, 40 hex digits in capitals, of the one primary key in an ASCII-armoured file.
///
/// # Errors
/// In words, when the text is no armoured key of version 4, or holds several: apt would trust each of them.
pub(super) fn fingerprint(armored: &str) -> Result<String, String> {
    let bytes = dearmored(armored)?;
    let mut keys = Vec::new();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let (tag, body, after) = packet(rest).ok_or("the key is cut off")?;
        if tag == PUBLIC_KEY {
            keys.push(body);
        }
        rest = after;
    }
    let [key] = keys[..] else {
        return Err(format!("it holds {} keys, and one is wanted", keys.len()));
    };
    if key.first() != Some(&4) {
        return Err("its key is not of version 4".to_owned());
    }
    let length = u16::try_from(key.len()).map_err(|_| "its key is too long")?;
    let digest = Sha1::new()
        .chain_update([0x99])
        .chain_update(length.to_be_bytes())
        .chain_update(key)
        .finalize();
    Ok(crate::digest::hex(&digest).to_ascii_uppercase())
}

fn dearmored(armored: &str) -> Result<Vec<u8>, String> {
    let begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
    let end = "-----END PGP PUBLIC KEY BLOCK-----";
    let blocks = armored.matches(begin).count();
    let block = armored
        .split_once(begin)
        .and_then(|(_, rest)| rest.split_once(end))
        .filter(|_| blocks == 1);
    let Some((block, _)) = block else {
        return Err(format!(
            "it has {blocks} complete armoured public keys, and one is wanted"
        ));
    };
    // Headers end at the first empty line; the checksum is the line that begins with an equals sign.
    let block = block.replace('\r', "");
    let body = block.split_once("\n\n").map_or(&*block, |(_, body)| body);
    let base64: String = body
        .lines()
        .filter(|line| !line.starts_with('='))
        .flat_map(|line| line.trim().chars())
        .collect();
    STANDARD
        .decode(base64)
        .map_err(|error| format!("its text is damaged: {error}"))
}

/// The first packet's tag and body, and what follows it.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&head, rest) = bytes.split_first()?;
    let number = |count: usize| -> Option<(usize, &[u8])> {
        let value = rest.get(..count)?;
        let value = value
            .iter()
            .fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
        Some((value, rest.get(count..)?))
    };
    let (tag, (length, rest)) = match head {
        0xC0.. => {
            let tag = head & 0x3F;
            let first = usize::from(*rest.first()?);
            match first {
                0..192 => (tag, (first, rest.get(1..)?)),
                192..224 => {
                    let second = usize::from(*rest.get(1)?);
                    (tag, (((first - 192) << 8) + second + 192, rest.get(2..)?))
                }
                255 => {
                    let (value, after) = number(5)?;
                    (tag, (value & 0xFFFF_FFFF, after))
                }
                _ => return None,
            }
        }
        0x80..0xC0 => {
            let count = match head & 3 {
                0 => 1,
                1 => 2,
                2 => 4,
                _ => return None,
            };
            ((head >> 2) & 0xF, number(count)?)
        }
        _ => return None,
    };
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("openpgp/test-key.asc");
    const FINGERPRINT: &str = include_str!("openpgp/test-key.fingerprint");

    #[test]
    fn the_fingerprint_is_the_one_that_gpg_prints() {
        assert_eq!(fingerprint(KEY).unwrap(), FINGERPRINT.trim());
    }

    #[test]
    fn several_keys_and_damaged_ones_are_refused() {
        assert!(fingerprint(&format!("{KEY}{KEY}")).is_err());
        assert!(fingerprint(&KEY[..KEY.len() / 2]).is_err());
        assert!(fingerprint("made up").is_err());
        let inside = dearmored(KEY).unwrap();
        let twice = STANDARD.encode([&inside[..], &inside[..]].concat());
        let twice = format!(
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{twice}\n-----END PGP PUBLIC KEY BLOCK-----\n"
        );
        assert!(fingerprint(&twice).unwrap_err().contains("2 keys"));
    }
}
