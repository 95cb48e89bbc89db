//! The agent's only door to its machine.
//!
//! Resources see this trait and nothing else, so that what no test host can show (a CPU without AVX, a host
//! without swap) is shown by a fixture.

pub mod database;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::resource::Ownership;

/// Why something on the host did not work: what, why, and what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Fault {
    /// What was being done: `cannot write /etc/nginx/nginx.conf`.
    pub what: String,
    /// The cause, as the machine gave it.
    pub why: String,
    /// What to do next, where it is known.
    pub hint: Option<String>,
    /// Whether nothing is wrong, and the same run later goes on.
    pub pending: bool,
}

impl Fault {
    /// A fault without advice.
    pub fn new(what: impl Into<String>, why: impl ToString) -> Self {
        Self {
            what: what.into(),
            why: why.to_string(),
            hint: None,
            pending: false,
        }
    }

    /// Something that takes longer than a run waits for, or waits for another host.
    pub fn pending(what: impl Into<String>, why: impl ToString) -> Self {
        Self {
            pending: true,
            ..Self::new(what, why)
        }
    }

    /// The same fault with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What a path is, links not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A regular file of that many bytes.
    File(u64),
    /// A folder.
    Directory,
    /// A symbolic link and where it points.
    Symlink(PathBuf),
    /// A socket, a device, a pipe.
    Other,
}

/// A path's type, owner and permissions, links not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub entry: Entry,
    /// Names where they exist, numbers where they do not; permission bits without the type.
    pub ownership: Ownership,
}

/// A program to run. No shell is involved.
#[derive(Clone, Debug)]
pub struct Invocation<'a> {
    /// Program and arguments. Never a secret: argv can be read by every user.
    pub argv: Vec<&'a str>,
    /// Bytes for its standard input.
    pub stdin: Option<&'a [u8]>,
    /// Variables added to the environment.
    pub environment: Vec<(&'a str, &'a str)>,
    /// After this long it is ended and the run fails.
    pub deadline: Duration,
}

impl<'a> Invocation<'a> {
    /// A program with arguments, no input, and a deadline of 30 s.
    pub fn new(argv: &[&'a str]) -> Self {
        Self {
            argv: argv.to_vec(),
            stdin: None,
            environment: Vec::new(),
            deadline: Duration::from_secs(30),
        }
    }

    /// With these bytes on its standard input.
    #[must_use]
    pub fn stdin(mut self, bytes: &'a [u8]) -> Self {
        self.stdin = Some(bytes);
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: &'a str, value: &'a str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// With another deadline.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

/// What a program left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Its exit status; a signal gives 128 + its number, a program that is not installed 127.
    pub status: i32,
    /// Its standard output, invalid UTF-8 replaced.
    pub stdout: String,
    /// Its standard error, likewise.
    pub stderr: String,
}

impl Output {
    /// Whether it exited with 0.
    pub fn success(&self) -> bool {
        self.status == 0
    }

    /// Itself where it exited with 0, otherwise a fault with the last lines that it wrote.
    ///
    /// # Errors
    /// When the status is not 0.
    pub fn checked(self, what: &str) -> Result<Self, Fault> {
        if self.success() {
            return Ok(self);
        }
        let text = if self.stderr.trim().is_empty() {
            &self.stdout
        } else {
            &self.stderr
        };
        let lines: Vec<&str> = text.trim().lines().collect();
        let tail = lines[lines.len().saturating_sub(8)..].join("\n");
        Err(Fault::new(
            what,
            format!("exit status {}: {tail}", self.status),
        ))
    }
}

/// The machine as resources see it.
pub trait System {
    /// A file's bytes, links followed; `None` when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// What a path is, links not followed; `None` when there is nothing.
    ///
    /// # Errors
    /// When a folder on the way cannot be searched.
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>>;

    /// The names in a folder, sorted; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn list(&self, path: &Path) -> io::Result<Option<Vec<String>>>;

    /// Puts bytes in place atomically and durably: a 0600 file beside it, given to its owner, synced, renamed.
    /// The folder must exist. What was there before is either whole or wholly replaced.
    ///
    /// # Errors
    /// When any step fails; the old file is then untouched.
    fn write(&self, path: &Path, bytes: &[u8], ownership: &Ownership) -> io::Result<()>;

    /// Gives a path its owner, group and permission bits.
    ///
    /// # Errors
    /// When the owner is not known or the change is refused.
    fn set_ownership(&self, path: &Path, ownership: &Ownership) -> io::Result<()>;

    /// Makes a folder; one that is there already is no error. Parents are made with mode 0755, root's.
    ///
    /// # Errors
    /// When it cannot be made.
    fn make_directory(&self, path: &Path) -> io::Result<()>;

    /// Points a symbolic link at `target` atomically: a new link beside it, renamed over it.
    ///
    /// # Errors
    /// When it cannot be made.
    fn symlink(&self, path: &Path, target: &Path) -> io::Result<()>;

    /// Removes a file, a link or an empty folder; nothing there is no error.
    ///
    /// # Errors
    /// When it is there and stays.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Runs a program to its end. A program that is not installed gives status 127, not an error.
    ///
    /// # Errors
    /// When it cannot be started for another reason, or runs past its deadline (it is then ended).
    fn run(&self, invocation: &Invocation<'_>) -> io::Result<Output>;

    /// Free bytes for unprivileged users on the file system of `path`.
    ///
    /// # Errors
    /// When the path is not there.
    fn free_space(&self, path: &Path) -> io::Result<u64>;

    /// Bytes of the file system of `path` that unprivileged users have or may have.
    ///
    /// # Errors
    /// When the path is not there.
    fn total_space(&self, path: &Path) -> io::Result<u64>;

    /// When a path's content was last changed, links followed; `None` when there is nothing.
    ///
    /// # Errors
    /// When a folder on the way cannot be searched.
    fn modified(&self, path: &Path) -> io::Result<Option<SystemTime>>;

    /// The time of day.
    fn now(&self) -> SystemTime;

    /// Waits; a fixture returns at once and moves its clock.
    fn sleep(&self, duration: Duration);
}
