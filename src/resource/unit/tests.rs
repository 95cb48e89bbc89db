use super::*;
use crate::agent::fixture::{Bench, Fixture, Script};
use crate::agent::machine::Machine;
use crate::agent::system::{Output, System as _};

fn unit() -> Unit {
    Unit {
        name: "app@.service".to_owned(),
        content: "[Service]\nExecStart=/opt/app\n".to_owned(),
        notifies: Vec::new(),
    }
}

fn apply(bench: &Bench) -> Result<(), Fault> {
    let context = bench.context();
    let change = Change::between(unit().id(), None, unit().desired(context.key)).unwrap();
    unit().apply(&change, &context)
}

#[test]
fn a_unit_whose_program_comes_later_is_put_in_place_and_read() {
    let bench = Bench::new(Fixture::new());
    bench.system.put("/etc/systemd/system/old", "");
    bench.system.add(Script {
        command: "systemd-analyze *".to_owned(),
        output: Output {
            status: 1,
            stderr:
                "app@i.service: Command /opt/app is not executable: No such file or directory\n"
                    .to_owned(),
            ..Output::default()
        },
        ..Script::default()
    });
    bench.system.script("systemctl daemon-reload", "");
    apply(&bench).unwrap();
    let context = bench.context();
    assert_eq!(
        unit().inspect(&context).unwrap(),
        unit().desired(context.key)
    );
    assert!(bench.system.files("/run/geodeploy/units").is_empty());
}

#[test]
fn a_unit_that_systemd_complains_of_leaves_the_old_one() {
    let bench = Bench::new(Fixture::new());
    bench.system.put("/etc/systemd/system/app@.service", "old");
    let complaint = "/run/geodeploy/units/app@.service:2: Unknown key 'ExecStrat' in section [Service], ignoring.\n";
    bench
        .system
        .script_failure("systemd-analyze *", 0, complaint);
    let fault = apply(&bench).unwrap_err();
    assert!(
        fault
            .why
            .starts_with("/etc/systemd/system/app@.service:2: Unknown key"),
        "{fault}"
    );
    assert_eq!(
        bench
            .system
            .text("/etc/systemd/system/app@.service")
            .unwrap(),
        "old"
    );
}

#[test]
fn the_real_verifier_names_the_line_of_a_misspelt_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app@.service");
    std::fs::write(
        &path,
        "[Unit]\n[Service]\nExecStart=/opt/none\nMemroyMax=1G\n",
    )
    .unwrap();
    let place = path.to_string_lossy();
    let argv = ["systemd-analyze", "verify", "--man=no", &place];
    let output = Machine.run(&Invocation::new(&argv)).unwrap();
    if output.status == 127 {
        return;
    }
    let complaints = complaints(&output.stderr, &place);
    assert!(
        complaints.starts_with(&format!("{place}:4:")),
        "{complaints}"
    );
    assert_eq!(complaints.lines().count(), 1);
}
