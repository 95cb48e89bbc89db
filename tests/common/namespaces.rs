//! Tests that run themselves again in namespaces of their own: /etc, /run and /var/lib are copies that vanish with the
//! test, and the network has nothing but a loopback. As root, with unshare and overlayfs.

use std::path::Path;
use std::process::Command;

use geodeploy::agent::database::Driver;
use geodeploy::agent::machine::Machine;
use geodeploy::agent::system::{Invocation, System as _};
use geodeploy::plan::Change;
use geodeploy::resource::{Context, Facts, Manage};
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
pub(crate) fn inside(test: &str) -> bool {
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

pub(crate) fn installed(program: &str) -> bool {
    let there = Path::new(program).exists();
    if !there {
        println!("{program} is not installed, so not tried for real");
    }
    there
}

/// This machine with a key and fresh facts each time.
pub(crate) struct Host {
    key: FingerprintKey,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self {
            key: FingerprintKey::new(Secret::new("key".to_owned())),
        }
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&Context<'_>) -> T) -> T {
        work(&Context {
            system: &Machine,
            database: &Driver::default(),
            key: &self.key,
            facts: &Facts::default(),
            progress: &|line| println!("{line}"),
        })
    }

    pub(crate) fn change(&self, resource: &dyn Manage) -> Option<Change> {
        self.with(|context| {
            let found = resource.inspect(context).unwrap();
            Change::between(resource.id(), found, resource.desired(&self.key))
        })
    }

    /// Applies what differs; afterwards nothing does.
    pub(crate) fn converge(&self, resource: &dyn Manage) {
        let change = self.change(resource).expect("something to change");
        self.with(|context| resource.apply(&change, context))
            .unwrap();
        assert_eq!(self.change(resource), None);
    }
}

pub(crate) fn run(argv: &[&str]) -> String {
    let output = Machine.run(&Invocation::new(argv)).unwrap();
    output.checked(&argv.join(" ")).unwrap().stdout
}

pub(crate) fn differing(change: &Change) -> Vec<&str> {
    let (before, after) = (
        change.before.as_ref().unwrap(),
        change.after.as_ref().unwrap(),
    );
    let names = after.iter().map(|(name, _)| name);
    names
        .filter(|name| before.get(name) != after.get(name))
        .collect()
}
