//! Nothing to change.

#[path = "../tests/common/lab.rs"]
mod common;
#[path = "../tests/common/hosts.rs"]
mod hosts;

use common::ssh;
use hosts::Hosts;
use std::time::{Duration, Instant};

fn main() {
    let Some(hosts) = Hosts::up("no-op") else {
        return;
    };
    let begun = Instant::now();
    hosts.provision();
    eprintln!("provision {:?}", begun.elapsed());
    hosts.provision_again();
    for ms in [180, 0] {
        hosts.set_round_trip(Duration::from_millis(ms));
        for _ in 0..5 {
            hosts.disconnect();
            std::thread::sleep(Duration::from_millis(500));
            hosts.lab().reset_counters().unwrap();
            let cold = hosts.provision_again();
            let ct = hosts.round_trips();
            hosts.lab().reset_counters().unwrap();
            let live = hosts.provision_again();
            let lt = hosts.round_trips();
            hosts.disconnect();
            std::thread::sleep(Duration::from_millis(500));
            hosts.lab().reset_counters().unwrap();
            let twin = hosts.lab().twin("us").unwrap();
            let begun = Instant::now();
            assert!(ssh(hosts.lab(), twin, "root", "true").status.success());
            let bare = begun.elapsed();
            let bt = hosts.round_trips();
            eprintln!(
                "{ms}: cold {cold:?} {ct} live {live:?} {lt} bare {bare:?} {bt} {:?}",
                std::fs::read_to_string("/proc/loadavg").unwrap()
            );
        }
    }
    if std::env::var_os("HOLD").is_some() {
        eprintln!("holding {}", hosts.inventory.display());
        while !std::path::Path::new("/tmp/release-bench").exists() {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}
