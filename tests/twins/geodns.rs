//! The embedded provider: gdnsd on both twins, asked over the link, with regions that fail, drain and come back.

use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Test;
use super::fixture::Twins;
use super::operator::{Operator, copy};
use super::subnets::SAMPLES;
use super::units::starts;

pub(crate) const TESTS: &[Test] = &[(
    "gdnsd on both hosts answers by geography and routes around a region that fails or is drained",
    gdnsd_answers_by_geography_and_routes_around_a_region,
)];

const REGIONS: [&str; 2] = ["us", "cn"];
const CHINA: &str = "1.0.1.0/24";
const AMERICA: &str = "8.8.8.0/24";

/// dig's short answer of a region's host.
fn ask(twins: &Twins, server: &str, subnet: &str, words: &[&str]) -> Vec<String> {
    let [at, at_ipv6] = twins.addresses(server, 53).map(|address| address.ip());
    let at = match words.contains(&"-6") {
        true => format!("@{at_ipv6}"),
        false => format!("@{at}"),
    };
    let subnet = format!("+subnet={subnet}");
    let fixed = [
        "+short",
        "+time=3",
        "+tries=2",
        "+norecurse",
        &at,
        &subnet,
        "api.yourapp.com",
    ];
    #[expect(clippy::disallowed_methods, reason = "the tests' door to dig")]
    let output = Command::new("dig").args(fixed).args(words).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The IPv4 address of a twin, as dig prints it.
fn address(twins: &Twins, region: &str) -> Vec<String> {
    vec![twins.twin(region).endpoint.ipv4.to_string()]
}

/// Waits until both hosts give clients of that network the region's address; says how long the later one took.
fn both_answer(twins: &Twins, subnet: &str, region: &str, bound: Duration) -> Duration {
    let begun = Instant::now();
    let wanted = address(twins, region);
    loop {
        let found = REGIONS.map(|server| ask(twins, server, subnet, &["A"]));
        if found.iter().all(|found| *found == wanted) {
            return begun.elapsed();
        }
        let took = begun.elapsed();
        assert!(
            took < bound,
            "{subnet} after {took:?}: {found:?} instead of {region}"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn every_sample_is_answered_right(twins: &Twins) {
    let questions: Vec<_> = REGIONS
        .iter()
        .flat_map(|server| SAMPLES.iter().map(move |sample| (*server, *sample)))
        .collect();
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for part in questions.chunks(10) {
            let wrong = &wrong;
            scope.spawn(move || {
                for (server, (subnet, country, region)) in part {
                    for words in [&["A"][..], &["A", "+tcp"], &["A", "-6"]] {
                        let found = ask(twins, server, subnet, words);
                        if found != address(twins, region) {
                            let told =
                                format!("{server} {words:?} {subnet} ({country}): {found:?}");
                            wrong.lock().unwrap().push(told);
                        }
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {}: {wrong:#?}",
        wrong.len(),
        3 * questions.len()
    );
}

fn gdnsd_answers_by_geography_and_routes_around_a_region(twins: &Twins) {
    if !has_dig() {
        return;
    }
    let operator = twins.operator.with(copy(&twins.operator.inventory, "geodns.toml", |text| {
        let section = "provider = \"embedded\"\nrouting = { default = \"us\", continents = { NA = \"us\", AS = \"cn\" } }";
        format!("{text}\n[dns]\n{section}\n")
    }));
    set_up(twins, &operator);
    for (subnet, region) in [(CHINA, "cn"), (AMERICA, "us")] {
        both_answer(twins, subnet, region, Duration::from_secs(15));
    }
    every_sample_is_answered_right(twins);
    for (failed, subnet, other) in [("cn", CHINA, "us"), ("us", AMERICA, "cn")] {
        twins.shell(
            failed,
            "systemctl kill --signal=KILL nginx.service; systemctl stop nginx.service",
        );
        let took = both_answer(twins, subnet, other, Duration::from_secs(10));
        eprintln!("{failed} killed: {other} answers for it after {took:?}");
        twins.shell(
            failed,
            "systemctl reset-failed nginx.service; systemctl start nginx.service",
        );
        let took = both_answer(twins, subnet, failed, Duration::from_secs(20));
        eprintln!("{failed} is back after {took:?}");
    }
    drained(twins, &operator);
    both_down(twins);
    // As it was found: the port is closed again, and nothing else differs.
    twins.operator.run(&["provision"]).expect(0);
    assert!(
        ask(twins, "us", AMERICA, &["A", "+time=1", "+tries=1"])
            .concat()
            .contains("timed out")
    );
}

fn has_dig() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the tests' door to dig")]
    let found = Command::new("dig").arg("-v").output().is_ok();
    if !found {
        eprintln!("SKIPPED: gdnsd on both hosts: dig is not installed; tests/all.sh installs it");
    }
    found
}

/// A first run that sets it up, and a second one that changes and restarts nothing.
fn set_up(twins: &Twins, operator: &Operator) {
    operator.run(&["dns", "plan", "--json"]).expect(2);
    let begun = Instant::now();
    operator.run(&["dns", "sync"]).expect(0);
    eprintln!("first dns sync: {:?}", begun.elapsed());
    // What else the section brings: the list of regions for front ends.
    operator.run(&["provision"]).expect(0);
    let before = REGIONS.map(|region| starts(twins, region));
    let pids = REGIONS.map(|region| twins.shell(region, "systemctl show --value -p MainPID gdnsd"));
    let ran = operator.run(&["dns", "sync", "--json"]).expect(0);
    let nothing = |region| json!({ "region": region, "changed": 0, "restarted": [] });
    assert_eq!(
        ran.document("provisioned"),
        json!(REGIONS.map(nothing)),
        "{ran}"
    );
    operator
        .run(&["dns", "plan"])
        .expect(0)
        .prints(&["api.yourapp.com. NS us.yourapp.com."]);
    let ran = operator.run(&["provision", "--json"]).expect(0);
    assert_eq!(
        ran.document("provisioned"),
        json!(REGIONS.map(nothing)),
        "{ran}"
    );
    assert_eq!(before, REGIONS.map(|region| starts(twins, region)));
    let again =
        REGIONS.map(|region| twins.shell(region, "systemctl show --value -p MainPID gdnsd"));
    assert_eq!(pids, again);
}

fn drained(twins: &Twins, operator: &Operator) {
    operator.run(&["dns", "drain", "cn"]).expect(0);
    let took = both_answer(twins, CHINA, "us", Duration::from_secs(5));
    eprintln!("drained after {took:?}");
    let refused = operator.run(&["dns", "drain", "us"]).expect(64);
    refused.says(&[
        "us is the last of 2 regions that answers",
        "drain cn --undo",
    ]);
    operator
        .run(&["dns", "status"])
        .expect(2)
        .prints(&["drained: cn"]);
    operator.run(&["dns", "sync"]).expect(0);
    twins.shell("us", "systemctl restart gdnsd.service");
    std::thread::sleep(Duration::from_secs(4));
    both_answer(twins, CHINA, "us", Duration::from_secs(2));
    operator.run(&["dns", "drain", "cn", "--undo"]).expect(0);
    let took = both_answer(twins, CHINA, "cn", Duration::from_secs(10));
    eprintln!("undone after {took:?}");
    operator.run(&["dns", "status"]).expect(0);
}

/// With nobody well, everybody is led where they belong.
fn both_down(twins: &Twins) {
    for region in REGIONS {
        twins.shell(region, "systemctl stop nginx.service");
    }
    std::thread::sleep(Duration::from_secs(9));
    for (subnet, region) in [(CHINA, "cn"), (AMERICA, "us")] {
        both_answer(twins, subnet, region, Duration::from_secs(1));
    }
    for region in REGIONS {
        twins.shell(region, "systemctl start nginx.service");
    }
}
