//! A key of an archive's own, made for one signing and then thrown away: afterwards nobody can sign with it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::super::error::{Error, Result};
use super::super::layers::remove;
use super::super::shell::{Call, Output};

/// The name in the key.
const IDENTITY: &str = "geodeploy rehearsal archive";

/// gpg with a folder and a key of its own; both go with this value.
#[derive(Debug)]
pub(super) struct Signer {
    home: PathBuf,
}

impl Signer {
    /// Makes a key in `home`, which must not be anybody's; what a killed run left there is removed.
    ///
    /// # Errors
    /// When gpg is missing or fails, as it does where the folder's path is too long for its agent's socket.
    pub(super) fn new(home: PathBuf) -> Result<Self> {
        let signer = Self { home };
        signer.discard();
        DirBuilder::new()
            .mode(0o700)
            .create(&signer.home)
            .map_err(|why| Error::file(&signer.home, why))?;
        signer.gpg(&[
            "--passphrase",
            "",
            "--quick-generate-key",
            IDENTITY,
            "ed25519",
            "sign",
            "never",
        ])?;
        Ok(signer)
    }

    fn gpg(&self, words: &[&str]) -> Result<Output> {
        let home = self.home.to_string_lossy();
        let fixed = [
            "gpg",
            "--homedir",
            &home,
            "--batch",
            "--no-tty",
            "--quiet",
            "--yes",
        ];
        let rest = ["--pinentry-mode", "loopback", "--digest-algo", "SHA512"];
        Call::new(fixed.iter().chain(&rest).chain(words)).check().map_err(|error| {
            error.within("cannot sign the archive").remedy(
                "see that gpg and gpg-agent are installed, and that the cache folder's path is shorter than 80 characters",
            )
        })
    }

    /// The public key, ASCII-armoured, and its fingerprint.
    pub(super) fn public(&self) -> Result<(String, String)> {
        let armored = self.gpg(&["--armor", "--export"])?.stdout;
        let fingerprint = fingerprint(&armored, &self.home)?;
        Ok((armored, fingerprint))
    }

    /// Signs a file into `to`, text and signature in one.
    pub(super) fn clear(&self, file: &Path, to: &Path) -> Result<()> {
        self.sign("--clearsign", file, to)
    }

    /// Signs a file into `to`, the signature alone.
    pub(super) fn detached(&self, file: &Path, to: &Path) -> Result<()> {
        self.sign("--detach-sign", file, to)
    }

    fn sign(&self, how: &str, file: &Path, to: &Path) -> Result<()> {
        let (file, to) = (file.to_string_lossy(), to.to_string_lossy());
        self.gpg(&["--armor", "--output", &to, how, &file])
            .map(drop)
    }

    /// Ends the agent that gpg started for this folder, then removes the folder.
    fn discard(&self) {
        if self.home.exists() {
            let home = self.home.to_string_lossy();
            // An agent whose folder is gone ends by itself; nothing is lost if this does not reach it.
            Call::new(["gpgconf", "--homedir", &home, "--kill", "gpg-agent"])
                .run()
                .ok();
            remove(&self.home).ok();
        }
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        self.discard();
    }
}

/// The fingerprint of the one key in an ASCII-armoured text: 40 hex digits in capitals. `home` is a folder that gpg may use.
///
/// # Errors
/// When the text holds no key, or more than one: apt would trust all of them.
pub(super) fn fingerprint(armored: &str, home: &Path) -> Result<String> {
    fs::create_dir_all(home).map_err(|why| Error::file(home, why))?;
    let home = home.to_string_lossy();
    let words = "--batch --quiet --no-permission-warning --with-colons --show-keys";
    let shown = Call::new(
        ["gpg", "--homedir", &home]
            .into_iter()
            .chain(words.split(' ')),
    )
    .stdin(armored)
    .check()
    .map_err(|error| error.within("cannot read a signing key"))?;
    only_key(&shown.stdout)
}

/// The fingerprint in gpg's list, which has a `pub` record for each key and behind it the key's `fpr` record:
/// <https://github.com/gpg/gnupg/blob/master/doc/DETAILS>.
fn only_key(list: &str) -> Result<String> {
    let keys = list.lines().filter(|line| line.starts_with("pub:")).count();
    let fingerprint = list
        .lines()
        .skip_while(|line| !line.starts_with("pub:"))
        .find(|line| line.starts_with("fpr:"))
        .and_then(|line| line.split(':').nth(9));
    match (keys, fingerprint) {
        (1, Some(fingerprint)) => Ok(fingerprint.to_owned()),
        _ => Err(Error::new(
            "cannot use a signing key",
            format!("the text holds {keys} keys, and one is expected"),
            "see what the address of the key answers",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "pub:-:255:22:1122334455667788:1:::-:::scSC:\n\
                       fpr:::::::::00112233445566778899AABBCCDDEEFF00112233:\nuid:-::::1::X::a:\n";

    #[test]
    fn one_key_has_one_fingerprint() {
        assert_eq!(
            only_key(KEY).unwrap(),
            "00112233445566778899AABBCCDDEEFF00112233"
        );
    }

    #[test]
    fn a_second_key_behind_the_right_one_is_refused() {
        let error = only_key(&KEY.repeat(2)).unwrap_err();
        assert!(error.why.contains("2 keys"), "{error}");
        assert!(only_key("").is_err());
    }
}
