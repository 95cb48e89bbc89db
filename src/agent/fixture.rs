//! A machine in memory, for tests of what no test host can show.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::system::{Entry, Invocation, Metadata, Output, System};
use crate::resource::Ownership;

mod bench;
mod database;
mod script;

pub use bench::Bench;
pub use database::Scripted;
pub use script::Script;

#[derive(Clone, Debug)]
enum Node {
    File(Vec<u8>),
    Directory,
    Symlink(PathBuf),
}

#[derive(Clone, Debug)]
struct Held {
    node: Node,
    ownership: Ownership,
    modified: SystemTime,
}

/// Files, scripted programs, and a clock that only sleeping moves.
#[derive(Debug)]
pub struct Fixture {
    entries: RefCell<BTreeMap<PathBuf, Held>>,
    scripts: RefCell<Vec<Script>>,
    ran: RefCell<Vec<String>>,
    unwritable: RefCell<Vec<PathBuf>>,
    clock: Cell<SystemTime>,
    free: Cell<u64>,
}

impl Default for Fixture {
    /// An empty machine on the ninth of September 2001, with 100 GiB of space.
    fn default() -> Self {
        Self {
            entries: RefCell::default(),
            scripts: RefCell::default(),
            ran: RefCell::default(),
            unwritable: RefCell::default(),
            clock: Cell::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)),
            free: Cell::new(100 << 30),
        }
    }
}

impl Fixture {
    /// An empty machine.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file of root's with mode 0644, and its folders.
    pub fn put(&self, path: impl AsRef<Path>, text: &str) {
        self.hold(
            path.as_ref(),
            Node::File(text.into()),
            &Ownership::root(0o644),
        );
    }

    /// The same machine with a program's standard output.
    pub fn script(&self, command: &str, stdout: &str) {
        self.add(Script::success(command, stdout));
    }

    /// The same machine with a program that fails.
    pub fn script_failure(&self, command: &str, status: i32, stderr: &str) {
        self.add(Script::failure(command, status, stderr));
    }

    /// A program in full.
    pub fn add(&self, script: Script) {
        self.scripts.borrow_mut().push(script);
    }

    /// From here on this path cannot be written.
    pub fn refuse(&self, path: &str) {
        self.unwritable.borrow_mut().push(path.into());
    }

    /// From here on there is that much space.
    pub fn set_free_space(&self, bytes: u64) {
        self.free.set(bytes);
    }

    /// A file's text.
    pub fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let bytes = self.read(path.as_ref()).ok()??;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Every path below `folder` with its text, links as `-> target`, folders left out.
    pub fn files(&self, folder: &str) -> BTreeMap<PathBuf, String> {
        let entries = self.entries.borrow();
        let below = entries.iter().filter(|(path, _)| path.starts_with(folder));
        below
            .filter_map(|(path, held)| match &held.node {
                Node::File(bytes) => {
                    Some((path.clone(), String::from_utf8_lossy(bytes).into_owned()))
                }
                Node::Symlink(target) => Some((path.clone(), format!("-> {}", target.display()))),
                Node::Directory => None,
            })
            .collect()
    }

    /// The command lines so far, words joined by spaces.
    pub fn ran(&self) -> Vec<String> {
        self.ran.borrow().clone()
    }

    fn hold(&self, path: &Path, node: Node, ownership: &Ownership) {
        let mut entries = self.entries.borrow_mut();
        for folder in path.ancestors().skip(1) {
            entries.entry(folder.to_owned()).or_insert_with(|| Held {
                node: Node::Directory,
                ownership: Ownership::root(0o755),
                modified: self.clock.get(),
            });
        }
        let held = Held {
            node,
            ownership: ownership.clone(),
            modified: self.clock.get(),
        };
        entries.insert(path.to_owned(), held);
    }

    fn resolve(&self, path: &Path) -> Option<Held> {
        let entries = self.entries.borrow();
        let mut path = path.to_owned();
        for _ in 0..8 {
            let held = entries.get(&path)?;
            let Node::Symlink(target) = &held.node else {
                return Some(held.clone());
            };
            path = path.parent()?.join(target);
        }
        None
    }

    fn writable(&self, path: &Path) -> io::Result<()> {
        if self.unwritable.borrow().iter().any(|other| other == path) {
            return Err(io::Error::new(
                ErrorKind::StorageFull,
                "No space left on device",
            ));
        }
        let folder = path.parent().and_then(|folder| self.resolve(folder));
        match folder.map(|held| held.node) {
            Some(Node::Directory) => Ok(()),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }
}

impl System for Fixture {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match self.resolve(path).map(|held| held.node) {
            Some(Node::File(bytes)) => Ok(Some(bytes)),
            Some(_) => Err(ErrorKind::IsADirectory.into()),
            None => Ok(None),
        }
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        let entries = self.entries.borrow();
        Ok(entries.get(path).map(|held| Metadata {
            entry: match &held.node {
                Node::File(bytes) => Entry::File(bytes.len() as u64),
                Node::Directory => Entry::Directory,
                Node::Symlink(target) => Entry::Symlink(target.clone()),
            },
            ownership: held.ownership.clone(),
        }))
    }

    fn list(&self, path: &Path) -> io::Result<Option<Vec<String>>> {
        if self.resolve(path).is_none() {
            return Ok(None);
        }
        let entries = self.entries.borrow();
        let inside = entries.keys().filter(|other| other.parent() == Some(path));
        let names = inside.filter_map(|other| other.file_name());
        Ok(Some(
            names.map(|name| name.to_string_lossy().into()).collect(),
        ))
    }

    fn write(&self, path: &Path, bytes: &[u8], ownership: &Ownership) -> io::Result<()> {
        self.writable(path)?;
        self.hold(path, Node::File(bytes.to_vec()), ownership);
        Ok(())
    }

    fn set_ownership(&self, path: &Path, ownership: &Ownership) -> io::Result<()> {
        let mut entries = self.entries.borrow_mut();
        let held = entries.get_mut(path).ok_or(ErrorKind::NotFound)?;
        held.ownership = ownership.clone();
        Ok(())
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        if self.resolve(path).is_none() {
            self.hold(path, Node::Directory, &Ownership::root(0o755));
        }
        Ok(())
    }

    fn symlink(&self, path: &Path, target: &Path) -> io::Result<()> {
        self.writable(path)?;
        self.hold(
            path,
            Node::Symlink(target.to_owned()),
            &Ownership::root(0o777),
        );
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut entries = self.entries.borrow_mut();
        if entries.keys().any(|other| other.parent() == Some(path)) {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        entries.remove(path);
        Ok(())
    }

    fn run(&self, invocation: &Invocation<'_>) -> io::Result<Output> {
        let command = invocation.argv.join(" ");
        self.ran.borrow_mut().push(command.clone());
        let mut scripts = self.scripts.borrow_mut();
        let matching = scripts.iter_mut().find(|script| {
            script.runs != Some(0)
                && match script.command.strip_suffix('*') {
                    Some(beginning) => command.starts_with(beginning),
                    None => script.command == command,
                }
        });
        let Some(script) = matching else {
            return Ok(Output {
                status: 127,
                stdout: String::new(),
                stderr: format!("not scripted: {command}"),
            });
        };
        script.runs = script.runs.map(|runs| runs - 1);
        let script = script.clone();
        drop(scripts);
        for (path, text) in &script.files {
            match text {
                Some(text) => self.put(path, text),
                None => self.remove(path)?,
            }
        }
        Ok(script.output)
    }

    fn free_space(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.free.get())
    }

    fn total_space(&self, _path: &Path) -> io::Result<u64> {
        Ok(100 << 30)
    }

    fn modified(&self, path: &Path) -> io::Result<Option<SystemTime>> {
        Ok(self.resolve(path).map(|held| held.modified))
    }

    fn now(&self) -> SystemTime {
        self.clock.get()
    }

    fn sleep(&self, duration: Duration) {
        self.clock.set(self.clock.get() + duration);
    }
}
