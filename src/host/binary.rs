//! The binary that is shipped to hosts: where it is, its digest, and whether a host can run it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use flate2::{Compression, write::GzEncoder};

use crate::digest;
use crate::error::{Error, ErrorKind};

/// A `geodeploy-host` binary on the operator's machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostBinary {
    /// Where it is.
    pub path: PathBuf,
    /// Its SHA-256, hex.
    pub digest: String,
}

impl HostBinary {
    /// The binary that `--host-binary` names, or the one beside this program, or this program itself.
    ///
    /// # Errors
    /// When the named file is not there or is not a program for Linux.
    pub fn find(given: Option<&Path>, cache: &Path) -> Result<Self, Error> {
        let candidates = match given {
            Some(path) => vec![path.to_owned()],
            None => beside_this_program()?,
        };
        let Some(path) = candidates.iter().find(|path| path.is_file()) else {
            let looked: Vec<String> = candidates
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            return Err(
                Error::new(ErrorKind::Usage, "there is no geodeploy-host to ship")
                    .cause(format!("looked at {}", looked.join(", ")))
                    .hint("name it with --host-binary FILE"),
            );
        };
        Ok(Self {
            path: path.clone(),
            digest: cached_digest(path, cache)?,
        })
    }

    /// Its bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> Result<Vec<u8>, Error> {
        std::fs::read(&self.path).map_err(|error| {
            Error::new(
                ErrorKind::Failed,
                format!("cannot read {}", self.path.display()),
            )
            .cause(error)
        })
    }

    /// Its bytes in gzip, for a bare host, which has no zstd.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn gzip(&self) -> Result<Vec<u8>, Error> {
        // Two levels more send 1 % less and take twice as long: a loss on any link over 1 Mbit/s.
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(5));
        let packed = self.read().and_then(|bytes| {
            encoder
                .write_all(&bytes)
                .and_then(|()| encoder.finish())
                .map_err(|error| {
                    Error::new(ErrorKind::Failed, "cannot compress the host's binary").cause(error)
                })
        })?;
        Ok(packed)
    }

    /// Whether a host of that architecture and glibc can run it. An empty glibc version is not known and not compared.
    ///
    /// # Errors
    /// With both sides and the remedy, before anything is sent.
    pub fn check_runs_on(&self, architecture: &str, glibc: &str) -> Result<(), Error> {
        let needs = Needs::of(&self.read()?);
        let refuse = |why: String| {
            Err(Error::new(
                ErrorKind::Usage,
                format!("{} cannot run on the host", self.path.display()),
            )
            .cause(why)
            .hint("name a static binary of the host's architecture with --host-binary FILE"))
        };
        if needs.architecture != architecture {
            return refuse(format!(
                "it is built for {}, the host is {architecture}",
                needs.architecture
            ));
        }
        match (needs.glibc, version(glibc)) {
            (Some(needed), Some(found)) if needed > found => refuse(format!(
                "it needs glibc {}.{}, the host has {glibc}",
                needed.0, needed.1
            )),
            _ => Ok(()),
        }
    }
}

fn beside_this_program() -> Result<Vec<PathBuf>, Error> {
    let program = std::env::current_exe().map_err(|error| {
        Error::new(ErrorKind::Failed, "cannot find this program's own file").cause(error)
    })?;
    let folder = program.parent().map(Path::to_owned).unwrap_or_default();
    let mut candidates: Vec<PathBuf> = [
        "geodeploy-host",
        "geodeploy-host-x86_64-linux",
        "geodeploy-host-aarch64-linux",
    ]
    .iter()
    .map(|name| folder.join(name))
    .collect();
    if cfg!(target_os = "linux") {
        candidates.push(program);
    }
    Ok(candidates)
}

/// Hashing a large file costs more than the rest of a run that changes nothing, so the digest is kept with size and time.
fn cached_digest(path: &Path, cache: &Path) -> Result<String, Error> {
    let unreadable = |error| {
        Error::new(ErrorKind::Failed, format!("cannot read {}", path.display())).cause(error)
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    let absolute = std::path::absolute(path).map_err(unreadable)?;
    let stamp = format!(
        "{} {} {}",
        metadata.len(),
        modified.as_nanos(),
        absolute.display()
    );
    let entry = cache.join(format!(
        "digest-{}",
        &digest::sha256(absolute.as_os_str().as_encoded_bytes())[..16]
    ));
    if let Ok(text) = std::fs::read_to_string(&entry)
        && let Some((digest, known)) = text.split_once(' ')
        && known == stamp
    {
        return Ok(digest.to_owned());
    }
    let found = digest::sha256(&std::fs::read(path).map_err(unreadable)?);
    // A cache that cannot be written costs time, not correctness.
    drop(std::fs::write(entry, format!("{found} {stamp}")));
    Ok(found)
}

/// What an ELF file asks of its host.
struct Needs {
    architecture: &'static str,
    glibc: Option<(u32, u32)>,
}

impl Needs {
    /// Reads the machine field, and the version names that the dynamic linker would look for (ELF-64, little endian).
    fn of(bytes: &[u8]) -> Self {
        let half = |at: usize| {
            bytes
                .get(at..at + 2)
                .map_or(0, |half| u16::from_le_bytes([half[0], half[1]]))
        };
        let architecture = match (bytes.starts_with(b"\x7fELF"), half(18)) {
            (true, 62) => "x86_64",
            (true, 183) => "aarch64",
            _ => "something that is not Linux",
        };
        // Program headers: a dynamic file names its interpreter (type 3).
        let table = bytes
            .get(32..40)
            .and_then(|at| at.try_into().ok())
            .map_or(0, u64::from_le_bytes);
        let dynamic = (0..usize::from(half(56))).any(|index| {
            let at = usize::try_from(table)
                .unwrap_or(usize::MAX)
                .saturating_add(index * usize::from(half(54)));
            bytes.get(at..at.saturating_add(4)) == Some(&[3, 0, 0, 0])
        });
        Self {
            architecture,
            glibc: dynamic.then(|| highest_glibc(bytes)).flatten(),
        }
    }
}

fn highest_glibc(bytes: &[u8]) -> Option<(u32, u32)> {
    let name = b"GLIBC_";
    let mut highest = None;
    let mut rest = bytes;
    while let Some(at) = rest.windows(name.len()).position(|window| window == name) {
        rest = &rest[at + name.len()..];
        let end = rest
            .iter()
            .position(|byte| !byte.is_ascii_digit() && *byte != b'.')
            .unwrap_or(rest.len());
        highest = highest.max(std::str::from_utf8(&rest[..end]).ok().and_then(version));
    }
    highest
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_for_another_machine_is_refused_before_it_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let this = std::env::current_exe().unwrap();
        let binary = HostBinary::find(Some(&this), folder.path()).unwrap();
        binary
            .check_runs_on(std::env::consts::ARCH, "2.99")
            .unwrap();
        let error = binary.check_runs_on("riscv64", "2.99").unwrap_err();
        assert!(error.causes.join(" ").contains("riscv64"), "{error:?}");
        let error = binary
            .check_runs_on(std::env::consts::ARCH, "2.1")
            .unwrap_err();
        assert!(error.causes.join(" ").contains("glibc"), "{error:?}");
    }

    #[test]
    fn the_digest_is_kept_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("program");
        std::fs::write(&file, "one").unwrap();
        let first = HostBinary::find(Some(&file), folder.path()).unwrap();
        assert_eq!(first, HostBinary::find(Some(&file), folder.path()).unwrap());
        std::fs::write(&file, "three").unwrap();
        assert_ne!(first, HostBinary::find(Some(&file), folder.path()).unwrap());
    }
}
