//! The operator's own state of one project: a key, sockets, an audit copy, a cache. All of it may be deleted at any time.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::digest;
use crate::error::{Error, ErrorContext, ErrorKind};
use crate::secrets::{FingerprintKey, Secret};

/// The longest folder for control sockets, in bytes. A socket's path has 104 bytes on macOS and 108 on Linux with the
/// closing zero; `ssh` needs 17 for a random suffix while it binds, the openssh crate up to 32 for its own folder and name.
const CONTROL_FOLDER_BYTES: usize = 104 - 1 - 17 - 32;

/// A project's folder, `$XDG_STATE_HOME/geodeploy/PROJECT`, readable by its owner only.
#[derive(Clone, Debug)]
pub struct State {
    root: PathBuf,
    temporary: PathBuf,
}

impl State {
    /// Opens the folder of `project` under `home` (`$XDG_STATE_HOME`), and makes it where it is missing.
    ///
    /// # Errors
    /// When the project's name is no single folder's name, or the folder cannot be made or is open to others.
    pub fn open(home: &Path, project: &str) -> Result<Self, Error> {
        if project.is_empty() || project.starts_with('.') || project.contains(['/', '\0']) {
            return Err(Error::new(
                ErrorKind::Input,
                format!("the project name {project:?} cannot name a folder"),
            )
            .hint("use letters, digits and hyphens"));
        }
        let root = home.join("geodeploy").join(project);
        private_folder(&root)?;
        Ok(Self {
            root,
            temporary: PathBuf::from("/tmp"),
        })
    }

    /// The key of this project's fingerprints on this machine: 32 random bytes, made on first use.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn fingerprint_key(&self) -> Result<FingerprintKey, Error> {
        let path = self.root.join("fingerprint-key");
        if !path.exists() {
            create_once(&path, random_hex()?.expose().as_bytes())?;
        }
        let text = fs::read_to_string(&path).context(ErrorKind::Failed, || {
            format!("cannot read {}", path.display())
        })?;
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(
                Error::new(ErrorKind::Failed, format!("{} is damaged", path.display())).hint(
                    format!(
                        "delete it; a new one is made, and saved plans are then stale: `rm {}`",
                        path.display()
                    ),
                ),
            );
        }
        Ok(FingerprintKey::new(Secret::new(text)))
    }

    /// The folder for control sockets, short enough for one: in the project's own folder, or else under
    /// `/tmp/geodeploy-UID`.
    ///
    /// # Errors
    /// When it cannot be made, or somebody else owns it.
    pub fn control_folder(&self) -> Result<PathBuf, Error> {
        let own = self.root.join("control");
        if own.as_os_str().len() <= CONTROL_FOLDER_BYTES {
            private_folder(&own)?;
            return Ok(own);
        }
        let user = rustix::process::geteuid().as_raw();
        let shared = self.temporary.join(format!("geodeploy-{user}"));
        private_folder(&shared)?;
        let digest = digest::sha256(self.root.as_os_str().as_encoded_bytes());
        let short = shared.join(digest.get(..12).unwrap_or(&digest));
        private_folder(&short)?;
        Ok(short)
    }

    /// The folder of releases already sent, from which deltas are made.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn releases(&self) -> Result<PathBuf, Error> {
        let folder = self.root.join("releases");
        private_folder(&folder)?;
        Ok(folder)
    }

    /// The folder of the backup that a drill is about.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn drills(&self) -> Result<PathBuf, Error> {
        let folder = self.root.join("drill");
        private_folder(&folder)?;
        Ok(folder)
    }

    /// The folder of what DNS zones were before they were changed.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn zones(&self) -> Result<PathBuf, Error> {
        let folder = self.root.join("dns");
        private_folder(&folder)?;
        Ok(folder)
    }

    /// The path of a file of that name in the project's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Adds one line to the operator's copy of the audit trail. A line break in it is written out.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn audit(&self, line: &str) -> Result<(), Error> {
        let path = self.root.join("audit.log");
        let line = format!("{}\n", crate::text::printable_line(line));
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .context(ErrorKind::Failed, || {
                format!("cannot write {}", path.display())
            })
    }
}

/// Puts `bytes` at `path` atomically, readable by its owner only; what was there is replaced.
///
/// # Errors
/// When it cannot be written; what was there is then untouched.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let scratch = scratch_beside(path);
    write_new(&scratch, bytes)
        .and_then(|()| fs::rename(&scratch, path))
        .inspect_err(|_| drop(fs::remove_file(&scratch)))
        .context(ErrorKind::Failed, || {
            format!("cannot write {}", path.display())
        })
}

/// Puts `bytes` at `path` atomically in place of the file that is there, with its permissions.
///
/// # Errors
/// When it cannot be written; what was there is then untouched.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let scratch = scratch_beside(path);
    let permissions = fs::metadata(path).map(|metadata| metadata.permissions());
    write_new(&scratch, bytes)
        .and(permissions)
        .and_then(|permissions| fs::set_permissions(&scratch, permissions))
        .and_then(|()| fs::rename(&scratch, path))
        .inspect_err(|_| drop(fs::remove_file(&scratch)))
        .context(ErrorKind::Failed, || {
            format!("cannot write {}", path.display())
        })
}

/// Like [`write_private`], but what is there already stays: of two that run at once, one wins and both read the same.
fn create_once(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let scratch = scratch_beside(path);
    let linked = write_new(&scratch, bytes).and_then(|()| fs::hard_link(&scratch, path));
    drop(fs::remove_file(&scratch));
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.exists() => Ok(()),
        other => other.context(ErrorKind::Failed, || {
            format!("cannot write {}", path.display())
        }),
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A name in the same folder that no other process or thread uses.
fn scratch_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    let thread = format!("{:?}", std::thread::current().id());
    let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
    name.push(format!(".{}-{thread}.new", std::process::id()));
    path.with_file_name(name)
}

/// Makes a folder of mode 0700 with its parents, and refuses one that others may enter or that somebody else owns.
fn private_folder(path: &Path) -> Result<(), Error> {
    let place = path.display();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .context(ErrorKind::Failed, || {
            format!("cannot make the folder {place}")
        })?;
    // Links are not followed: in /tmp somebody else may have put one there first.
    let found = fs::symlink_metadata(path)
        .context(ErrorKind::Failed, || format!("cannot look at {place}"))?;
    let owner = rustix::process::geteuid().as_raw();
    if found.is_dir() && found.uid() == owner && found.mode() & 0o077 == 0 {
        return Ok(());
    }
    let why = if !found.is_dir() {
        "it is not a folder".to_owned()
    } else if found.uid() != owner {
        format!("it belongs to the user {}, not to {owner}", found.uid())
    } else {
        format!(
            "others may enter it: its mode is {:04o}",
            found.mode() & 0o7777
        )
    };
    Err(Error::new(
        ErrorKind::Failed,
        format!("{place} is not safe to keep secrets in"),
    )
    .cause(why)
    .hint(format!(
        "look at it, then `chmod 700 {place}`, or delete it: nothing in it is needed"
    )))
}

fn random_hex() -> Result<Secret, Error> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(bytes.as_mut()))
        .context(ErrorKind::Failed, || "cannot read /dev/urandom".to_owned())?;
    Ok(Secret::new(digest::hex(bytes.as_ref())))
}

#[cfg(test)]
mod tests;
