//! Two twins, provisioned and deployed once for all tests, gone at the end.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use geodeploy::inventory::EXAMPLE;
use geodeploy::rehearse::substitute::{Mongodb, Stand, Surroundings, substitute};
use geodeploy::rehearse::{
    Lab, LabSpec, LinkSpec, Shape, SwitchProgram, Twin, TwinSpec, archive, requirements,
};
use tempfile::TempDir;

use super::operator::Operator;

/// Round trip of every link, as the example inventory has it.
pub(crate) const ROUND_TRIP: Duration = Duration::from_millis(180);

/// Every secret of the inventory.
pub(crate) const SECRET: &str = "made up for the tests, 32 bytes and more";

/// The lab with its operator.
pub(crate) struct Twins {
    pub(crate) lab: Lab,
    pub(crate) operator: Operator,
    /// Whether China has a MongoDB; without one each host keeps its own data in a file.
    pub(crate) database: bool,
    /// How many chats of China's server, in sessions `f-cn-*`, were answered while the second server was set up.
    pub(crate) first_chats: usize,
    _home: TempDir,
}

/// Whether this machine can boot twins; what it lacks is told on stderr.
pub(crate) fn possible() -> bool {
    let missing = requirements::missing(Path::new("/var/lib/geodeploy/rehearsal"));
    for item in &missing {
        eprintln!(
            "SKIPPED: twins: {} is missing ({}); {}",
            item.what, item.why, item.remedy
        );
    }
    missing.is_empty()
}

impl Twins {
    /// After a test that failed: as it was before, as far as the tool itself can do it, so that one failure is one.
    pub(crate) fn mend(&self) {
        for region in ["us", "cn"] {
            self.lab.link("operator", region).restore().unwrap();
        }
        self.operator.hang_up();
        let ran = self.operator.run(&["provision"]);
        eprintln!("after the failure, {ran}");
    }

    /// Boots twins on which nothing was done yet.
    pub(crate) fn bare() -> Self {
        // Short: control sockets are below it.
        let home = tempfile::Builder::new()
            .prefix("gd")
            .tempdir_in("/tmp")
            .unwrap();
        let lab = Lab::up(&spec(), &|event| eprintln!("{event}")).unwrap();
        let mongodb = mongodb(&lab);
        let operator = Operator {
            inventory: write_inventory(&lab, home.path(), mongodb.as_ref()),
            home: home.path().to_owned(),
        };
        if mongodb.is_some() {
            for action in ["init", "issue"] {
                operator.run(&["ca", action]).expect(0);
            }
        }
        Self {
            operator,
            lab,
            database: mongodb.is_some(),
            first_chats: 0,
            _home: home,
        }
    }

    /// The most messages between the operator and a twin that each had to wait for the one before, as round trips, since
    /// the counters were last reset.
    pub(crate) fn round_trips(&self) -> f64 {
        let counters = self.lab.counters().unwrap();
        let ours = counters
            .iter()
            .filter(|entry| entry.from == "operator" || entry.to == "operator");
        #[expect(clippy::cast_precision_loss, reason = "a chain is short")]
        let longest = ours.map(|entry| entry.chain).max().unwrap_or(0) as f64;
        longest / 2.0
    }

    pub(crate) fn twin(&self, region: &str) -> &Twin {
        self.lab.twin(region).unwrap()
    }

    /// Runs shell commands in a twin as root, past SSH and the link, and gives what they print.
    #[track_caller]
    pub(crate) fn shell(&self, region: &str, script: &str) -> String {
        let output = self.twin(region).exec(["sh", "-euc", script]).unwrap();
        assert!(output.success(), "{region}: {script}: {output:?}");
        output.stdout.trim_end().to_owned()
    }

    /// Takes the delay off a region's link until the result goes, where it is not what a test is about.
    pub(crate) fn near<'t>(&'t self, region: &'t str) -> Near<'t> {
        let link = self.lab.link("operator", region);
        let shape = link.shape().unwrap();
        link.set(Shape::default()).unwrap();
        Near {
            twins: self,
            region,
            shape,
        }
    }

    /// A port of a twin, over IPv4 and over IPv6.
    pub(crate) fn addresses(&self, region: &str, port: u16) -> [SocketAddr; 2] {
        let endpoint = &self.twin(region).endpoint;
        let addresses: [IpAddr; 2] = [endpoint.ipv4.into(), endpoint.ipv6.into()];
        addresses.map(|address| SocketAddr::new(address, port))
    }
}

impl Drop for Twins {
    fn drop(&mut self) {
        self.operator.hang_up();
    }
}

/// A link without its delay, for a while.
pub(crate) struct Near<'t> {
    twins: &'t Twins,
    region: &'t str,
    shape: Shape,
}

impl Drop for Near<'_> {
    fn drop(&mut self) {
        self.twins
            .lab
            .link("operator", self.region)
            .set(self.shape)
            .unwrap();
    }
}

fn spec() -> LabSpec {
    let program = [env!("CARGO_BIN_EXE_geodeploy"), "rehearse-switch"];
    let mut spec = LabSpec::new(
        format!("twins-{}", std::process::id()),
        ["us", "cn"].map(TwinSpec::new).to_vec(),
        SwitchProgram::Program(program.map(str::to_owned).to_vec()),
    );
    for (a, b, megabits) in [
        ("operator", "us", 100.0),
        ("operator", "cn", 5.0),
        ("us", "cn", 5.0),
    ] {
        spec.links
            .push(LinkSpec::new(a, b, ROUND_TRIP, Some(megabits)));
    }
    spec.hosts = ["us", "cn"]
        .map(|region| (format!("{region}.yourapp.com"), region.to_owned()))
        .to_vec();
    let members =
        ["us", "cn"].map(|region| (format!("{region}-server.yourapp.com"), region.to_owned()));
    spec.hosts.extend(members);
    spec.hosts
        .push(("api.yourapp.com".to_owned(), "cn".to_owned()));
    spec
}

/// A MongoDB that twins can install; what it lacks is told on stderr.
fn mongodb(lab: &Lab) -> Option<Mongodb> {
    let prepared = archive::prepare(&archive::default_cache(), &|line| eprintln!("{line}"));
    match prepared.and_then(|archive| archive.offer(lab)) {
        Ok(mongodb) => Some(mongodb),
        Err(error) => {
            eprintln!("SKIPPED: the twins' database: {error}");
            None
        }
    }
}

/// The example for the twins; with a package of our own, and in China with archives named, as the guide wants them.
fn write_inventory(lab: &Lab, home: &Path, mongodb: Option<&Mongodb>) -> std::path::PathBuf {
    let secret = home.join("made-up-secret");
    std::fs::write(&secret, SECRET).unwrap();
    let stands: Vec<Stand> = lab
        .twins()
        .iter()
        .map(|twin| Stand {
            region: twin.name.clone(),
            endpoint: twin.endpoint.clone(),
            host_key: twin.host_key().unwrap(),
        })
        .collect();
    let around = Surroundings {
        operator: &lab.operator(),
        key: &lab.operator_key(),
        mirror: &lab.mirror_url(),
        secret: &secret,
        certificates: &home.join("tls"),
        mongodb,
    };
    let text = substitute(EXAMPLE, &stands, &around).unwrap();
    let mut document: toml_edit::DocumentMut = text.parse().unwrap();
    document["packages"]["extra"] = toml_edit::value(toml_edit::Array::from_iter(["tree"]));
    let mirrors = &mut document["regions"]["cn"]["mirrors"];
    mirrors["apt"] = toml_edit::value("http://ftp.debian.org/debian");
    mirrors["apt_security"] = toml_edit::value("http://security.debian.org/debian-security");
    mirrors["apt_components"] = toml_edit::value(toml_edit::Array::from_iter(["main"]));
    let inventory = home.join("geodeploy.toml");
    std::fs::write(&inventory, document.to_string()).unwrap();
    inventory
}
