//! Resources against the real tools of this machine.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it could not try"
)]

#[path = "common/namespaces.rs"]
mod namespaces;

use std::collections::BTreeMap;
use std::path::Path;

use geodeploy::agent::database::Driver;
use geodeploy::agent::machine::Machine;
use geodeploy::agent::system::{Fault, System as _};
use geodeploy::plan::Value;
use geodeploy::resource::{
    Content, Context, Facts, File, Firewall, Manage as _, Nginx, Ownership, Package, Resource,
    Sysctl, Unit, Upgrade, UpgradeScope, User, nginx,
};
use geodeploy::secrets::{FingerprintKey, Secret};
use namespaces::{Host, differing, inside, installed, run};

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
    let package = Package {
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

#[test]
fn a_look_at_forty_resources_takes_less_than_300_ms() {
    if !inside("a_look_at_forty_resources_takes_less_than_300_ms") || !installed("/usr/bin/apt-get")
    {
        return;
    }
    let package = |name: &str| {
        Resource::Package(Package {
            name: name.to_owned(),
            version: None,
            installed: true,
            held: false,
        })
    };
    let file = |number: usize| {
        Resource::File(File {
            path: format!("/etc/geodeploytest/{number}").into(),
            content: Some(Content::Plain("text\n".repeat(200))),
            ownership: Ownership::root(0o644),
            notifies: Vec::new(),
        })
    };
    let mut resources: Vec<Resource> = (0..28).map(file).collect();
    resources.extend(
        [
            "nginx", "ufw", "dpkg", "apt", "sudo", "git", "curl", "zstd", "chrony",
        ]
        .map(package),
    );
    resources.push(Resource::Nginx(site("server {}\n")));
    resources.push(Resource::Firewall(Firewall { rules: Vec::new() }));
    resources.push(Resource::Upgrade(Upgrade {
        scope: UpgradeScope::All,
    }));
    let key = FingerprintKey::new(Secret::new("key".to_owned()));
    let looks = (0..4).map(|_| {
        let begun = std::time::Instant::now();
        let facts = Facts::about(&resources);
        let context = Context {
            system: &Machine,
            database: &Driver::default(),
            key: &key,
            facts: &facts,
            progress: &|_| {},
        };
        for resource in &resources {
            resource.manage().inspect(&context).unwrap();
        }
        begun.elapsed()
    });
    let looks: Vec<_> = looks.collect();
    println!("{looks:?}");
    // The first one simulates the upgrade; the rest have it.
    assert!(
        looks[1..].iter().min().unwrap().as_millis() < 300,
        "{looks:?}"
    );
}
