use super::*;
use crate::agent::fixture::{Bench, Fixture, Script};
use crate::agent::system::Output;
use crate::resource::Notify;

fn nginx() -> Service {
    Service {
        unit: "nginx.service".to_owned(),
        enabled: true,
        running: Some(true),
    }
}

fn show(active: &str, enabled: &str, stale: &str) -> String {
    format!(
        "LoadState=loaded\nActiveState={active}\nSubState=x\nUnitFileState={enabled}\n\
         NeedDaemonReload={stale}\nExecMainStartTimestampMonotonic=1000000\n"
    )
}

fn host() -> Fixture {
    let system = Fixture::new();
    system.put("/proc/sys/kernel/random/boot_id", "boot-1\n");
    system.put("/proc/uptime", "100.00 50.00\n");
    system
}

fn answers(system: &Fixture, state: String, runs: Option<usize>) {
    system.add(Script {
        command: "systemctl show *".to_owned(),
        output: Output {
            stdout: state,
            ..Output::default()
        },
        runs,
        ..Script::default()
    });
}

fn apply(bench: &Bench) -> Result<Vec<String>, Fault> {
    let context = bench.context();
    let change = Change::between(nginx().id(), None, nginx().desired(context.key)).unwrap();
    nginx().apply(&change, &context)?;
    let shown = |line: &String| !line.starts_with("systemctl show");
    Ok(bench.system.ran().into_iter().filter(shown).collect())
}

#[test]
fn a_unit_that_is_as_desired_equals_it() {
    let bench = Bench::new(host());
    answers(&bench.system, show("active", "enabled", "no"), None);
    let context = bench.context();
    assert_eq!(
        nginx().inspect(&context).unwrap(),
        nginx().desired(context.key)
    );
}

#[test]
fn a_unit_that_does_not_exist_is_absent() {
    let bench = Bench::new(host());
    answers(
        &bench.system,
        "LoadState=not-found\nActiveState=inactive\n".to_owned(),
        None,
    );
    assert_eq!(nginx().inspect(&bench.context()).unwrap(), None);
}

#[test]
fn a_reload_that_a_crash_prevented_is_seen_and_done() {
    let bench = Bench::new(host());
    answers(&bench.system, show("active", "enabled", "no"), None);
    bench.system.script("systemctl reload -- nginx.service", "");
    let context = bench.context();
    pending::mark(&context, &Notify::reload("nginx.service")).unwrap();
    pending::settle(&context, "nginx.service").unwrap();
    let found = nginx().inspect(&context).unwrap().unwrap();
    assert_eq!(
        found.get("pending"),
        Some(&crate::plan::Value::Text("reload".to_owned()))
    );
    assert_eq!(
        apply(&bench).unwrap(),
        ["systemctl reload -- nginx.service"]
    );
    assert_eq!(
        nginx().inspect(&context).unwrap(),
        nginx().desired(context.key)
    );
}

#[test]
fn a_reload_that_fails_stays_owed() {
    let bench = Bench::new(host());
    answers(&bench.system, show("active", "enabled", "no"), None);
    bench
        .system
        .script_failure("systemctl reload *", 1, "Job failed");
    bench
        .system
        .script("journalctl *", "nginx: [emerg] no such file\n");
    let context = bench.context();
    pending::mark(&context, &Notify::reload("nginx.service")).unwrap();
    let fault = apply(&bench).unwrap_err();
    assert!(fault.why.contains("nginx: [emerg] no such file"), "{fault}");
    assert_eq!(
        pending::read(&context, "nginx.service").unwrap(),
        Some(Action::Reload)
    );
}

#[test]
fn a_stopped_disabled_unit_with_a_changed_file_is_read_enabled_and_started() {
    let bench = Bench::new(host());
    answers(&bench.system, show("inactive", "disabled", "yes"), Some(1));
    answers(&bench.system, show("inactive", "disabled", "no"), Some(1));
    answers(&bench.system, show("inactive", "enabled", "no"), Some(1));
    answers(&bench.system, show("activating", "enabled", "no"), Some(1));
    answers(&bench.system, show("active", "enabled", "no"), None);
    bench.system.script("systemctl *", "");
    assert_eq!(
        apply(&bench).unwrap(),
        [
            "systemctl daemon-reload",
            "systemctl enable -- nginx.service",
            "systemctl start -- nginx.service"
        ]
    );
}

#[test]
fn a_unit_that_dies_at_once_fails_with_its_last_lines() {
    let bench = Bench::new(host());
    answers(&bench.system, show("inactive", "enabled", "no"), Some(1));
    answers(&bench.system, show("failed", "enabled", "no"), None);
    bench.system.script("systemctl start *", "");
    bench
        .system
        .script("journalctl *", "bind() to 0.0.0.0:80 failed\n");
    let fault = apply(&bench).unwrap_err();
    assert!(fault.why.contains("bind() to 0.0.0.0:80 failed"), "{fault}");
}

#[test]
fn a_masked_unit_is_not_enabled_behind_somebodys_back() {
    let bench = Bench::new(host());
    answers(&bench.system, show("inactive", "masked", "no"), None);
    let fault = apply(&bench).unwrap_err();
    assert!(
        fault
            .hint
            .unwrap()
            .contains("systemctl unmask nginx.service")
    );
}

#[test]
fn a_unit_that_does_not_start_with_a_configuration_it_never_ran_with_gets_the_old_one_back() {
    let bench = Bench::new(host());
    let kept = "{\"path\":\"/etc/x.conf\",\"text\":\"old\",\"boot\":\"boot-1\",\"replaced\":99000000,\
                \"ownership\":{\"mode\":420,\"owner\":\"root\",\"group\":\"root\"}}";
    let previous = crate::agent::paths::previous("nginx.service");
    bench.system.put(&previous, kept);
    bench.system.put("/etc/x.conf", "new");
    let mark = crate::agent::paths::pending().join("nginx.service");
    bench.system.put(mark, "restart boot-1 99000000\n");
    bench.system.script("systemctl restart *", "");
    bench.system.script("journalctl *", "bad option\n");
    answers(&bench.system, show("active", "enabled", "no"), Some(1));
    answers(&bench.system, show("failed", "enabled", "no"), Some(1));
    answers(&bench.system, show("active", "enabled", "no"), None);
    let fault = apply(&bench).unwrap_err();
    assert!(fault.why.contains("the old /etc/x.conf is back"), "{fault}");
    assert!(fault.why.contains("bad option"), "{fault}");
    assert_eq!(bench.system.text("/etc/x.conf").unwrap(), "old");
    // The restart is still owed by what was changed beside it.
    let change = nginx().inspect(&bench.context()).unwrap();
    assert_ne!(change, nginx().desired(bench.context().key));
}

#[test]
fn a_rotation_of_certificates_is_no_business_of_the_service() {
    let bench = Bench::new(host());
    answers(&bench.system, show("active", "enabled", "no"), None);
    let mark = crate::agent::paths::pending().join("nginx.service");
    bench.system.put(&mark, "rotate boot-1 99000000\n");
    let context = bench.context();
    let desired = nginx().desired(context.key);
    assert_eq!(nginx().inspect(&context).unwrap(), desired);
    assert_eq!(apply(&bench).unwrap(), [""; 0]);
    assert!(bench.system.text(&mark).unwrap().starts_with("rotate"));
}
