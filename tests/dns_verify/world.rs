//! A whole world of DNS on loopback: the regions' servers, the zone's, the one above, and a resolver that knows them.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::process::Command;

use geodeploy::dns::verify::samples;
use geodeploy::geography::Continent;
use geodeploy::inventory::EXAMPLE;
use serde_json::Value;
use tempfile::TempDir;

use crate::knot::{Knot, Zone};

/// What is not as it should be.
pub(crate) struct Plan {
    /// What the server in `cn` answers to clients in these networks.
    pub(crate) cn_instead: Vec<(&'static str, &'static str)>,
    pub(crate) cn_ttl: u32,
    /// Whom the zone above delegates the name to.
    pub(crate) delegated: Vec<&'static str>,
    pub(crate) client_subnet: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            cn_instead: Vec::new(),
            cn_ttl: 60,
            delegated: vec!["us.yourapp.com", "cn.yourapp.com"],
            client_subnet: true,
        }
    }
}

pub(crate) struct World {
    pub(crate) port: u16,
    pub(crate) us: Knot,
    pub(crate) cn: Knot,
    pub(crate) six: bool,
    _others: [Knot; 3],
    home: TempDir,
}

const US: [u8; 4] = [127, 0, 0, 2];
const CN: [u8; 4] = [127, 0, 0, 3];
const COM: [u8; 4] = [127, 0, 0, 4];
const RESOLVER: [u8; 4] = [127, 0, 0, 5];
const ZONE: [u8; 4] = [127, 0, 0, 6];

impl World {
    /// `None`, said loudly, where there is no such server on this machine.
    pub(crate) fn start(plan: Plan) -> Option<Self> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        let six = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).is_ok();
        let at = |address: [u8; 4]| SocketAddr::new(IpAddr::from(address), port);
        let mut listen = vec![at(US)];
        if six {
            listen.push((Ipv6Addr::LOCALHOST, port).into());
        }
        let geo = |instead: &[(&str, &str)], ttl| Zone {
            name: "api.yourapp.com",
            text: api(),
            geo: Some((answers(six, instead), ttl)),
        };
        let us = Knot::start(&listen, plan.client_subnet, &[geo(&[], 60)])?;
        let cn = geo(&plan.cn_instead, plan.cn_ttl);
        let cn = Knot::start(&[at(CN)], plan.client_subnet, &[cn])?;
        let zone = Knot::start(&[at(ZONE)], true, &[yourapp(six, &plan.delegated)])?;
        let com = Knot::start(&[at(COM)], true, &[com()])?;
        // It has every zone as a whole, and so answers for all names as a resolver would.
        let all = [com_apex(), yourapp(six, &[]), plain(&plan.delegated)];
        let resolver = Knot::start(&[at(RESOLVER)], true, &all)?;
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("geodeploy.toml"), inventory(six)).unwrap();
        Some(Self {
            port,
            us,
            cn,
            six,
            _others: [zone, com, resolver],
            home,
        })
    }

    /// Where the name's servers listen, as findings name them.
    pub(crate) fn geo_servers(&self) -> Vec<String> {
        let port = self.port;
        let mut all = vec![format!("127.0.0.2:{port}"), format!("127.0.0.3:{port}")];
        if self.six {
            all.push(format!("[::1]:{port}"));
        }
        all
    }

    pub(crate) fn verify(&self, arguments: &[&str]) -> Run {
        self.run(&[&["--json", "--timeout", "2", "dns", "verify"], arguments].concat())
    }

    pub(crate) fn table(&self, arguments: &[&str]) -> String {
        self.run(&[&["dns", "verify"], arguments].concat()).out
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let port = self.port.to_string();
        let resolver = format!("127.0.0.5:{port}");
        let mut all = arguments.to_vec();
        all.extend(["--dns-port", &port, "--resolver", &resolver]);
        run(self.home.path(), &all)
    }
}

/// What a run printed.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) documents: Vec<Value>,
}

impl Run {
    pub(crate) fn all(&self) -> String {
        format!("{}\n{}", self.out, self.err)
    }

    pub(crate) fn findings(&self, check: &str, word: &str) -> Vec<Value> {
        let all = self.documents[0]["names"]["findings"].as_array();
        let all = all.unwrap_or_else(|| panic!("{}", self.all())).iter();
        all.filter(|finding| finding["check"] == check && finding["word"] == word)
            .cloned()
            .collect()
    }

    /// The first finding of that check and word.
    pub(crate) fn finding(&self, check: &str, word: &str) -> Value {
        let found = self.findings(check, word);
        let none = || panic!("no {check} {word} in {}", self.all());
        found.first().cloned().unwrap_or_else(none)
    }
}

/// Runs the real binary in a home with an inventory.
#[expect(clippy::disallowed_methods, reason = "runs the real command line")]
pub(crate) fn run(home: &std::path::Path, arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_geodeploy"))
        .env_clear()
        .env("HOME", home)
        .env("JWT_SECRET", "jwt-secret-of-the-test-0123456789abcdef")
        .current_dir(home)
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let out = text(output.stdout);
    Run {
        status: output.status.code().unwrap(),
        documents: out
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect(),
        out,
        err: text(output.stderr),
    }
}

/// The example with regions on loopback.
pub(crate) fn inventory(six: bool) -> String {
    let text = EXAMPLE
        .replace("203.0.113.10", "127.0.0.2")
        .replace("198.51.100.20", "127.0.0.3")
        .replace("ipv6 = \"2001:db8:2::20\"", "")
        .replace(
            "ipv6 = \"2001:db8:1::10\"",
            if six { "ipv6 = \"::1\"" } else { "" },
        );
    format!(
        "{text}\n[dns]\nprovider = \"embedded\"\nttl = \"60s\"\n[dns.routing]\ndefault = \"us\"\ncontinents = {{ AS = \"cn\" }}\n"
    )
}

/// Knot's answers for each simulated client: Asia to `cn`, the rest to `us`.
fn answers(six: bool, instead: &[(&str, &str)]) -> String {
    let mut text = "api.yourapp.com:\n".to_owned();
    for sample in samples() {
        let network = sample.network.to_string();
        let other = instead.iter().find(|(of, _)| *of == network);
        let asia = sample.country.continent() == Continent::AS;
        let own = if asia { "127.0.0.3" } else { "127.0.0.2" };
        let address = other.map_or(own, |(_, address)| address);
        writeln!(text, "  - net: {network}\n    A: {address}").unwrap();
        if six && !asia {
            text += "    AAAA: ::1\n";
        }
    }
    text
}

fn soa(zone: &str, server: &str) -> String {
    format!(
        "$ORIGIN {zone}.\n$TTL 60\n@ 3600 SOA {server}. hostmaster.yourapp.com. 1 3600 600 86400 60\n"
    )
}

fn api() -> String {
    soa("api.yourapp.com", "us.yourapp.com")
        + "@ 3600 NS us.yourapp.com.\n@ 3600 NS cn.yourapp.com.\n@ A 127.0.0.2\n"
}

/// The same zone as a resolver knows it.
fn plain(delegated: &[&str]) -> Zone {
    let mut text = soa("api.yourapp.com", "us.yourapp.com") + "@ A 127.0.0.2\n";
    let servers = if delegated.is_empty() {
        &["us.yourapp.com"][..]
    } else {
        delegated
    };
    for name in servers {
        writeln!(text, "@ 3600 NS {name}.").unwrap();
    }
    Zone {
        name: "api.yourapp.com",
        text,
        geo: None,
    }
}

fn yourapp(six: bool, delegated: &[&str]) -> Zone {
    let mut text = soa("yourapp.com", "ns1.yourapp.com")
        + "@ 3600 NS ns1.yourapp.com.\nns1 A 127.0.0.6\nus A 127.0.0.2\ncn A 127.0.0.3\n\
           cn-server A 127.0.0.3\nold A 127.0.0.7\n";
    if six {
        text += "us AAAA ::1\n";
    }
    for name in delegated {
        writeln!(text, "api 3600 NS {name}.").unwrap();
    }
    Zone {
        name: "yourapp.com",
        text,
        geo: None,
    }
}

fn com_apex() -> Zone {
    Zone {
        name: "com",
        text: soa("com", "ns.com") + "@ 3600 NS ns.com.\nns A 127.0.0.4\n",
        geo: None,
    }
}

fn com() -> Zone {
    let mut zone = com_apex();
    zone.text += "yourapp 3600 NS ns1.yourapp.com.\nns1.yourapp A 127.0.0.6\n";
    zone
}
