//! Packages: of a twin through the mirror, and of a machine that lacks what a lab needs.

use std::path::Path;
use std::time::Instant;

use geodeploy::rehearse::base::Suite;
use geodeploy::rehearse::requirements::{self, Missing};

use crate::common::{spec, ssh, text, up};

#[test]
fn a_twin_installs_packages_through_the_mirror() {
    let Some(held) = up("a_twin_installs_packages_through_the_mirror", || {
        spec("apt", 180, Some(5.0))
    }) else {
        return;
    };
    let cn = held.lab.twin("cn").unwrap();
    let started = Instant::now();
    let update = cn.exec(["apt-get", "-q", "update"]).unwrap();
    assert!(
        update.success() && !update.stderr.contains("W:"),
        "{update:?}"
    );
    eprintln!("apt-get update: {:.1} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let install = cn.exec(["apt-get", "-q", "-y", "install", "tree"]).unwrap();
    assert!(install.success(), "{install:?}");
    eprintln!(
        "apt-get install tree: {:.1} s",
        started.elapsed().as_secs_f64()
    );
    assert!(cn.exec(["tree", "--version"]).unwrap().success());
    let (folder, url) = held.lab.archives();
    std::fs::write(folder.join("note.txt"), "made for the rehearsal").unwrap();
    let fetched = cn
        .exec(["curl", "-sf", &format!("{url}/note.txt")])
        .unwrap();
    assert_eq!(fetched.stdout, "made for the rehearsal");
}

#[test]
#[ignore = "builds a second base system, which takes a minute"]
fn a_bullseye_twin_boots_and_installs() {
    let older = || {
        let mut spec = spec("older", 0, None);
        spec.twins[1].suite = Suite::Bullseye;
        spec
    };
    let Some(held) = up("a_bullseye_twin_boots_and_installs", older) else {
        return;
    };
    let cn = held.lab.twin("cn").unwrap();
    let release = cn.exec(["cat", "/etc/os-release"]).unwrap().stdout;
    assert!(release.contains("VERSION_CODENAME=bullseye"), "{release}");
    assert_eq!(
        text(&ssh(&held.lab, cn, "admin", "sudo -n id -u").stdout),
        "0"
    );
    assert!(
        cn.exec([
            "sh",
            "-c",
            "apt-get -q update && apt-get -q -y install nginx"
        ])
        .unwrap()
        .success()
    );
    assert_eq!(
        text(&ssh(&held.lab, cn, "root", "systemctl is-active nginx").stdout),
        "active"
    );
}

/// Runs inside a twin, which is as fresh a machine as there is.
#[test]
#[ignore = "installs packages on the machine that it runs on"]
fn installs_what_is_missing() {
    let storage = Path::new("/var/lib/geodeploy/rehearsal");
    let packages = |missing: &[Missing]| {
        missing
            .iter()
            .filter_map(|item| item.package)
            .collect::<Vec<_>>()
    };
    let before = packages(&requirements::missing(storage));
    assert!(
        before.contains(&"debootstrap") && before.contains(&"apt-cacher-ng"),
        "{before:?}"
    );
    let installed = requirements::install(&requirements::missing(storage)).unwrap();
    assert!(
        before.iter().all(|package| installed.contains(package)),
        "{installed:?}"
    );
    assert_eq!(packages(&requirements::missing(storage)), [""; 0]);
}

#[test]
fn a_fresh_machine_gets_what_it_lacks_and_no_service_starts_by_itself() {
    let name = "a_fresh_machine_gets_what_it_lacks_and_no_service_starts_by_itself";
    let Some(held) = up(name, || spec("fresh", 0, None)) else {
        return;
    };
    let us = held.lab.twin("us").unwrap();
    std::fs::copy(
        std::env::current_exe().unwrap(),
        us.root().join("root/tests"),
    )
    .unwrap();
    let words = [
        "/root/tests",
        "--exact",
        "packages::installs_what_is_missing",
        "--ignored",
        "--nocapture",
    ];
    let output = us.exec(words).unwrap();
    assert!(
        output.success() && output.stdout.contains("1 passed"),
        "{output:#?}"
    );
    let state = us
        .exec([
            "systemctl",
            "show",
            "apt-cacher-ng",
            "-p",
            "ActiveState,UnitFileState,LoadState",
        ])
        .unwrap();
    let lines = [
        "ActiveState=inactive",
        "LoadState=loaded",
        "UnitFileState=disabled",
    ];
    assert!(
        lines.iter().all(|line| state.stdout.contains(line)),
        "{state:?}"
    );
    assert_eq!(
        us.exec(["ss", "-Hltn", "sport = :3142"]).unwrap().stdout,
        ""
    );
}
