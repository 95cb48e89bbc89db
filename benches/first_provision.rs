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
    let took = seconds(|| {
        twins.operator.run(&["provision", REGION]).expect(0);
    });
    steps(twins);
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

/// Says which steps took long, as the host's own journal of the run has them.
fn steps(twins: &Twins) {
    let journal = twins.shell(REGION, "cat /var/lib/geodeploy/runs/*/journal.jsonl");
    let events = journal
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut step = String::new();
    for event in events {
        if let Some(name) = event["step"].as_str() {
            name.clone_into(&mut step);
        }
        match event["milliseconds"].as_u64() {
            Some(milliseconds) if milliseconds >= 100 => {
                eprintln!("{:6.1} s  {step}", milliseconds as f64 / 1e3);
            }
            _ => {}
        }
    }
}
