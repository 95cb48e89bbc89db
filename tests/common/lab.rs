//! Labs for tests: brought up where this machine can, said loudly where it cannot.

use std::path::Path;
use std::process::Output;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use geodeploy::rehearse::{Lab, LabSpec, LinkSpec, SwitchProgram, Twin, TwinSpec, requirements};

/// Timings are measured: one lab at a time in a test program.
static ALONE: Mutex<()> = Mutex::new(());

/// A lab and the right to have one.
pub(crate) struct Held {
    pub(crate) lab: Lab,
    _alone: MutexGuard<'static, ()>,
}

/// The switch as a process of its own.
pub(crate) fn switch() -> SwitchProgram {
    let words = [env!("CARGO_BIN_EXE_geodeploy"), "rehearse-switch"];
    SwitchProgram::Program(words.map(str::to_owned).to_vec())
}

/// Whether this machine can boot twins; what it lacks is told on stderr.
pub(crate) fn possible(test: &str) -> bool {
    let missing = requirements::missing(Path::new("/var/lib/geodeploy/rehearsal"));
    for item in &missing {
        eprintln!(
            "SKIPPED: {test}: {} is missing ({}); {}",
            item.what, item.why, item.remedy
        );
    }
    missing.is_empty()
}

/// A lab's specification: twins `us` and `cn`, all links of a kind.
pub(crate) fn spec(name: &str, round_trip: u64, megabits: Option<f64>) -> LabSpec {
    let twins = vec![TwinSpec::new("us"), TwinSpec::new("cn")];
    let mut spec = LabSpec::new(format!("{name}-{}", std::process::id()), twins, switch());
    for (a, b) in [("operator", "us"), ("operator", "cn"), ("us", "cn")] {
        spec.links.push(LinkSpec::new(
            a,
            b,
            Duration::from_millis(round_trip),
            megabits,
        ));
    }
    spec
}

/// The right to be the only test that boots twins.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Brings a lab up, or says why not.
pub(crate) fn up(test: &str, spec: impl FnOnce() -> LabSpec) -> Option<Held> {
    if !possible(test) {
        return None;
    }
    let alone = alone();
    let lab = Lab::up(&spec(), &|event| eprintln!("{event}")).unwrap();
    Some(Held { lab, _alone: alone })
}

/// Runs a program of this machine.
#[expect(clippy::disallowed_methods, reason = "the tests' door to ssh and ping")]
pub(crate) fn run(argv: &[&str]) -> Output {
    std::process::Command::new(argv[0])
        .args(&argv[1..])
        .output()
        .unwrap()
}

/// Runs a command in a twin through ssh, its host key pinned.
pub(crate) fn ssh(lab: &Lab, twin: &Twin, user: &str, command: &str) -> Output {
    let known = lab.folder().join(format!("{}.known_hosts", twin.name));
    std::fs::write(
        &known,
        format!("{} {}\n", twin.endpoint.ipv4, twin.host_key().unwrap()),
    )
    .unwrap();
    let known = format!("UserKnownHostsFile={}", known.display());
    let (key, target) = (lab.operator_key(), format!("{user}@{}", twin.endpoint.ipv4));
    let fixed = [
        "ssh",
        "-F",
        "none",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "BatchMode=yes",
        "-o",
        &known,
        "-i",
    ];
    run(&[
        fixed.as_slice(),
        &[&key.to_string_lossy(), &target, command],
    ]
    .concat())
}

/// The smallest, median and largest of some times in milliseconds.
pub(crate) fn spread(mut times: Vec<f64>) -> (f64, f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2], times[times.len() - 1])
}

/// What a program wrote, without blanks around it.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
