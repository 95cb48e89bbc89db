//! The first provisioning of a bare twin over the link, beside the same commands in one script on the twin itself.
//!
//! `cargo bench --profile ci --bench first_provision`, as root on a machine that can boot twins; it says so where it
//! cannot. Both are done in turns on one twin, which is put back to its bare state each time; packages come from a warm
//! cache. After each, `plan` must find nothing to do: what the script did is what was asked for. Three times each; another
//! number may be given after `--`.

#[path = "../tests/twins/fixture.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod fixture;
#[expect(dead_code, reason = "the other benchmark uses the rest")]
mod measure;
#[path = "../tests/twins/operator.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod operator;
#[path = "peers/script.rs"]
mod script;

use std::process::ExitCode;
use std::time::Instant;

use fixture::Twins;
use measure::{blueprint_of, machine, median, range, seconds, verdict};

const REGION: &str = "us";

fn main() -> ExitCode {
    if !fixture::possible() {
        return ExitCode::SUCCESS;
    }
    let rounds = std::env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(3_usize)
        .max(1);
    let twins = Twins::bare();
    let script = script::of(&blueprint_of(&twins, REGION).resources);
    twins.twin(REGION).snapshot("bare").unwrap();
    on_the_host(&twins, &script);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        ours.push(over_the_link(&twins));
        theirs.push(on_the_host(&twins, &script));
    }
    let ratio = median(ours.clone()) / median(theirs.clone());
    println!("\n{}; {rounds} times each, medians in seconds", machine());
    for (name, values) in [
        ("provision, over the link", &ours),
        ("script, on the host", &theirs),
    ] {
        let median = median(values.clone());
        println!("{name:26} {median:6.1}  {}", range(values));
    }
    if verdict("first provision, to the script", ratio, 1.3) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn over_the_link(twins: &Twins) -> f64 {
    let begun = Instant::now();
    let tell = |line: &str| eprintln!("{:6.1} s  {line}", begun.elapsed().as_secs_f64());
    let ran = twins
        .operator
        .watch(&["provision", REGION], |line, _| tell(line));
    let took = begun.elapsed().as_secs_f64();
    ran.expect(0);
    tell("the end");
    check_and_put_back(twins);
    took
}

fn on_the_host(twins: &Twins, script: &str) -> f64 {
    let took = seconds(|| {
        let output = twins.twin(REGION).exec_with(["sh", "-s"], script).unwrap();
        assert!(output.success(), "{output:?}");
    });
    check_and_put_back(twins);
    took
}

/// Both ways must lead to the same host.
fn check_and_put_back(twins: &Twins) {
    let differing = twins.operator.plan(REGION);
    assert_eq!(differing, Vec::<String>::new());
    twins.operator.hang_up();
    twins.twin(REGION).restore("bare").unwrap();
}
