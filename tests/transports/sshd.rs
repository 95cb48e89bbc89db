//! A real sshd on loopback with keys, configuration and log of its own, for one test.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use geodeploy::host::Destination;
use tempfile::TempDir;

use crate::ports;

pub(crate) struct Sshd {
    folder: TempDir,
    daemon: Child,
    pub(crate) address: SocketAddr,
}

/// Which of the two keys the operator logs in with.
#[derive(Clone, Copy)]
pub(crate) enum Login {
    /// The login shell says nothing of its own.
    Quiet,
    /// It greets on both streams before it runs a command, and ends no line after it.
    Noisy,
}

impl Sshd {
    /// Starts one; `None` where there is no sshd, which is said loudly.
    pub(crate) fn start() -> Option<Self> {
        let program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"]
            .into_iter()
            .find(|program| Path::new(program).exists());
        let Some(program) = program else {
            eprintln!("SKIPPED: there is no sshd; install openssh-server");
            return None;
        };
        if is_root() {
            // What the service's unit makes at its start.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for key in ["host", "quiet", "noisy"] {
            generate(&path(key));
        }
        fs::create_dir(path("root")).unwrap();
        let public = |name: &str| fs::read_to_string(path(name).with_extension("pub")).unwrap();
        let greeting = r#"command="echo absent minds; echo mail >&2; printf Welcome; eval \"$SSH_ORIGINAL_COMMAND\"""#;
        let keys = format!("{}{greeting} {}", public("quiet"), public("noisy"));
        fs::write(path("authorized"), keys).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let text = configuration(address, folder.path());
        fs::write(path("sshd_config"), text).unwrap();
        let daemon = Command::new(program)
            .args(["-D", "-f"])
            .arg(path("sshd_config"))
            .arg("-E")
            .arg(path("log"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let sshd = Self {
            folder,
            daemon,
            address,
        };
        sshd.wait();
        Some(sshd)
    }

    fn wait(&self) {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let log = self.log();
            assert!(begun.elapsed() < Duration::from_secs(10), "{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder that stands in for `/` in everything that is the agent's own.
    pub(crate) fn root(&self) -> PathBuf {
        self.path("root")
    }

    /// Its public key as it is pinned.
    pub(crate) fn host_key(&self) -> String {
        public_key(&self.path("host"))
    }

    pub(crate) fn destination(&self, login: Login) -> Destination {
        let key = match login {
            Login::Quiet => "quiet",
            Login::Noisy => "noisy",
        };
        Destination {
            region: "test".to_owned(),
            host: self.address.ip().to_string(),
            user: Some(user()),
            port: Some(self.address.port()),
            identity: Some(self.path(key)),
            host_keys: vec![self.host_key()],
            jumps: Vec::new(),
            timeout: Duration::from_secs(20),
        }
    }

    /// All that it has logged, at the level DEBUG3.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The log from `start` on, once nobody is connected any more.
    pub(crate) fn log_after(&self, start: usize, end: &str) -> String {
        let begun = Instant::now();
        loop {
            let log = self.log()[start..].to_owned();
            if log.contains(end) {
                return log;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
    }
}

fn configuration(address: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "ListenAddress {address}\nHostKey {folder}/host\nPidFile none\nLogLevel DEBUG3\nUsePAM no\n\
         StrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         AuthorizedKeysFile {folder}/authorized\nSetEnv GEODEPLOY_ROOT={folder}/root\nMaxSessions 20\n"
    )
}

/// Makes an Ed25519 key pair without a passphrase.
pub(crate) fn generate(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// Type and key of a key pair.
pub(crate) fn public_key(path: &Path) -> String {
    let text = fs::read_to_string(path.with_extension("pub")).unwrap();
    let words: Vec<&str> = text.split(' ').take(2).collect();
    words.join(" ").trim().to_owned()
}

pub(crate) fn is_root() -> bool {
    id(&["-u"]) == "0"
}

/// The name of whoever runs the test.
pub(crate) fn user() -> String {
    id(&["-un"])
}

/// The name of their group.
pub(crate) fn group() -> String {
    id(&["-gn"])
}

fn id(arguments: &[&str]) -> String {
    let output = Command::new("id").args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
