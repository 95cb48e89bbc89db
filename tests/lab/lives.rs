//! Labs side by side, left by a killed operator, found again and taken down without a trace.

use std::time::{Duration, Instant};

use geodeploy::rehearse::{Lab, LabSpec, SwitchProgram, TwinSpec};

use crate::common::{alone, possible, run, spec, ssh, text, up};

/// The number in a lab's addresses and in the names of its devices.
fn number(lab: &Lab) -> u8 {
    lab.operator().ipv4.octets()[2]
}

/// Everything on this machine that carries a lab's mark.
fn traces(name: &str, number: u8) -> String {
    let script = format!(
        "ip netns list | grep ^gd{number}-; ip -o link | grep ' gd{number}-'; grep {name} /proc/mounts; \
         find /sys/fs/cgroup -type d -path '*geodeploy-rehearsal/{name}*'; ls -d /run/geodeploy/rehearsal/{name} \
         /var/lib/geodeploy/rehearsal/{name} 2>/dev/null; ps -eo args | grep -F rehearsal/{name} | grep -v grep"
    );
    text(&run(&["sh", "-c", &script]).stdout)
}

#[test]
fn two_labs_live_side_by_side_and_leave_nothing_behind() {
    let name = "two_labs_live_side_by_side_and_leave_nothing_behind";
    let Some(held) = up(name, || spec("first", 0, None)) else {
        return;
    };
    let name = format!("second-{}", std::process::id());
    let inside = LabSpec::new(&name, vec![TwinSpec::new("us")], SwitchProgram::Inside);
    let stale = inside.storage.join(&name).join("twins/us/written/root");
    std::fs::create_dir_all(&stale).unwrap();
    std::fs::write(stale.join("left-by-a-crash"), "").unwrap();
    let second = Lab::up(&inside, &|event| eprintln!("{event}")).unwrap();
    assert!(Lab::up(&inside, &|_| ()).unwrap_err().what.contains(&name));
    let (number, second_number) = (number(&held.lab), number(&second));
    assert_ne!(number, second_number);
    assert!(
        !second
            .twin("us")
            .unwrap()
            .root()
            .join("root/left-by-a-crash")
            .exists()
    );
    for lab in [&held.lab, &second] {
        assert_eq!(
            text(&ssh(lab, lab.twin("us").unwrap(), "root", "hostname").stdout),
            "us"
        );
    }
    assert!(
        traces(&name, second_number).contains("overlay"),
        "the search itself must find something"
    );
    second.down().unwrap();
    let first = held.lab.name().to_owned();
    held.lab.down().unwrap();
    assert_eq!(traces(&name, second_number), "");
    assert_eq!(traces(&first, number), "");
}

/// Started by the next test in a process of its own, which it kills.
#[test]
#[ignore = "brings up a lab and waits to be killed"]
fn operator_that_will_be_killed() {
    let Some(_held) = up("operator_that_will_be_killed", || spec("killed", 0, None)) else {
        return;
    };
    loop {
        std::thread::park();
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "starts this very test program")]
fn a_lab_outlives_a_killed_operator_and_another_process_opens_and_ends_it() {
    let name = "a_lab_outlives_a_killed_operator_and_another_process_opens_and_ends_it";
    if !possible(name) {
        return;
    }
    let _alone = alone();
    let own = std::env::current_exe().unwrap();
    let words = [
        "--exact",
        "lives::operator_that_will_be_killed",
        "--ignored",
        "--nocapture",
    ];
    let mut operator = std::process::Command::new(own).args(words).spawn().unwrap();
    let name = format!("killed-{}", operator.id());
    let started = Instant::now();
    let ready = |name: &str| {
        Lab::open(name).is_ok_and(|lab| {
            lab.twins()
                .iter()
                .all(|twin| twin.system_state().is_ok_and(|state| state == "running"))
        })
    };
    while !ready(&name) {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "the lab does not come up"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    operator.kill().unwrap();
    operator.wait().unwrap();
    let lab = Lab::open(&name).unwrap();
    assert_eq!(
        text(&ssh(&lab, lab.twin("cn").unwrap(), "root", "hostname").stdout),
        "cn"
    );
    let number = number(&lab);
    drop(lab);
    assert!(Lab::names().contains(&name));
    Lab::take_down(&name).unwrap();
    assert_eq!(traces(&name, number), "");
    assert!(Lab::open(&name).unwrap_err().why.contains("No such file"));
}
