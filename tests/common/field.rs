//! A twin of the example inventory's region `us`, and the real command line that provisions it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use geodeploy::inventory::EXAMPLE;
use geodeploy::rehearse::base::Suite;
use geodeploy::rehearse::substitute::{Stand, Surroundings, substitute};
use geodeploy::rehearse::{LabSpec, Twin, TwinSpec};
use tempfile::TempDir;

use crate::common::{Held, switch, up};

/// Where users of the region go; behind it is the twin's nginx.
pub(crate) const DOMAIN: &str = "us.yourapp.com";

/// A twin `us` on a link without delay, its inventory, and a home for the operator.
pub(crate) struct Field {
    pub(crate) held: Held,
    home: TempDir,
}

impl Field {
    /// Boots the twin; users' tokens are signed with `jwt_secret`. `hosts` are names that the twin knows, and whose they
    /// are. `None`, and the reason on stderr, where this machine cannot boot twins.
    pub(crate) fn stand(
        test: &str,
        name: &str,
        suite: Suite,
        jwt_secret: &str,
        hosts: &[(&str, &str)],
    ) -> Option<Self> {
        let held = up(test, || {
            let mut twin = TwinSpec::new("us");
            twin.suite = suite;
            let name = format!("{name}-{}", std::process::id());
            let mut spec = LabSpec::new(name, vec![twin], switch());
            let hosts = hosts.iter().copied();
            spec.hosts = hosts
                .map(|(name, end)| (name.to_owned(), end.to_owned()))
                .collect();
            spec
        })?;
        let home = tempfile::tempdir().unwrap();
        let field = Self { held, home };
        field.write_inventory(jwt_secret);
        Some(field)
    }

    pub(crate) fn twin(&self) -> &Twin {
        self.held.lab.twin("us").unwrap()
    }

    fn inventory(&self) -> PathBuf {
        self.home.path().join("geodeploy.toml")
    }

    fn write_inventory(&self, jwt_secret: &str) {
        let (lab, twin) = (&self.held.lab, self.twin());
        let secret = self.home.path().join("secret");
        std::fs::write(&secret, jwt_secret).unwrap();
        let stand = Stand {
            region: twin.name.clone(),
            endpoint: twin.endpoint.clone(),
            host_key: twin.host_key().unwrap(),
        };
        let around = Surroundings {
            operator: &lab.operator(),
            key: &lab.operator_key(),
            mirror: &lab.mirror_url(),
            secret: &secret,
            certificates: self.home.path(),
            mongodb: None,
        };
        let text = substitute(EXAMPLE, &[stand], &around).unwrap();
        std::fs::write(self.inventory(), text).unwrap();
    }

    /// Runs a verb for the region `us`, shipping `host_binary`; what it printed is shown.
    #[expect(clippy::disallowed_methods, reason = "runs the real command line")]
    pub(crate) fn geodeploy(&self, verb: &str, host_binary: &Path) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_geodeploy"))
            .args([verb, "us", "--yes", "--host-binary"])
            .arg(host_binary)
            .env("HOME", self.home.path())
            .env("XDG_STATE_HOME", self.home.path().join("state"))
            .env("GEODEPLOY_INVENTORY", self.inventory())
            .output()
            .unwrap();
        let shown = [output.stdout.as_slice(), &output.stderr].concat();
        eprintln!("$ geodeploy {verb} us\n{}", String::from_utf8_lossy(&shown));
        output
    }

    /// Provisions the twin and deploys the server to it.
    pub(crate) fn provision_and_deploy(&self, host_binary: &Path) {
        for verb in ["provision", "deploy"] {
            let output = self.geodeploy(verb, host_binary);
            assert!(output.status.success(), "{verb}: {:?}", output.status);
        }
    }

    /// The unit that serves now.
    pub(crate) fn unit(&self) -> String {
        let command = "basename \"$(readlink /opt/geodeploy/current)\"";
        let generation = self.twin().exec(["sh", "-c", command]).unwrap();
        assert!(generation.success(), "{generation:?}");
        format!("yourapp@{}.service", generation.stdout.trim())
    }

    /// How exposed systemd finds that unit: 0 is least, 10 most.
    pub(crate) fn exposure(&self) -> f64 {
        let words = ["systemd-analyze", "security", "--no-pager", &self.unit()];
        let report = self.twin().exec(words).unwrap().stdout;
        let (_, score) = report
            .rsplit_once(": ")
            .unwrap_or_else(|| panic!("{report}"));
        score.split(' ').next().unwrap().parse().unwrap()
    }

    /// A client for whom the region's domain is the twin.
    pub(crate) fn client(&self) -> reqwest::Client {
        reqwest::Client::builder()
            .no_proxy()
            .resolve(DOMAIN, (self.twin().endpoint.ipv4, 80).into())
            .build()
            .unwrap()
    }
}
