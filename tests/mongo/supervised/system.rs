//! The machine as the resources see it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use geodeploy::agent::machine::Machine;
use geodeploy::agent::system::{Invocation, Metadata, Output, System};
use geodeploy::resource::Ownership;

use super::Host;

fn said(stdout: String) -> Output {
    Output {
        stdout,
        ..Output::default()
    }
}

impl System for Host {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Machine.read(&self.at(path))
    }

    /// Whoever runs the test stands for root.
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        let found = Machine.metadata(&self.at(path))?;
        Ok(found.map(|found| Metadata {
            ownership: Ownership::root(found.ownership.mode),
            ..found
        }))
    }

    fn list(&self, path: &Path) -> io::Result<Option<Vec<String>>> {
        Machine.list(&self.at(path))
    }

    fn write(&self, path: &Path, bytes: &[u8], ownership: &Ownership) -> io::Result<()> {
        let path = self.at(path);
        fs::remove_file(&path).ok();
        fs::write(&path, bytes)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(ownership.mode))
    }

    fn set_ownership(&self, path: &Path, ownership: &Ownership) -> io::Result<()> {
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(ownership.mode))
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(self.at(path))
    }

    fn symlink(&self, path: &Path, target: &Path) -> io::Result<()> {
        Machine.symlink(&self.at(path), target)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Machine.remove(&self.at(path))
    }

    fn run(&self, invocation: &Invocation<'_>) -> io::Result<Output> {
        match invocation.argv.as_slice() {
            ["mongod", rest @ ..] => {
                let binary = self.binary.to_string_lossy();
                let argv = [&[&*binary], rest].concat();
                Machine.run(&Invocation::new(&argv))
            }
            ["systemctl", "show", ..] => Ok(said(self.show())),
            [
                "systemctl",
                verb @ ("start" | "restart"),
                "--",
                "mongod.service",
            ] => {
                self.systemctl(verb);
                Ok(said(String::new()))
            }
            ["journalctl", ..] => Ok(said(fs::read_to_string(self.path("journal"))?)),
            ["tail", ..] => Machine.run(invocation),
            other => panic!("not expected: {other:?}"),
        }
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        Machine.free_space(path)
    }

    fn total_space(&self, path: &Path) -> io::Result<u64> {
        Machine.total_space(path)
    }

    fn modified(&self, path: &Path) -> io::Result<Option<SystemTime>> {
        Machine.modified(&self.at(path))
    }

    fn now(&self) -> SystemTime {
        Machine.now()
    }

    fn sleep(&self, duration: Duration) {
        Machine.sleep(duration);
    }
}
