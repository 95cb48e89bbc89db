//! pyinfra with the same resources: those of a blueprint that it has operations for.

use std::fmt::Write as _;
use std::path::PathBuf;

use geodeploy::resource::{Content, Ownership, Resource};
use tempfile::TempDir;

use crate::fixture::Twins;
use crate::measure::{blueprint_of, median, run, seconds};

/// A pyinfra of its own folder.
pub(crate) struct Pyinfra {
    folder: TempDir,
}

impl Pyinfra {
    /// Installs it from PyPI; where that fails, says so and why.
    pub(crate) fn install() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("venv").to_string_lossy().into_owned();
        let script = format!(
            "python3 -m venv {place} && timeout 300 {place}/bin/pip -q install pyinfra 2>&1"
        );
        let installed = std::panic::catch_unwind(|| run(&["sh", "-c", &script]));
        if installed.is_err() {
            eprintln!("SKIPPED: pyinfra could not be installed; it needs python3, venv and PyPI");
            return None;
        }
        Some(Self { folder })
    }

    /// How long a run that changes nothing takes, both regions at once, the median of three.
    pub(crate) fn no_op(&self, twins: &Twins) -> f64 {
        let hosts = self.write(twins, "inventory.py", &inventory(twins));
        let operations = self.write(twins, "deploy.py", &operations(twins));
        let program = self.folder.path().join("venv/bin/pyinfra");
        let program = program.to_string_lossy();
        let deploy = || {
            run(&[&program, "-y", &hosts, &operations]);
        };
        deploy();
        median((0..3).map(|_| seconds(deploy)).collect())
    }

    fn write(&self, _twins: &Twins, name: &str, text: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }
}

fn inventory(twins: &Twins) -> String {
    let key = twins.lab.operator_key();
    let known = twins.operator.home.join("known_hosts");
    let host = |twin: &geodeploy::rehearse::Twin| {
        format!(
            "    ({:?}, {{\"ssh_user\": \"root\", \"ssh_key\": {:?}, \"ssh_known_hosts_file\": {:?}}}),\n",
            twin.endpoint.ipv4.to_string(),
            key.to_string_lossy(),
            known.to_string_lossy(),
        )
    };
    let hosts: String = twins.lab.twins().iter().map(host).collect();
    format!("hosts = [\n{hosts}]\n")
}

/// Python text in double quotes.
fn quoted(text: impl AsRef<str>) -> String {
    serde_json::Value::from(text.as_ref()).to_string()
}

/// The operations for the US blueprint. Upgrades, swap and the firewall are left out: pyinfra has no operation for them.
fn operations(twins: &Twins) -> String {
    let resources = blueprint_of(twins, "us").resources;
    let mut text = String::from(
        "from io import StringIO\nfrom pyinfra.operations import apt, files, server, systemd\n",
    );
    let packages: Vec<String> = resources
        .iter()
        .filter_map(|resource| match resource {
            Resource::Package(package) => Some(quoted(&package.name)),
            _ => None,
        })
        .collect();
    let _ = writeln!(text, "apt.packages(packages=[{}])", packages.join(", "));
    for resource in &resources {
        operation(resource, &mut text);
    }
    text
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each kind of resource, in the peer's own words"
)]
fn operation(resource: &Resource, text: &mut String) {
    let put = |path: &str, content: &str, ownership: &Ownership| {
        format!(
            "files.put(src=StringIO({}), dest={}, mode=\"{:o}\", user={}, group={})",
            quoted(content),
            quoted(path),
            ownership.mode,
            quoted(&ownership.owner),
            quoted(&ownership.group),
        )
    };
    let line = match resource {
        Resource::User(user) => format!(
            "server.user(user={}, home={}, shell={}, system=True, ensure_home=False)",
            quoted(&user.name),
            quoted(user.home.to_string_lossy()),
            quoted(&user.shell)
        ),
        Resource::Directory(directory) => format!(
            "files.directory(path={}, mode=\"{:o}\", user=\"root\", group=\"root\")",
            quoted(directory.path.to_string_lossy()),
            directory.ownership.mode
        ),
        Resource::File(file) => {
            let path = file.path.to_string_lossy();
            match &file.content {
                None => format!("files.file(path={}, present=False)", quoted(path)),
                Some(Content::Plain(content)) => put(&path, content, &file.ownership),
                Some(Content::Secret(content)) => put(&path, content.expose(), &file.ownership),
            }
        }
        Resource::Symlink(link) => match &link.target {
            None => format!(
                "files.link(path={}, present=False)",
                quoted(link.path.to_string_lossy())
            ),
            Some(target) => format!(
                "files.link(path={}, target={})",
                quoted(link.path.to_string_lossy()),
                quoted(target.to_string_lossy())
            ),
        },
        Resource::Sysctl(sysctl) => format!(
            "server.sysctl(key={}, value={}, persist=True)",
            quoted(&sysctl.name),
            quoted(&sysctl.value)
        ),
        Resource::Unit(unit) => put(
            &format!("/etc/systemd/system/{}", unit.name),
            &unit.content,
            &Ownership::root(0o644),
        ),
        Resource::Nginx(nginx) => match &nginx.content {
            None => format!(
                "files.file(path={}, present=False)",
                quoted(nginx.path.to_string_lossy())
            ),
            Some(content) => put(
                &nginx.path.to_string_lossy(),
                content,
                &Ownership::root(0o644),
            ),
        },
        Resource::Service(service) => format!(
            "systemd.service(service={}, enabled=True, running={})",
            quoted(&service.unit),
            match service.running {
                Some(true) => "True",
                Some(false) => "False",
                None => "None",
            }
        ),
        Resource::Package(_)
        | Resource::AptSource(_)
        | Resource::Upgrade(_)
        | Resource::Swap(_)
        | Resource::Firewall(_) => return,
        // The benchmark's inventory keeps its data in a file.
        _ => panic!("the benchmark has no {}", resource.id()),
    };
    text.push_str(&line);
    text.push('\n');
}
