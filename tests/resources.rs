//! Resources against the real tools of this machine, in namespaces of their own: /etc, /run and /var/lib are copies
//! that vanish with the test, and the network has nothing but a loopback. As root, with unshare and overlayfs.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it could not try"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use geodeploy::agent::machine::Machine;
use geodeploy::agent::system::{Fault, Invocation, System as _};
use geodeploy::plan::{Change, Value};
use geodeploy::resource::{
    Context, Facts, Firewall, Manage, Nginx, Rule, Sysctl, Unit, User, nginx,
};
use geodeploy::secrets::{FingerprintKey, Secret};

const INSIDE: &str = "GEODEPLOY_TEST_INSIDE";

const ENTER: &str = r#"
set -e
mount --make-rprivate /
top=$(mktemp -d)
mount -t tmpfs tmpfs "$top"
for folder in etc var/lib; do
    mkdir -p "$top/$folder/upper" "$top/$folder/work"
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$top/$folder/upper,workdir=$top/$folder/work" "/$folder"
done
mount -t tmpfs tmpfs /run
ip link set lo up
exec "$@"
"#;

/// Runs the test of that name again inside; `true` where the caller is inside already.
#[expect(
    clippy::disallowed_methods,
    reason = "the test runs itself in namespaces"
)]
fn inside(test: &str) -> bool {
    if std::env::var(INSIDE).is_ok() {
        return true;
    }
    if std::fs::metadata("/proc/self/ns").is_err() || !is_root() {
        println!("{test}: not as root, so not tried for real");
        return false;
    }
    let program = std::env::current_exe().unwrap();
    let status = Command::new("unshare")
        .args(["--mount", "--net", "--", "sh", "-c", ENTER, "sh"])
        .arg(program)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "{test} failed inside its namespaces");
    false
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status.lines().any(|line| line.starts_with("Uid:\t0\t0"))
}

fn installed(program: &str) -> bool {
    let there = Path::new(program).exists();
    if !there {
        println!("{program} is not installed, so not tried for real");
    }
    there
}

struct Host {
    key: FingerprintKey,
}

impl Host {
    fn new() -> Self {
        Self {
            key: FingerprintKey::new(Secret::new("key".to_owned())),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&Context<'_>) -> T) -> T {
        work(&Context {
            system: &Machine,
            key: &self.key,
            facts: &Facts::default(),
            progress: &|line| println!("{line}"),
        })
    }

    fn change(&self, resource: &dyn Manage) -> Option<Change> {
        self.with(|context| {
            let found = resource.inspect(context).unwrap();
            Change::between(resource.id(), found, resource.desired(&self.key))
        })
    }

    /// Applies what differs; afterwards nothing does.
    fn converge(&self, resource: &dyn Manage) {
        let change = self.change(resource).expect("something to change");
        self.with(|context| resource.apply(&change, context))
            .unwrap();
        assert_eq!(self.change(resource), None);
    }
}

fn run(argv: &[&str]) -> String {
    let output = Machine.run(&Invocation::new(argv)).unwrap();
    output.checked(&argv.join(" ")).unwrap().stdout
}

fn differing(change: &Change) -> Vec<&str> {
    let (before, after) = (
        change.before.as_ref().unwrap(),
        change.after.as_ref().unwrap(),
    );
    let names = after.iter().map(|(name, _)| name);
    names
        .filter(|name| before.get(name) != after.get(name))
        .collect()
}

fn files(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for name in Machine.list(Path::new(folder)).unwrap().unwrap_or_default() {
        let path = format!("{folder}/{name}");
        if Path::new(&path).is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap_or_default());
        }
    }
    found
}

fn rule(name: &str, port: u16, from: Option<&str>) -> Rule {
    Rule {
        name: name.to_owned(),
        port,
        from: from.map(|from| from.parse().unwrap()),
    }
}

/// The lines of ufw's files that are not ours.
fn foreign() -> Vec<String> {
    let text = ["/etc/ufw/user.rules", "/etc/ufw/user6.rules"]
        .map(|path| std::fs::read_to_string(path).unwrap());
    let lines = text.iter().flat_map(|text| text.lines());
    let tuples = lines.filter(|line| {
        line.starts_with("### tuple") && !line.contains("comment=67656f6465706c6f793a")
    });
    tuples.map(str::to_owned).collect()
}

#[test]
fn the_firewall_converges_keeps_foreign_rules_and_sees_what_the_kernel_lost() {
    if !inside("the_firewall_converges_keeps_foreign_rules_and_sees_what_the_kernel_lost")
        || !installed("/usr/sbin/ufw")
    {
        return;
    }
    let host = Host::new();
    run(&["ufw", "limit", "2222/tcp", "comment", "mine"]);
    run(&[
        "ufw",
        "allow",
        "proto",
        "tcp",
        "from",
        "0.0.0.0/0",
        "to",
        "any",
        "port",
        "443",
    ]);
    let theirs = foreign();
    assert_eq!(theirs.len(), 3);
    let mut firewall = Firewall {
        rules: vec![
            rule("ssh", 22, Some("203.0.113.7/32")),
            rule("ssh", 22, Some("2001:db8::/32")),
            rule("http", 80, None),
            rule("https", 443, None),
        ],
    };
    host.converge(&firewall);
    assert_eq!(foreign(), theirs);

    run(&[
        "iptables",
        "-D",
        "ufw-user-input",
        "-p",
        "tcp",
        "--dport",
        "80",
        "-j",
        "ACCEPT",
    ]);
    assert_eq!(differing(&host.change(&firewall).unwrap()), ["loaded"]);
    host.converge(&firewall);

    run(&[
        "ufw", "delete", "allow", "proto", "tcp", "from", "::/0", "to", "any", "port", "80",
    ]);
    assert_eq!(differing(&host.change(&firewall).unwrap()), ["rules"]);
    host.converge(&firewall);

    run(&["ufw", "default", "allow", "incoming"]);
    assert_eq!(
        differing(&host.change(&firewall).unwrap())[0],
        "default_incoming"
    );
    host.converge(&firewall);

    firewall.rules.remove(2);
    firewall.rules[0].from = Some("198.51.100.0/24".parse().unwrap());
    host.converge(&firewall);
    assert_eq!(foreign(), theirs);
    let table = run(&["iptables", "-S", "ufw-user-input"]);
    assert!(
        table.contains("-s 198.51.100.0/24")
            && !table.contains("203.0.113.7")
            && !table.contains("--dport 80 ")
    );

    run(&["ufw", "disable"]);
    assert_eq!(
        differing(&host.change(&firewall).unwrap()),
        ["enabled", "loaded"]
    );
    host.converge(&firewall);
}

#[test]
fn a_firewall_whose_ipv6_was_off_covers_both_families_afterwards() {
    if !inside("a_firewall_whose_ipv6_was_off_covers_both_families_afterwards")
        || !installed("/usr/sbin/ufw")
    {
        return;
    }
    let path = "/etc/default/ufw";
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, text.replace("IPV6=yes", "IPV6=no")).unwrap();
    run(&["ufw", "--force", "enable"]);
    let host = Host::new();
    host.converge(&Firewall {
        rules: vec![rule("http", 80, None)],
    });
    assert!(run(&["ip6tables", "-S", "ufw6-user-input"]).contains("--dport 80 "));
}

#[test]
fn a_kernel_setting_is_set_now_and_at_boot() {
    if !inside("a_kernel_setting_is_set_now_and_at_boot") || !installed("/usr/sbin/sysctl") {
        return;
    }
    let host = Host::new();
    let sysctl = Sysctl {
        name: "net.ipv4.ip_local_port_range".to_owned(),
        value: "20000 60000".to_owned(),
    };
    host.converge(&sysctl);
    run(&["sysctl", "-w", "net.ipv4.ip_local_port_range=30000 60000"]);
    assert_eq!(differing(&host.change(&sysctl).unwrap()), ["running"]);
    host.converge(&sysctl);
}

#[test]
fn a_user_is_made_and_mended() {
    if !inside("a_user_is_made_and_mended") {
        return;
    }
    let host = Host::new();
    let user = User {
        name: "geodeploytest".to_owned(),
        home: "/srv/geodeploytest".into(),
        shell: "/usr/sbin/nologin".to_owned(),
        groups: vec!["adm".to_owned()],
    };
    host.converge(&user);
    assert!(!Path::new("/srv/geodeploytest").exists());
    run(&[
        "usermod",
        "--shell",
        "/bin/bash",
        "--append",
        "--groups",
        "daemon",
        "geodeploytest",
    ]);
    let change = host.change(&user).unwrap();
    assert_eq!(differing(&change), ["groups", "shell"]);
    host.converge(&user);
    let none = User {
        groups: Vec::new(),
        ..user
    };
    host.converge(&none);
}

fn site(content: &str) -> Nginx {
    Nginx {
        path: "/etc/nginx/sites-available/geodeploytest".into(),
        content: Some(content.to_owned()),
        template: "templates/site.conf.j2".to_owned(),
        template_lines: vec![1, 5, 9],
        enabled_site: true,
    }
}

fn refused(files: &[&Nginx]) -> Fault {
    Host::new()
        .with(|context| nginx::apply_all(files, context))
        .unwrap_err()
}

#[test]
fn nginx_files_are_tested_together_and_a_broken_one_leaves_every_byte() {
    if !inside("nginx_files_are_tested_together_and_a_broken_one_leaves_every_byte")
        || !installed("/usr/sbin/nginx")
    {
        return;
    }
    let host = Host::new();
    let map = Nginx {
        path: "/etc/nginx/conf.d/geodeploytest.conf".into(),
        content: Some(
            "map $http_upgrade $geodeploy { default ''; websocket upgrade; }\n".to_owned(),
        ),
        template: "templates/map.conf.j2".to_owned(),
        template_lines: vec![1],
        enabled_site: false,
    };
    let good = site(
        "server { listen 127.0.0.1:8088;\ninclude /etc/nginx/mime.types;\nadd_header X $geodeploy; }\n",
    );
    let before = files("/etc/nginx");
    let alone = refused(&[&good]);
    assert!(
        alone.why.contains("unknown \"geodeploy\" variable"),
        "{alone}"
    );
    assert_eq!(files("/etc/nginx"), before);

    host.with(|context| nginx::apply_all(&[&map, &good], context))
        .unwrap();
    assert_eq!((host.change(&map), host.change(&good)), (None, None));
    run(&["nginx", "-t"]);

    let before = files("/etc/nginx");
    let broken = site("server { listen 127.0.0.1:8088;\n}\n  proxy_pas http://x;\n");
    let fault = refused(&[&map, &broken]);
    assert_eq!(
        fault.what,
        "nginx refuses /etc/nginx/sites-available/geodeploytest line 3, from templates/site.conf.j2 line 9"
    );
    assert!(fault.why.ends_with("`proxy_pas http://x;`"), "{fault}");
    assert_eq!(files("/etc/nginx"), before);

    std::fs::remove_file("/etc/nginx/sites-enabled/geodeploytest").unwrap();
    assert_eq!(differing(&host.change(&good).unwrap()), ["enabled"]);
    host.converge(&good);
}

#[test]
fn a_unit_with_a_misspelt_key_is_refused_before_it_is_put_in_place() {
    if !inside("a_unit_with_a_misspelt_key_is_refused_before_it_is_put_in_place") {
        return;
    }
    let unit = Unit {
        name: "geodeploytest@.service".to_owned(),
        content: "[Unit]\nRequires=geodeploytest.socket\n[Service]\nExecStart=/opt/none %i\nMemroyMax=1G\n".to_owned(),
        notifies: Vec::new(),
    };
    let host = Host::new();
    let change = host.change(&unit).unwrap();
    let fault = host
        .with(|context| unit.apply(&change, context))
        .unwrap_err();
    assert!(
        fault.why.contains("geodeploytest@.service:5: Unknown key"),
        "{fault}"
    );
    assert_eq!(fault.why.lines().count(), 1);
    assert_eq!(host.change(&unit), Some(change));
}

#[test]
fn an_installed_package_is_found_with_its_state() {
    let host = Host::new();
    let package = geodeploy::resource::Package {
        name: "dpkg".to_owned(),
        version: None,
        installed: true,
        held: false,
    };
    if !installed("/usr/bin/dpkg-query") {
        return;
    }
    let found = host
        .with(|context| package.inspect(context))
        .unwrap()
        .unwrap();
    assert_eq!(found.get("installed"), Some(&Value::Text("yes".to_owned())));
    let known = host
        .with(|context| context.facts.packages(context.system))
        .unwrap();
    let query = run(&[
        "dpkg-query",
        "--show",
        "--showformat",
        "${db:Status-Status} ${Package}\n",
    ]);
    let count = query
        .lines()
        .filter(|line| line.starts_with("installed "))
        .count();
    assert_eq!(
        known
            .values()
            .filter(|package| package.state == "installed")
            .count(),
        count
    );
}
