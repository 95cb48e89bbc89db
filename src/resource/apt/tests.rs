use std::cell::RefCell;

use super::*;
use crate::agent::fixture::{Bench, Fixture, Script};
use crate::agent::system::System as _;
use crate::resource::package::apply_all;
use crate::resource::{Manage as _, Package};

const APT: &str = "apt-get -y -q -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold";

const LIST: &str = "/var/lib/apt/lists/mirror_main_binary-amd64_Packages.lz4";

fn package(name: &str) -> Package {
    Package {
        name: name.to_owned(),
        version: None,
        installed: true,
        held: false,
    }
}

fn with_lists() -> Fixture {
    let system = Fixture::new();
    system.put(
        "/var/lib/apt/lists/mirror_main_binary-amd64_Packages.lz4",
        "",
    );
    system.put(paths::refreshed(), "");
    system
}

fn hold_lock(system: &Fixture, process: u32) {
    system.put(
        "/proc/locks",
        &format!("1: POSIX  ADVISORY  WRITE {process} fe:01:1234 0 EOF\n2: FLOCK  ADVISORY  WRITE 9 fe:01:9 0 EOF\n"),
    );
    system.put(format!("/proc/{process}/comm"), "unattended-upgr\n");
    system
        .make_directory(Path::new(&format!("/proc/{process}/fd")))
        .unwrap();
    let link = format!("/proc/{process}/fd/4");
    system
        .symlink(Path::new(&link), Path::new(LOCKS[0]))
        .unwrap();
}

#[test]
fn packages_are_installed_in_one_transaction_and_held_afterwards() {
    let bench = Bench::new(with_lists());
    bench.system.add(Script {
        command: format!("{APT} install *"),
        files: vec![(
            "/var/lib/dpkg/status".into(),
            Some("Package: a\nStatus: install ok installed\n\nPackage: b\nStatus: install ok installed\nVersion: 2\n".to_owned()),
        )],
        ..Script::default()
    });
    bench.system.script("apt-mark hold b", "");
    let (a, mut b) = (package("a"), package("b"));
    b.version = Some("2".to_owned());
    b.held = true;
    apply_all(&[&a, &b], &bench.context()).unwrap();
    let install = format!(
        "{APT} install --no-install-recommends --allow-downgrades --allow-change-held-packages a b=2"
    );
    assert_eq!(bench.system.ran(), [install, "apt-mark hold b".to_owned()]);
}

#[test]
fn a_held_lock_is_waited_for_and_its_holder_shown_once() {
    let bench = Bench::new(with_lists());
    hold_lock(&bench.system, 812);
    bench.system.script(&format!("{APT} install *"), "");
    let lines = RefCell::new(Vec::new());
    let progress = |line: &str| {
        lines.borrow_mut().push(line.to_owned());
        // The holder ends when it has been seen.
        if line.contains("812") {
            bench.system.put("/proc/locks", "");
        }
    };
    let context = Context {
        progress: &progress,
        ..bench.context()
    };
    apply_all(&[&package("a")], &context).unwrap();
    let waiting = "waiting for the apt lock, held by unattended-upgr (812)";
    assert_eq!(*lines.borrow(), ["apt-get install a", waiting]);
}

#[test]
fn a_lock_that_is_never_given_back_is_named_after_ten_minutes() {
    let bench = Bench::new(with_lists());
    hold_lock(&bench.system, 812);
    let began = bench.system.now();
    let fault = apply_all(&[&package("a")], &bench.context()).unwrap_err();
    assert!(
        fault.why.contains("unattended-upgr (812) for 600 s"),
        "{fault}"
    );
    assert_eq!(
        bench.system.now().duration_since(began).unwrap(),
        LOCK_PATIENCE
    );
    assert!(bench.system.ran().is_empty());
}

#[test]
fn a_lock_taken_between_the_look_and_the_run_is_waited_for_too() {
    let bench = Bench::new(with_lists());
    bench.system.add(Script {
        command: format!("{APT} install *"),
        output: Output {
            status: 100,
            stderr: "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 9 (apt-get)"
                .to_owned(),
            ..Output::default()
        },
        runs: Some(1),
        ..Script::default()
    });
    bench.system.script(&format!("{APT} install *"), "");
    let lines = RefCell::new(Vec::new());
    let context = Context {
        progress: &|line| lines.borrow_mut().push(line.to_owned()),
        ..bench.context()
    };
    apply_all(&[&package("a")], &context).unwrap();
    assert_eq!(bench.system.ran().len(), 2);
    assert_eq!(
        lines.borrow()[1],
        "waiting for the apt lock, held by apt-get (9)"
    );
}

#[test]
fn an_interrupted_installation_is_completed_first() {
    let bench = Bench::new(with_lists());
    let half = "Package: a\nStatus: install ok half-configured\nVersion: 1\n";
    bench.system.put("/var/lib/dpkg/status", half);
    let found = package("a").inspect(&bench.context()).unwrap().unwrap();
    let state = crate::plan::Value::Text("half-configured".to_owned());
    assert_eq!(found.get("installed"), Some(&state));
    bench.system.add(Script {
        command: "dpkg --force-confold --configure -a".to_owned(),
        files: vec![(
            "/var/lib/dpkg/status".into(),
            Some(half.replace("half-configured", "installed")),
        )],
        ..Script::default()
    });
    apply_all(&[&package("a")], &bench.context()).unwrap();
    assert_eq!(bench.system.ran().len(), 1);
    let desired = package("a").desired(bench.context().key);
    assert_eq!(package("a").inspect(&bench.context()).unwrap(), desired);
}

type Case = (&'static str, bool, fn(&Fixture));

#[test]
fn lists_are_refreshed_when_absent_old_or_older_than_a_source() {
    let cases: [Case; 4] = [
        ("fresh", false, |_| {}),
        ("old", true, |system| {
            system.sleep(FRESH + Duration::from_secs(1));
        }),
        ("a source changed", true, |system| {
            system.sleep(Duration::from_secs(1));
            system.put("/etc/apt/sources.list.d/x.sources", "");
        }),
        ("absent", true, |system| {
            system.remove(Path::new(LIST)).unwrap();
        }),
    ];
    for (name, refreshes, alter) in cases {
        let bench = Bench::new(with_lists());
        alter(&bench.system);
        bench.system.script(&format!("{APT} *"), "");
        apply_all(&[&package("a")], &bench.context()).unwrap();
        let updates = bench
            .system
            .ran()
            .iter()
            .filter(|line| line.ends_with(" update"))
            .count();
        assert_eq!(updates == 1, refreshes, "{name}");
    }
}

#[test]
fn a_package_that_the_lists_do_not_know_yet_is_looked_for_in_fresh_ones() {
    let bench = Bench::new(with_lists());
    bench.system.add(Script {
        command: format!("{APT} install *"),
        output: Output {
            status: 100,
            stderr: "E: Unable to locate package a".to_owned(),
            ..Output::default()
        },
        runs: Some(1),
        ..Script::default()
    });
    bench.system.script(&format!("{APT} update"), "");
    bench.system.script(&format!("{APT} install *"), "");
    apply_all(&[&package("a")], &bench.context()).unwrap();
    assert_eq!(bench.system.ran().len(), 3);
}

#[test]
fn a_package_that_must_not_be_there_goes_and_is_absent_then() {
    let bench = Bench::new(with_lists());
    let status = "Package: apache2\nStatus: install ok installed\nVersion: 1\n";
    bench.system.put("/var/lib/dpkg/status", status);
    bench.system.add(Script {
        command: format!("{APT} install --no-install-recommends apache2-"),
        files: vec![(
            "/var/lib/dpkg/status".into(),
            Some(status.replace("install ok installed", "deinstall ok config-files")),
        )],
        ..Script::default()
    });
    let mut apache = package("apache2");
    apache.installed = false;
    apply_all(&[&apache], &bench.context()).unwrap();
    assert_eq!(apache.inspect(&bench.context()).unwrap(), None);
}

#[test]
fn the_real_holder_of_a_lock_is_named() {
    let file = match std::fs::File::options().write(true).open(LOCKS[0]) {
        Ok(file) => file,
        Err(error) => return println!("not tried for real: {error}"),
    };
    let operation = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    if rustix::fs::fcntl_lock(&file, operation).is_err() {
        return println!("not tried for real: somebody holds it");
    }
    let bench = Bench::new(Fixture::new());
    let context = Context {
        system: &crate::agent::machine::Machine,
        ..bench.context()
    };
    let holder = lock_holder(&context).unwrap().unwrap();
    assert!(
        holder.ends_with(&format!("({})", std::process::id())),
        "{holder}"
    );
}

#[test]
fn the_same_lock_file_of_a_container_is_another_one() {
    let system = with_lists();
    hold_lock(&system, 812);
    for (process, namespace) in [("812", "mnt:[2]"), ("self", "mnt:[1]")] {
        let folder = format!("/proc/{process}/ns");
        system.make_directory(Path::new(&folder)).unwrap();
        let link = format!("{folder}/mnt");
        system
            .symlink(Path::new(&link), Path::new(namespace))
            .unwrap();
    }
    assert_eq!(lock_holder(&Bench::new(system).context()).unwrap(), None);
}
