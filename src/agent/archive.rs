//! Files of the operator's that a resource installs from.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::paths;
use crate::digest;

/// Stores the rest of the input under its digest, once it is whole and right.
///
/// # Errors
/// When the digest differs, or the disk is full; nothing is left behind.
pub(super) fn receive(wanted: &str, body: &mut impl Read) -> io::Result<()> {
    store(wanted, body, &paths::archive(wanted))
}

fn store(wanted: &str, body: &mut impl Read, path: &Path) -> io::Result<()> {
    let staged = path.with_extension("new");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let result = take(wanted, body, &staged).and_then(|()| fs::rename(&staged, path));
    if result.is_err() {
        drop(fs::remove_file(&staged));
    }
    result
}

fn take(wanted: &str, body: &mut impl Read, staged: &Path) -> io::Result<()> {
    drop(fs::remove_file(staged));
    let options = fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o644)
        .clone();
    let mut file = options.open(staged)?;
    io::copy(body, &mut file)?;
    file.sync_all()?;
    let found = digest::sha256(&fs::read(staged)?);
    if found == wanted {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "received {found}, expected {wanted}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_file_gets_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = digest::sha256(b"the whole");
        let path = folder.path().join("archives").join(&wanted);
        let error = store(&wanted, &mut &b"the wh"[..], &path).unwrap_err();
        assert!(error.to_string().contains(&wanted), "{error}");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
        store(&wanted, &mut &b"the whole"[..], &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"the whole");
    }
}
