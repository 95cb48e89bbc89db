//! The whole tool against twins: the real program, run as an operator runs it, against two systemd hosts behind the
//! inventory's links.
//!
//! One lab for all tests, one after the other; each leaves the twins as it found them. `cargo test --test twins -- NAME`
//! runs those whose name holds `NAME`. Where twins cannot boot, the program says what is missing and passes nothing.

mod access;
mod admin;
mod admission;
mod again;
mod certificates;
mod certificates_renewed;
mod cut_link;
mod database;
mod database_growth;
mod database_killed;
mod drift;
mod edits;
mod first;
mod fixture;
mod geodns;
mod interrupt;
mod looks;
mod mongo;
mod operator;
mod probe;
mod reboot;
mod release;
mod round_trips;
mod saved_plan;
mod stream;
#[path = "../common/subnets.rs"]
mod subnets;
mod templates;
mod units;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use fixture::Twins;
use interrupt::Interrupt;

/// A test: its name, a sentence, and what it does.
type Test = (&'static str, fn(&Twins));

fn tests() -> Vec<Test> {
    [
        database_growth::FIRST,
        again::TESTS,
        round_trips::TESTS,
        saved_plan::TESTS,
        templates::TESTS,
        drift::TESTS,
        admission::TESTS,
        access::TESTS,
        admin::TESTS,
        cut_link::TESTS,
        database::TESTS,
        database_killed::TESTS,
        release::TESTS,
        geodns::TESTS,
        certificates::TESTS,
        certificates_renewed::TESTS,
        reboot::TESTS,
        database_growth::TESTS,
    ]
    .concat()
}

fn main() -> ExitCode {
    if std::env::args().any(|word| word == mongo::WORD) {
        return mongo::client();
    }
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let listed = std::env::args().any(|word| word == "--list");
    let chosen: Vec<Test> = tests()
        .into_iter()
        .filter(|(name, _)| words.is_empty() || words.iter().any(|word| name.contains(&**word)))
        .collect();
    if listed {
        chosen.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    if chosen.is_empty() {
        return summary(&[], 0);
    }
    if !fixture::possible() {
        return summary(&[], chosen.len());
    }
    let interrupt = Interrupt::listen();
    // Dropped at the end of this function, whatever happens in it: nothing stays on the machine.
    let Ok(twins) = catch_unwind(fixture::Twins::up_one_by_one) else {
        return summary(&[("the twins are brought up", false)], 0);
    };
    let ends: Vec<(&str, bool)> = chosen
        .iter()
        .take_while(|_| !interrupt.came())
        .map(|(name, test)| {
            let begun = Instant::now();
            let well = catch_unwind(AssertUnwindSafe(|| test(&twins))).is_ok();
            if !well && !interrupt.came() {
                twins.mend();
            }
            let word = if well { "ok" } else { "FAILED" };
            println!(
                "test {name} ... {word} ({:.1} s)",
                begun.elapsed().as_secs_f64()
            );
            (*name, well)
        })
        .collect();
    drop(twins);
    let end = summary(&ends, 0);
    if interrupt.came() {
        return ExitCode::FAILURE;
    }
    end
}

fn summary(ends: &[(&str, bool)], ignored: usize) -> ExitCode {
    let failed: Vec<&str> = ends
        .iter()
        .filter(|(_, well)| !well)
        .map(|(name, _)| *name)
        .collect();
    if !failed.is_empty() {
        println!("\nfailures:\n    {}", failed.join("\n    "));
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; {ignored} ignored",
        if failed.is_empty() { "ok" } else { "FAILED" },
        ends.len() - failed.len(),
        failed.len()
    );
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
