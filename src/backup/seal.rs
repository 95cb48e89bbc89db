//! Encryption with age, to recipients whose identities a host does not have.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

use crate::agent::system::Fault;

/// Parses recipients: `age1...`.
///
/// # Errors
/// When one is no public key of age's.
pub fn recipients(texts: &[String]) -> Result<Vec<age::x25519::Recipient>, Fault> {
    let parsed = texts.iter().map(|text| {
        text.parse::<age::x25519::Recipient>()
            .map_err(|why| Fault::new(format!("{text} is no recipient of age's"), why))
    });
    let parsed: Vec<_> = parsed.collect::<Result<_, _>>()?;
    match parsed.is_empty() {
        true => Err(Fault::new(
            "the backup is encrypted to nobody",
            "there are no recipients",
        )
        .hint("write recipients = [\"age1...\"] below [database.backup]")),
        false => Ok(parsed),
    }
}

/// What encrypts into a writer.
///
/// # Errors
/// When the header cannot be written.
pub fn seal<W: Write>(
    recipients: &[age::x25519::Recipient],
    output: W,
) -> Result<age::stream::StreamWriter<W>, Fault> {
    let what = "cannot encrypt the backup";
    let all = recipients.iter().map(|one| one as &dyn age::Recipient);
    age::Encryptor::with_recipients(all)
        .map_err(|error| Fault::new(what, error))?
        .wrap_output(output)
        .map_err(|error| Fault::new(what, error))
}

/// What decrypts a reader. Every 64 KiB are authenticated before they are given.
///
/// # Errors
/// When none of the identities opens it, or it is no file of age's.
pub fn open<R: Read>(
    identities: &[Box<dyn age::Identity>],
    input: R,
) -> Result<age::stream::StreamReader<R>, Fault> {
    let what = "the backup cannot be opened";
    let decryptor = age::Decryptor::new(input).map_err(|error| Fault::new(what, error))?;
    let all = identities.iter().map(|one| &**one);
    decryptor.decrypt(all).map_err(|error| {
        Fault::new(what, error)
            .hint("name the identity whose public key is among `recipients` of [database.backup]")
    })
}

/// A writer that counts and hashes.
pub(super) struct Hashing<W> {
    inner: W,
    bytes: u64,
    digest: Sha256,
}

impl<W: Write> Hashing<W> {
    pub(super) fn new(inner: W) -> Self {
        Self {
            inner,
            bytes: 0,
            digest: Sha256::new(),
        }
    }

    /// The writer, how many bytes it got, and their SHA-256 in hex.
    pub(super) fn finish(self) -> (W, u64, String) {
        let digest = crate::digest::hex(&self.digest.finalize());
        (self.inner, self.bytes, digest)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.digest.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
