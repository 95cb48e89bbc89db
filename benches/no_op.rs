//! Nothing to change, over the link: the program, a bare `ssh host true`, and pyinfra where it installs.
//!
//! `cargo bench --profile ci --bench no_op`, as root on a machine that can boot twins; it says so where it cannot. All are
//! taken in turns, so that a busy spell touches all of them; the figures are medians.

#[path = "../tests/twins/fixture.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod fixture;
#[path = "../tests/twins/looks.rs"]
mod looks;
mod measure;
#[path = "../tests/twins/operator.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod operator;
#[path = "peers/pyinfra.rs"]
mod pyinfra;

use std::process::ExitCode;
use std::time::Duration;

use fixture::{ROUND_TRIP, Twins};
use looks::Looks;
use measure::{machine, median, range, run, seconds, set_round_trip, verdict};
use pyinfra::Pyinfra;

/// How often each is measured at each distance.
const ROUNDS: usize = 7;

/// One way to do nothing, and how long it took.
struct Row<'b> {
    name: &'static str,
    work: Box<dyn Fn() -> f64 + 'b>,
    far: Vec<f64>,
    near: Vec<f64>,
}

impl<'b> Row<'b> {
    fn new(name: &'static str, work: impl Fn() -> f64 + 'b) -> Self {
        Self {
            name,
            work: Box::new(work),
            far: Vec::new(),
            near: Vec::new(),
        }
    }

    fn far(&self) -> f64 {
        median(self.far.clone())
    }

    fn round_trips(&self) -> f64 {
        (self.far() - median(self.near.clone())) / ROUND_TRIP.as_secs_f64()
    }
}

fn main() -> ExitCode {
    if !fixture::possible() {
        return ExitCode::SUCCESS;
    }
    let twins = Twins::bare();
    for verb in ["provision", "deploy"] {
        twins.operator.run(&[verb]).expect(0);
    }
    let looks = Looks::connect(&twins, "us", 40);
    let known_hosts = known_hosts(&twins);
    let mut rows = vec![
        Row::new("ssh host true", || bare(&twins, &known_hosts)),
        Row::new("provision, from cold", || cold(&twins)),
        Row::new("provision, live connection", || provision(&twins)),
        Row::new("4 resources, live connection", || {
            looks.look(4).as_secs_f64()
        }),
        Row::new("40 resources, live connection", || {
            looks.look(40).as_secs_f64()
        }),
    ];
    for row in &rows {
        (row.work)();
    }
    for round_trip in [ROUND_TRIP, Duration::ZERO] {
        set_round_trip(&twins, round_trip);
        for _ in 0..ROUNDS {
            for row in &mut rows {
                let took = (row.work)();
                match round_trip.is_zero() {
                    true => row.near.push(took),
                    false => row.far.push(took),
                }
            }
        }
    }
    let load = machine();
    set_round_trip(&twins, ROUND_TRIP);
    let peer = Pyinfra::install().map(|pyinfra| pyinfra.no_op(&twins));
    let kept = report(&rows, peer, &load);
    drop(rows);
    looks.close();
    if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn report(rows: &[Row<'_>], peer: Option<f64>, load: &str) -> bool {
    let [bare, cold, live, four, forty] = rows else {
        return false;
    };
    println!(
        "\n{load}; {ROUNDS} times each, medians in seconds; all but `ssh host true` and the resources: both regions"
    );
    println!(
        "{:31} {:>7} {:>7} {:>6} {:>6}  180 ms, range",
        "", "180 ms", "0 ms", "trips", "ratio"
    );
    for row in rows {
        println!(
            "{:31} {:7.2} {:7.2} {:6.1} {:6.2}  {}",
            row.name,
            row.far(),
            median(row.near.clone()),
            row.round_trips(),
            row.far() / bare.far(),
            range(&row.far),
        );
    }
    if let Some(peer) = peer {
        let (bare, ours) = (peer / bare.far(), peer / cold.far());
        println!(
            "{:31} {peer:7.2} {:7} {:6} {bare:6.2}",
            "pyinfra, from cold", "", ""
        );
        println!("pyinfra takes {ours:.1} times as long as provision from cold");
    }
    [
        verdict("from cold, to ssh host true", cold.far() / bare.far(), 1.3),
        verdict("live, to ssh host true", live.far() / bare.far(), 0.5),
        verdict(
            "round trips of 40 resources more than of 4",
            forty.round_trips() - four.round_trips(),
            1.0,
        ),
    ]
    .iter()
    .all(|kept| *kept)
}

/// A provisioning of both regions that changes nothing.
fn provision(twins: &Twins) -> f64 {
    seconds(|| {
        twins
            .operator
            .run(&["provision"])
            .expect(0)
            .prints(&["us: nothing to change", "cn: nothing to change"]);
    })
}

/// The same without a connection from before; everything else that earlier runs left is there.
fn cold(twins: &Twins) -> f64 {
    twins.operator.hang_up();
    provision(twins)
}

fn known_hosts(twins: &Twins) -> String {
    let line = |twin: &geodeploy::rehearse::Twin| {
        format!("{} {}\n", twin.endpoint.ipv4, twin.host_key().unwrap())
    };
    let text: String = twins.lab.twins().iter().map(line).collect();
    let path = twins.operator.home.join("known_hosts");
    std::fs::write(&path, text).unwrap();
    format!("UserKnownHostsFile={}", path.display())
}

/// What it takes to log in and do nothing; no configuration, so nothing is tried that is not needed.
fn bare(twins: &Twins, known_hosts: &str) -> f64 {
    let host = format!("root@{}", twins.twin("us").endpoint.ipv4);
    let key = twins.lab.operator_key();
    let key = key.to_string_lossy();
    seconds(|| {
        let options = ["-o", known_hosts, "-o", "BatchMode=yes", "-i", &key];
        run(&[&["ssh", "-F", "none"], &options[..], &[&host, "true"]].concat());
    })
}
