//! A blueprint as the shell script that somebody would write by hand and run on the host itself.

use std::fmt::Write as _;
use std::path::Path;

use geodeploy::resource::{Action, Content, Firewall, Nginx, Ownership, Resource, UpgradeScope};

/// The whole script. It assumes a bare host and looks at nothing first; each kind of thing is done in one go where the
/// tools allow that.
pub(crate) fn of(resources: &[Resource]) -> String {
    let mut script = String::from(
        "set -eu\nexport DEBIAN_FRONTEND=noninteractive\n\
         apt='apt-get -y -q -o Dpkg::Use-Pty=0'\n",
    );
    let packages: Vec<&str> = resources
        .iter()
        .filter_map(|resource| match resource {
            Resource::Package(package) => Some(package.name.as_str()),
            _ => None,
        })
        .collect();
    let mut installed = false;
    let mut units_written = false;
    for resource in resources {
        match resource {
            Resource::Package(_) if installed => {}
            Resource::Package(_) => {
                installed = true;
                let names = packages.join(" ");
                let _ = writeln!(script, "$apt install --no-install-recommends {names}");
            }
            Resource::Service(_) if units_written => {
                units_written = false;
                script.push_str("systemctl daemon-reload\n");
                one(resource, &mut script);
            }
            other => {
                units_written |= matches!(other, Resource::Unit(_));
                one(other, &mut script);
            }
        }
    }
    if resources
        .iter()
        .any(|resource| matches!(resource, Resource::Nginx(_)))
    {
        script.push_str("nginx -t\nsystemctl reload nginx.service\n");
    }
    script
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each kind of resource, in the shell's own words"
)]
fn one(resource: &Resource, script: &mut String) {
    match resource {
        Resource::File(file) => {
            match &file.content {
                None => {
                    let _ = writeln!(script, "rm -f {}", file.path.display());
                }
                Some(Content::Plain(text)) => put(&file.path, text, &file.ownership, script),
                Some(Content::Secret(text)) => {
                    put(&file.path, text.expose(), &file.ownership, script);
                }
            }
            for notify in file.notifies.iter().filter(|_| file.content.is_some()) {
                let verb = match notify.action {
                    Action::Reload => "reload",
                    Action::Restart => "restart",
                    Action::Rotate => panic!("the benchmark rotates no certificate"),
                };
                let _ = writeln!(script, "systemctl {verb} {}", notify.unit);
            }
        }
        Resource::Upgrade(upgrade) => {
            let pending = match upgrade.scope {
                UpgradeScope::All => "/^Inst /",
                UpgradeScope::Security => "/^Inst .*[Ss]ecurity/",
            };
            let _ = writeln!(
                script,
                "$apt update\n\
                 install -d /var/lib/geodeploy\ntouch /var/lib/geodeploy/apt-refreshed\n\
                 names=$(apt-get -s -q upgrade --with-new-pkgs | awk '{pending} {{ print $2 }}')\n\
                 [ -z \"$names\" ] || $apt install --only-upgrade --no-install-recommends $names"
            );
        }
        Resource::User(user) => {
            let _ = writeln!(
                script,
                "useradd --system --user-group --no-create-home --home-dir {} --shell {} {}",
                user.home.display(),
                user.shell,
                user.name
            );
        }
        Resource::Directory(directory) => {
            let mode = directory.ownership.mode;
            let _ = writeln!(
                script,
                "install -d -m {mode:o} {}",
                directory.path.display()
            );
        }
        Resource::Sysctl(sysctl) => {
            let path = format!("/etc/sysctl.d/60-geodeploy-{}.conf", sysctl.name);
            let line = format!("{} = {}\n", sysctl.name, sysctl.value);
            put(Path::new(&path), &line, &Ownership::root(0o644), script);
            let _ = writeln!(script, "sysctl -q -p {path}");
        }
        Resource::Unit(unit) => {
            let path = Path::new("/etc/systemd/system").join(&unit.name);
            put(&path, &unit.content, &Ownership::root(0o644), script);
        }
        Resource::Service(service) => {
            let now = if service.running == Some(true) {
                "--now "
            } else {
                ""
            };
            let _ = writeln!(script, "systemctl enable {now}{}", service.unit);
        }
        Resource::Nginx(nginx) => site(nginx, script),
        Resource::Firewall(firewall) => ufw(firewall, script),
        // The benchmark's inventory keeps its data in a file.
        _ => {
            panic!("the script knows no {}", resource.id())
        }
    }
}

fn put(path: &Path, text: &str, ownership: &Ownership, script: &mut String) {
    let (mode, place) = (ownership.mode, path.display());
    let _ = writeln!(
        script,
        "install -D -m {mode:o} -o {} -g {} /dev/stdin {place} <<'END-OF-FILE'\n{}\nEND-OF-FILE",
        ownership.owner,
        ownership.group,
        text.trim_end_matches('\n'),
    );
}

fn site(nginx: &Nginx, script: &mut String) {
    let name = nginx.path.file_name().unwrap_or_default().to_string_lossy();
    match &nginx.content {
        Some(text) => put(&nginx.path, text, &Ownership::root(0o644), script),
        None => {
            let _ = writeln!(script, "rm -f {}", nginx.path.display());
        }
    }
    if nginx.path.starts_with("/etc/nginx/sites-available") {
        let verb = if nginx.enabled_site && nginx.content.is_some() {
            format!("ln -sf {}", nginx.path.display())
        } else {
            "rm -f".to_owned()
        };
        let _ = writeln!(script, "{verb} /etc/nginx/sites-enabled/{name}");
    }
}

fn ufw(firewall: &Firewall, script: &mut String) {
    for rule in &firewall.rules {
        let from = rule
            .from
            .map_or("any".to_owned(), |network| network.to_string());
        let _ = writeln!(
            script,
            "ufw allow proto tcp from {from} to any port {} comment geodeploy:{}",
            rule.port, rule.name
        );
    }
    script.push_str("ufw --force enable\n");
}
