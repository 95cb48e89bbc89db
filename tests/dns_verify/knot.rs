//! A Knot DNS server on loopback, ended with its test.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A zone, and where it answers by geography, Knot's own data for that.
pub(crate) struct Zone {
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) geo: Option<(String, u32)>,
}

/// A running server.
pub(crate) struct Knot {
    folder: TempDir,
    child: Option<Child>,
}

/// Debian's packages `knot` and `knot-module-geoip`; `None`, said loudly, where they are missing.
fn program() -> Option<PathBuf> {
    let module = |folder: PathBuf| {
        let versions = std::fs::read_dir(folder.join("knot")).ok()?;
        let mut versions = versions.filter_map(Result::ok);
        versions.find(|version| version.path().join("geoip.so").exists())
    };
    let mut libraries = std::fs::read_dir("/usr/lib").into_iter().flatten();
    let has_module = libraries.any(|entry| entry.is_ok_and(|entry| module(entry.path()).is_some()));
    let program = Path::new("/usr/sbin/knotd");
    if program.exists() && has_module {
        return Some(program.to_owned());
    }
    println!("SKIPPED: no Knot DNS to test with: install knot and knot-module-geoip");
    None
}

#[expect(clippy::disallowed_methods, reason = "the test's own programs")]
fn command(program: &Path) -> Command {
    Command::new(program)
}

impl Knot {
    /// Starts a server that listens there and waits until it answers.
    pub(crate) fn start(
        listen: &[SocketAddr],
        client_subnet: bool,
        zones: &[Zone],
    ) -> Option<Self> {
        let program = program()?;
        let folder = tempfile::tempdir().unwrap();
        let text = configuration(folder.path(), listen, client_subnet, zones);
        std::fs::write(folder.path().join("knot.conf"), text).unwrap();
        std::fs::create_dir(folder.path().join("db")).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = command(&program)
            .arg("-c")
            .arg(folder.path().join("knot.conf"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let knot = Self {
            folder,
            child: Some(child),
        };
        let begun = Instant::now();
        for address in listen {
            while TcpStream::connect(address).is_err() {
                let log = std::fs::read_to_string(knot.folder.path().join("log"));
                assert!(
                    begun.elapsed() < Duration::from_secs(30),
                    "{}",
                    log.unwrap()
                );
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Some(knot)
    }

    /// How many queries came that way (`udp4`, `tcp4`), as the server counts them.
    pub(crate) fn counted(&self, way: &str) -> u64 {
        let output = command(Path::new("/usr/sbin/knotc"))
            .arg("-c")
            .arg(self.folder.path().join("knot.conf"))
            .args(["stats", "mod-stats.request-protocol"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines = text.lines();
        let line = lines.find(|line| line.contains(&format!("[{way}]")));
        let line = line.unwrap_or_else(|| panic!("{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Knot {
    fn drop(&mut self) {
        self.stop();
    }
}

fn configuration(
    folder: &Path,
    listen: &[SocketAddr],
    client_subnet: bool,
    zones: &[Zone],
) -> String {
    let at = folder.display();
    let listen: Vec<String> = listen
        .iter()
        .map(|address| format!("{}@{}", address.ip(), address.port()))
        .collect();
    let mut text = format!(
        "server:\n  rundir: {at}\n  listen: [ {} ]\n  edns-client-subnet: {}\n  udp-workers: 1\n  \
         tcp-workers: 1\n  background-workers: 1\ndatabase:\n  storage: {at}/db\n  journal-db-max-size: 10M\n  \
         kasp-db-max-size: 10M\n  timer-db-max-size: 1M\nmod-stats:\n  - id: default\n    request-protocol: on\n",
        listen.join(", "),
        if client_subnet { "on" } else { "off" },
    );
    let file = |name: &str| folder.join(name);
    text += "mod-geoip:\n";
    for zone in zones {
        std::fs::write(file(&format!("{}.zone", zone.name)), &zone.text).unwrap();
        if let Some((geo, ttl)) = &zone.geo {
            std::fs::write(file(&format!("{}.geo", zone.name)), geo).unwrap();
            text += &format!(
                "  - id: {0}\n    config-file: {at}/{0}.geo\n    ttl: {ttl}\n    mode: subnet\n",
                zone.name
            );
        }
    }
    text += "template:\n  - id: default\n    global-module: mod-stats\nzone:\n";
    for zone in zones {
        text += &format!(
            "  - domain: {0}\n    file: {at}/{0}.zone\n    journal-content: none\n    zonefile-sync: -1\n    \
             zonefile-load: whole\n",
            zone.name
        );
        if zone.geo.is_some() {
            text += &format!("    module: mod-geoip/{}\n", zone.name);
        }
    }
    text
}
