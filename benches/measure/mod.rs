//! What both benchmarks measure with.

use std::time::{Duration, Instant};

use geodeploy::blueprint::{self, Blueprint};
use geodeploy::inventory::Inventory;
use geodeploy::secrets::Secrets;

use crate::fixture::Twins;

/// How long something takes, in seconds.
pub(crate) fn seconds(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

/// The middle one of some measurements.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Smallest and largest, for the reader to judge how quiet the machine was.
pub(crate) fn range(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    format!("{least:.2} to {most:.2}")
}

/// Runs a program of this machine, which must succeed, and gives what it printed.
#[expect(
    clippy::disallowed_methods,
    reason = "the benchmarks' door to ssh and to peers"
)]
pub(crate) fn run(argv: &[&str]) -> String {
    let output = std::process::Command::new(argv[0])
        .args(&argv[1..])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{argv:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Changes the round trip of the operator's links; their bandwidth stays.
pub(crate) fn set_round_trip(twins: &Twins, round_trip: Duration) {
    for twin in twins.lab.twins() {
        let link = twins.lab.link("operator", &twin.name);
        let shape = link.shape().unwrap();
        let delay = round_trip / 2;
        link.set(geodeploy::rehearse::Shape { delay, ..shape })
            .unwrap();
    }
}

/// What a region's host should be, by the operator's inventory.
pub(crate) fn blueprint_of(twins: &Twins, region: &str) -> Blueprint {
    let inventory = Inventory::load(&twins.operator.inventory).unwrap();
    let secrets = Secrets::resolve(&inventory).unwrap();
    let name = &inventory.region(region).unwrap().name;
    blueprint::region(&inventory, name, &secrets).unwrap()
}

/// A claim and whether the measured ratio keeps it.
pub(crate) fn verdict(what: &str, ratio: f64, most: f64) -> bool {
    let kept = ratio <= most;
    let word = if kept { "kept" } else { "MISSED" };
    println!("{word}: {what}: {ratio:.2}, at most {most}");
    kept
}

/// The machine in a line: its processors, and how many processes wanted them during the last minute.
pub(crate) fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let minute = load.split(' ').next().unwrap_or("?");
    format!("{processors} processors, load {minute}")
}
