//! gdnsd with a blueprint's files, dig, and regions that are well or not.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use geodeploy::blueprint;
use geodeploy::inventory::{EXAMPLE, Inventory};
use geodeploy::resource::{Gdnsd, Resource};
use geodeploy::secrets::{Secret, Secrets};
use tempfile::TempDir;

/// The name that answers by geography.
pub(crate) const NAME: &str = "api.yourapp.com";

/// A program that this machine may lack.
pub(crate) fn has(program: &str, test: &str) -> bool {
    let found = run(&[
        "sh",
        "-c",
        &format!("PATH=$PATH:/usr/sbin command -v {program}"),
    ]);
    if !found.status.success() {
        eprintln!("SKIPPED: {test}: {program} is not installed; tests/all.sh installs it");
    }
    found.status.success()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests' door to gdnsd, knot and dig"
)]
fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    command
}

pub(crate) fn run(words: &[&str]) -> Output {
    command(words).output().unwrap()
}

pub(crate) fn start(words: &[&str]) -> Child {
    command(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The example with the embedded provider and the guide's routing.
pub(crate) fn inventory() -> Inventory {
    let section = "\n[dns]\nprovider = \"embedded\"\nrouting = { default = \"us\", continents = { NA = \"us\", AS = \"cn\" } }\n";
    Inventory::parse(&format!("{EXAMPLE}{section}"), "example.toml").unwrap()
}

/// A region's health, as its web server would tell it.
pub(crate) struct Health {
    well: Arc<AtomicBool>,
}

impl Health {
    /// Answers every request on that address, 200 or 503.
    fn serve(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let well = Arc::new(AtomicBool::new(true));
        let shared = Arc::clone(&well);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut request = [0; 2048];
                let read = stream.read(&mut request).unwrap_or(0);
                let asked = String::from_utf8_lossy(&request[..read]).into_owned();
                let right = asked.starts_with("GET /api/health ") && asked.contains("Host: ");
                let status = match shared.load(Ordering::SeqCst) && right {
                    true => "200 OK",
                    false => "503 Service Unavailable",
                };
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                // A checker that hangs up early has seen what it wanted.
                drop(stream.write_all(answer.as_bytes()));
            }
        });
        Self { well }
    }

    pub(crate) fn set(&self, well: bool) {
        self.well.store(well, Ordering::SeqCst);
    }
}

/// A running gdnsd of region us, and both regions' health. Ends with the test.
pub(crate) struct Server {
    pub(crate) folder: TempDir,
    pub(crate) us: Health,
    pub(crate) cn: Health,
    pub(crate) addresses: [Ipv4Addr; 2],
    at: Ipv4Addr,
    port: u16,
    child: Child,
}

/// Loopback addresses of a test's own.
fn addresses() -> [Ipv4Addr; 3] {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::SeqCst) + std::process::id() * 8;
    let [_, a, b, _] = (number << 8).to_be_bytes();
    [10, 11, 12].map(|last| Ipv4Addr::new(127, a | 64, b, last))
}

/// The files that the host of us gets.
pub(crate) fn gdnsd(inventory: &Inventory) -> Gdnsd {
    let secrets = Secrets::made_up(inventory, |_| Secret::new("made up".to_owned()));
    let part = blueprint::only_dns(inventory, &inventory.regions[0].name, &secrets).unwrap();
    let found = part
        .resources
        .into_iter()
        .find_map(|resource| match resource {
            Resource::Gdnsd(gdnsd) => Some(gdnsd),
            _ => None,
        });
    found.unwrap()
}

impl Server {
    /// Starts gdnsd with an inventory's files: its ports and folders changed, and the regions' IPv4 addresses, which are
    /// loopback's. Waits until it finds both regions well.
    pub(crate) fn start(mut inventory: Inventory) -> Self {
        let [at, us, cn] = addresses();
        inventory.regions[0].addresses.ipv4 = us;
        inventory.regions[1].addresses.ipv4 = cn;
        let (port, health) = (free_port(at), free_port(us));
        let files = gdnsd(&inventory);
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let listen = files
            .config
            .lines()
            .find(|line| line.contains("listen =>"))
            .unwrap();
        let own = format!(
            "listen => [ {at}:{port} ]\n  run_dir => {}\n  state_dir => {}\n",
            path("run").display(),
            path("state").display()
        );
        let config = files.config.replace(listen, &own);
        let config = config.replace("port => 80", &format!("port => {health}"));
        for name in ["run", "state", "etc/zones", "etc/geoip"] {
            std::fs::create_dir_all(path(name)).unwrap();
        }
        std::fs::write(path("etc/config"), config).unwrap();
        std::fs::write(path("etc/geoip/nets"), &files.networks).unwrap();
        std::fs::write(path("etc/zones").join(NAME), &files.records).unwrap();
        let etc = path("etc").display().to_string();
        let checked = run(&["gdnsd", "-c", &etc, "checkconf"]);
        assert!(checked.status.success(), "{checked:?}");
        let server = Self {
            us: Health::serve(SocketAddr::new(us.into(), health)),
            cn: Health::serve(SocketAddr::new(cn.into(), health)),
            addresses: [us, cn],
            child: start(&["gdnsd", "-c", &etc, "start"]),
            folder,
            at,
            port,
        };
        let well = server.until(Duration::from_secs(20), Self::finds_both_well);
        well.expect("gdnsd never found both regions well");
        server
    }

    /// dig's short answer.
    pub(crate) fn ask(&self, subnet: &str, words: &[&str]) -> Vec<String> {
        let (server, port) = (format!("@{}", self.at), self.port.to_string());
        let subnet = format!("+subnet={subnet}");
        let fixed = [
            "dig",
            "+time=2",
            "+tries=1",
            "+norecurse",
            &server,
            "-p",
            &port,
            NAME,
            &subnet,
        ];
        let output = run(&[&fixed, words].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// The IPv4 answer, over UDP.
    pub(crate) fn a(&self, subnet: &str) -> Vec<String> {
        self.ask(subnet, &["A", "+short"])
    }

    /// Whether gdnsd says of both regions that they are well: until it has looked, and with none of them well, it answers
    /// as if they were.
    pub(crate) fn finds_both_well(&self) -> bool {
        let etc = self.folder.path().join("etc").display().to_string();
        let states = run(&["gdnsdctl", "-o", "-c", &etc, "states"]).stdout;
        let states = String::from_utf8(states).unwrap();
        let well =
            |line: &&str| line.contains("/health_") && line.contains("\"real_state\": \"UP\"");
        states.lines().filter(well).count() == 2
    }

    /// How long the answer may be kept, in seconds.
    pub(crate) fn ttl(&self, subnet: &str) -> Option<u32> {
        let lines = self.ask(subnet, &["A", "+noall", "+answer"]);
        lines.first()?.split_whitespace().nth(1)?.parse().ok()
    }

    /// Waits until something is so, and gives how long it took; nothing when it never was.
    pub(crate) fn until(&self, bound: Duration, so: impl Fn(&Self) -> bool) -> Option<Duration> {
        let begun = Instant::now();
        while begun.elapsed() < bound {
            if so(self) {
                return Some(begun.elapsed());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }

    /// Ends gdnsd and starts it anew.
    pub(crate) fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let etc = self.folder.path().join("etc").display().to_string();
        self.child = start(&["gdnsd", "-c", &etc, "start"]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A port that is free over UDP and TCP.
pub(crate) fn free_port(address: Ipv4Addr) -> u16 {
    loop {
        let tcp = TcpListener::bind((address, 0)).unwrap();
        let port = tcp.local_addr().unwrap().port();
        if std::net::UdpSocket::bind((address, port)).is_ok() {
            return port;
        }
    }
}
