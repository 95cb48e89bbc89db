use super::*;
use crate::agent::fixture::{Bench, Fixture};
use crate::agent::paths;

const OUTPUT: &str = "config: x\nnet:\n  bindIp: 127.0.0.1\noutputConfig: true\n";

fn host(active: &str) -> Bench {
    let system = Fixture::new();
    system.put("/proc/sys/kernel/random/boot_id", "boot-1\n");
    system.put("/proc/uptime", "100.00 50.00\n");
    system.put(
        "/etc/mongod.conf",
        "net:\n  bindIp: 127.0.0.1\n# the package's\n",
    );
    system.script(
        "systemctl show *",
        &format!("ActiveState={active}\nExecMainStartTimestampMonotonic=1\n"),
    );
    Bench::new(system)
}

fn apply(bench: &Bench) -> Result<(), Fault> {
    let file = MongodConfiguration {
        path: PathBuf::from("/etc/mongod.conf"),
        content: "net:\n  bindIp: 127.0.0.1\n".to_owned(),
    };
    let context = bench.context();
    let found = file.inspect(&context)?;
    let change = Change::between(file.id(), found, file.desired(context.key)).unwrap();
    file.apply(&change, &context)?;
    assert_eq!(file.inspect(&context)?, file.desired(context.key));
    Ok(())
}

#[test]
fn a_file_that_the_server_runs_with_is_kept_and_one_that_nobody_ran_is_not() {
    for (active, kept) in [("active", true), ("inactive", false)] {
        let bench = host(active);
        bench.system.script("mongod *", OUTPUT);
        apply(&bench).unwrap();
        let text = bench.system.text(paths::previous(UNIT));
        assert_eq!(
            text.is_some_and(|text| text.contains("the package's")),
            kept
        );
    }
}

#[test]
fn nothing_is_written_where_mongod_cannot_check_it() {
    let bench = host("inactive");
    let fault = apply(&bench).unwrap_err();
    assert!(fault.why.contains("mongod is not installed"), "{fault}");
    assert!(
        bench
            .system
            .text("/etc/mongod.conf")
            .unwrap()
            .contains("the package's")
    );
    assert_eq!(bench.system.files("/etc").len(), 1);
}
