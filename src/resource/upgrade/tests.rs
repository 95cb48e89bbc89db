use super::*;
use crate::agent::fixture::{Bench, Fixture};
use crate::agent::system::System as _;
use crate::plan::Value;

const SIMULATION: &str = "\
Inst libssl3 [3.0.11-1] (3.0.15-1 Debian-Security:12/stable-security [amd64])
Inst base-files [12.4+deb12u5] (12.4+deb12u12 Debian:12.12/stable [amd64]) []
Inst linux-image-6.1.0-40-amd64 (6.1.153-1 Debian-Security:12/stable-security [amd64])
Conf libssl3 (3.0.15-1 Debian-Security:12/stable-security [amd64])
";

fn host() -> Fixture {
    let system = Fixture::new();
    system.put("/var/lib/apt/lists/x_main_binary-amd64_Packages", "");
    system.put("/var/lib/geodeploy/apt-refreshed", "");
    system.put("/var/lib/dpkg/status", "");
    system.script("apt-get --simulate *", SIMULATION);
    system
}

fn pending(scope: UpgradeScope, bench: &Bench) -> Vec<String> {
    let found = Upgrade { scope }
        .inspect(&bench.context())
        .unwrap()
        .unwrap();
    match found.get("pending") {
        Some(Value::List(pending)) => pending.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn pending_upgrades_are_named_by_scope_without_new_packages() {
    let bench = Bench::new(host());
    let security = "libssl3 3.0.11-1 -> 3.0.15-1";
    assert_eq!(pending(UpgradeScope::Security, &bench), [security]);
    assert_eq!(
        pending(UpgradeScope::All, &bench),
        [security, "base-files 12.4+deb12u5 -> 12.4+deb12u12"]
    );
}

#[test]
fn the_simulation_runs_again_only_when_its_inputs_change() {
    let bench = Bench::new(host());
    for _ in 0..3 {
        pending(UpgradeScope::All, &bench);
    }
    assert_eq!(bench.system.ran().len(), 1);
    bench.system.sleep(Duration::from_secs(1));
    bench.system.put("/var/lib/dpkg/status", "");
    pending(UpgradeScope::All, &bench);
    assert_eq!(bench.system.ran().len(), 2);
}

#[test]
fn a_host_without_package_lists_is_absent_and_old_lists_are_said_to_be_old() {
    let upgrade = Upgrade {
        scope: UpgradeScope::All,
    };
    assert_eq!(
        upgrade
            .inspect(&Bench::new(Fixture::new()).context())
            .unwrap(),
        None
    );
    let bench = Bench::new(host());
    bench.system.sleep(TELLING + Duration::from_secs(1));
    let found = upgrade.inspect(&bench.context()).unwrap().unwrap();
    assert!(matches!(found.get("lists"), Some(Value::Text(text)) if text.starts_with("older")));
}
