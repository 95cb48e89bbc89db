//! A real mongod 6.0.5 on loopback, with TLS, authorization and a keyFile, ended with its test.

#[path = "ports.rs"]
pub(crate) mod ports;

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use geodeploy::rehearse::archive;
use geodeploy::resource::mongo::Connection;
use geodeploy::secrets::Secret;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustix::process::{Pid, Signal};

/// The server's binary, kept between runs; `None`, said loudly, where it cannot be had.
pub(crate) fn binary() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let found = archive::mongod(&archive::default_cache());
            if let Err(why) = &found {
                println!("SKIPPED: no real mongod to test with: {why}");
            }
            found.ok()
        })
        .clone()
}

#[expect(clippy::disallowed_methods, reason = "the test's own programs")]
fn command(program: &str) -> Command {
    Command::new(program)
}

/// A server with a folder of its own.
pub(crate) struct Server {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
    /// What it gets by `--setParameter`.
    pub(crate) parameters: Vec<&'static str>,
    binary: PathBuf,
    child: Option<Child>,
}

impl Server {
    /// Started bare: no set, no user.
    pub(crate) fn start() -> Option<Self> {
        let mut server = Self::stopped()?;
        server.up();
        Some(server)
    }

    /// Another one with the same authority, certificate and keyFile, started bare.
    pub(crate) fn beside(&self) -> Option<Self> {
        let mut server = Self::stopped()?;
        for name in ["ca.pem", "server.pem", "key"] {
            // They are read-only for their owner.
            std::fs::remove_file(server.path(name)).unwrap();
            std::fs::copy(self.path(name), server.path(name)).unwrap();
        }
        server.up();
        Some(server)
    }

    /// As members of a set know it.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Its files, without a process.
    pub(crate) fn stopped() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let server = Self {
            binary: binary()?,
            port: ports::free(),
            folder,
            parameters: Vec::new(),
            child: None,
        };
        std::fs::create_dir(server.path("data")).unwrap();
        let files = ["server.pem", "client.pem"].map(|name| server.path(name));
        certificates(&server.path("ca.pem"), &files);
        secret(
            &server.path("key"),
            "c2hhcmVkIGJ5IHRoZSBtZW1iZXJzIG9mIHRoZSBzZXQ=",
        );
        Some(server)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it, with `cache` gigabytes.
    pub(crate) fn up_with(&mut self, cache: &str) {
        let path = |name| self.path(name).to_string_lossy().into_owned();
        let child = command(&self.binary.to_string_lossy())
            .args(["--bind_ip", "127.0.0.1", "--port", &self.port.to_string()])
            .args([
                "--dbpath",
                &path("data"),
                "--logpath",
                &path("log"),
                "--logappend",
            ])
            .args(["--auth", "--keyFile", &path("key"), "--replSet", "rs0"])
            .args(["--tlsMode", "requireTLS", "--tlsCAFile", &path("ca.pem")])
            .args(["--tlsCertificateKeyFile", &path("server.pem")])
            .args(["--wiredTigerCacheSizeGB", cache, "--oplogSize", "990"])
            .args(
                self.parameters
                    .iter()
                    .flat_map(|parameter| ["--setParameter", parameter]),
            )
            .stdout(Stdio::null())
            // What outlives an aborted test must not keep its output open.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "mongod did not start"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn up(&mut self) {
        self.up_with("0.25");
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it without closing a connection, or lets it go on.
    pub(crate) fn hold(&self, held: bool) {
        let signal = if held { Signal::STOP } else { Signal::CONT };
        let process = Pid::from_child(self.child.as_ref().unwrap());
        rustix::process::kill_process(process, signal).unwrap();
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection {
            port: self.port,
            ca_file: self.path("ca.pem"),
            certificate_file: Some(self.path("server.pem")),
            admin_user: "geodeploy_admin".to_owned(),
            admin_password: Secret::new("first-secret".to_owned()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn secret(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o400)).unwrap();
}

/// An authority, and certificates from it for loopback.
pub(crate) fn certificates(ca_file: &Path, files: &[PathBuf]) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    // Authority and server must not have the same name, or the server's certificate counts as self-signed.
    authority
        .distinguished_name
        .push(DnType::CommonName, "authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(ca_file, issuer.pem()).unwrap();
    for file in files {
        let key = KeyPair::generate().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut own = CertificateParams::new(names).unwrap();
        own.distinguished_name.push(DnType::CommonName, "mongod");
        let certificate = own.signed_by(&key, &issuer).unwrap();
        let text = format!("{}{}", certificate.pem(), key.serialize_pem());
        secret(file, &text);
    }
}
