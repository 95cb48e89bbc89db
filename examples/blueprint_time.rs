//! How long the operator's side takes from the inventory's text to the resources of both regions, without a network:
//! `cargo run --release --example blueprint_time`.

use std::time::{Duration, Instant};

use geodeploy::blueprint;
use geodeploy::inventory::{EXAMPLE, Inventory};
use geodeploy::secrets::{Secret, Secrets};

const RUNS: usize = 101;

fn run() -> Result<usize, String> {
    let inventory = Inventory::parse(EXAMPLE, "example.toml").map_err(|mistakes| {
        mistakes
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    let secrets = Secrets::made_up(&inventory, |_| Secret::new("0".repeat(64)));
    let mut resources = 0;
    for region in &inventory.regions {
        resources += blueprint::region(&inventory, &region.name, &secrets)
            .map_err(|error| error.what)?
            .resources
            .len();
    }
    Ok(resources)
}

#[expect(clippy::print_stdout, reason = "an example reports to whoever runs it")]
fn main() -> Result<(), String> {
    let mut resources = 0;
    let mut times: Vec<Duration> = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let begun = Instant::now();
        resources = run()?;
        times.push(begun.elapsed());
    }
    times.sort();
    let (median, worst) = (times[RUNS / 2], times[RUNS - 1]);
    println!(
        "{resources} resources of both regions: median {median:.1?}, worst {worst:.1?} of {RUNS} runs"
    );
    Ok(())
}
