//! Twins boot, are reached over their links, keep what they should and leave nothing behind.

#[path = "common/lab.rs"]
mod common;
#[path = "common/traffic.rs"]
mod traffic;

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::{possible, run, spec, spread, ssh, up};
use geodeploy::rehearse::base::Suite;
use geodeploy::rehearse::{Lab, LabSpec, Shape, SwitchProgram, Twin, TwinSpec};
use traffic::{connects, download, pings, upload};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[test]
fn two_twins_boot_and_take_the_operators_key() {
    let Some(held) = up("two_twins_boot_and_take_the_operators_key", || {
        spec("boot", 0, None)
    }) else {
        return;
    };
    let lab = &held.lab;
    for twin in lab.twins() {
        assert_eq!(twin.system_state().unwrap(), "running");
        let output = ssh(lab, twin, "root", "hostname");
        assert_eq!(text(&output.stdout), twin.name, "{output:?}");
        let output = ssh(lab, twin, "admin", "sudo -n id -u");
        assert_eq!(text(&output.stdout), "0", "{output:?}");
    }
    let (us, cn) = (lab.twin("us").unwrap(), lab.twin("cn").unwrap());
    assert_ne!(us.host_key().unwrap(), cn.host_key().unwrap());
    assert_ne!(
        us.exec(["cat", "/etc/machine-id"]).unwrap(),
        cn.exec(["cat", "/etc/machine-id"]).unwrap()
    );
    let outside = us.exec(["ip", "route", "get", "192.0.2.1"]).unwrap();
    assert!(
        !outside.success(),
        "a twin must have no way out: {outside:?}"
    );
}

#[test]
fn links_have_the_round_trip_and_the_bandwidth_that_were_asked_for() {
    let name = "links_have_the_round_trip_and_the_bandwidth_that_were_asked_for";
    let Some(held) = up(name, || spec("links", 180, None)) else {
        return;
    };
    let (us, cn) = (held.lab.twin("us").unwrap(), held.lab.twin("cn").unwrap());
    let operator = held.lab.operator();
    let near = |what: &str, times: Vec<f64>, wanted: f64| {
        let (least, median, most) = spread(times);
        eprintln!("{what}: {least:.2} / {median:.2} / {most:.2} ms");
        assert!(
            (median - wanted).abs() < 2.0,
            "{what}: {median} ms instead of {wanted}"
        );
    };
    near("operator-cn, connect", connects(cn, 9), 180.0);
    near(
        "cn-operator, ping",
        pings(cn, &operator.ipv4.to_string(), 9),
        180.0,
    );
    near(
        "cn-operator, ping IPv6",
        pings(cn, &operator.ipv6.to_string(), 9),
        180.0,
    );
    near("us-cn, ping", pings(us, "cn", 9), 180.0);
    near("cn-mirror, ping", pings(cn, "mirror", 9), 0.0);
    held.lab
        .link("operator", "us")
        .set(Shape::new(Duration::from_millis(20), None))
        .unwrap();
    near("operator-us, connect", connects(us, 9), 20.0);
    near("operator-cn, connect", connects(cn, 9), 180.0);
    held.lab
        .link("operator", "cn")
        .set(Shape::new(Duration::from_millis(180), Some(5.0)))
        .unwrap();
    let (down, up) = (
        download(&held.lab, cn, 3_000_000),
        upload(&held.lab, cn, 3_000_000),
    );
    eprintln!("5 Mbit/s: down {down:.2}, up {up:.2}");
    assert!(
        (4.0..5.0).contains(&down) && (4.0..5.0).contains(&up),
        "{down} {up}"
    );
}

#[test]
fn an_unshaped_link_is_no_bottleneck_and_an_idle_switch_sleeps() {
    let name = "an_unshaped_link_is_no_bottleneck_and_an_idle_switch_sleeps";
    let Some(held) = up(name, || spec("fast", 0, None)) else {
        return;
    };
    let us = held.lab.twin("us").unwrap();
    let (down, up) = (
        download(&held.lab, us, 100_000_000),
        upload(&held.lab, us, 100_000_000),
    );
    eprintln!(
        "unshaped: down {down:.0} Mbit/s, up {up:.0} Mbit/s; {:?}",
        spread(connects(us, 50))
    );
    assert!(down > 200.0 && up > 200.0, "{down} {up}");
    let ticks = || -> u64 {
        let pids = run(&[
            "sh",
            "-c",
            &format!(
                "cat /sys/fs/cgroup/geodeploy-rehearsal/{0}/switch/cgroup.procs \
            /sys/fs/cgroup/unified/geodeploy-rehearsal/{0}/switch/cgroup.procs 2>/dev/null",
                held.lab.name()
            ),
        ]);
        let pid = text(&pids.stdout);
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<_> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let before = ticks();
    std::thread::sleep(Duration::from_secs(5));
    let used = ticks() - before;
    eprintln!("idle switch: {used} ticks of 10 ms in 5 s");
    assert!(used <= 5, "{used} ticks in 5 s");
}

#[test]
fn a_twin_installs_packages_through_the_mirror() {
    let Some(held) = up("a_twin_installs_packages_through_the_mirror", || {
        spec("apt", 180, Some(5.0))
    }) else {
        return;
    };
    let cn = held.lab.twin("cn").unwrap();
    let started = Instant::now();
    let update = cn.exec(["apt-get", "-q", "update"]).unwrap();
    assert!(
        update.success() && !update.stderr.contains("W:"),
        "{update:?}"
    );
    eprintln!("apt-get update: {:.1} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let install = cn.exec(["apt-get", "-q", "-y", "install", "tree"]).unwrap();
    assert!(install.success(), "{install:?}");
    eprintln!(
        "apt-get install tree: {:.1} s",
        started.elapsed().as_secs_f64()
    );
    assert!(cn.exec(["tree", "--version"]).unwrap().success());
    let (folder, url) = held.lab.archives();
    std::fs::write(folder.join("note.txt"), "made for the rehearsal").unwrap();
    let fetched = cn
        .exec(["curl", "-sf", &format!("{url}/note.txt")])
        .unwrap();
    assert_eq!(fetched.stdout, "made for the rehearsal");
}

#[test]
fn a_cut_or_stalled_link_goes_on_when_it_is_restored() {
    let Some(held) = up("a_cut_or_stalled_link_goes_on_when_it_is_restored", || {
        spec("cut", 20, None)
    }) else {
        return;
    };
    let (lab, cn) = (&held.lab, held.lab.twin("cn").unwrap());
    let link = lab.link("operator", "cn");
    for stall in [false, true] {
        let mut stream = TcpStream::connect(cn.ssh()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(600)))
            .unwrap();
        let mut banner = [0; 8];
        if stall {
            link.stall().unwrap()
        } else {
            link.cut().unwrap()
        }
        let silent = loop {
            match stream.read(&mut banner) {
                Ok(0) => panic!("closed"),
                Ok(_) => {}
                Err(why) => break why,
            }
        };
        assert_eq!(silent.kind(), std::io::ErrorKind::WouldBlock);
        assert!(TcpStream::connect_timeout(&cn.ssh(), Duration::from_millis(300)).is_err());
        let us = lab.twin("us").unwrap();
        assert_eq!(connects(us, 1).len(), 1, "the other link goes on");
        link.restore().unwrap();
        std::io::Write::write_all(&mut stream, b"SSH-2.0-probe\r\n").unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        assert!(
            stream.read(&mut banner).unwrap() > 0,
            "the same connection goes on"
        );
    }
    link.lose(0.2).unwrap();
    let before = lost(lab);
    let lossy = cn
        .exec([
            "ping",
            "-n",
            "-q",
            "-c",
            "100",
            "-i",
            "0.01",
            &lab.operator().ipv4.to_string(),
        ])
        .unwrap();
    assert!(lost(lab) - before > 10, "{lossy:?}");
}

fn lost(lab: &Lab) -> u64 {
    lab.counters()
        .unwrap()
        .iter()
        .map(|entry| entry.counters.lost)
        .sum()
}

#[test]
fn counters_tell_the_round_trips_of_an_ssh_command() {
    let Some(held) = up("counters_tell_the_round_trips_of_an_ssh_command", || {
        spec("count", 180, None)
    }) else {
        return;
    };
    let (lab, cn) = (&held.lab, held.lab.twin("cn").unwrap());
    lab.reset_counters().unwrap();
    let started = Instant::now();
    assert!(ssh(lab, cn, "root", "true").status.success());
    let taken = started.elapsed().as_secs_f64() / 0.18;
    let counters = lab.counters().unwrap();
    let longest = counters
        .iter()
        .filter(|entry| entry.from == "cn" || entry.to == "cn")
        .map(|entry| entry.chain)
        .max();
    let counted = longest.unwrap() as f64 / 2.0;
    eprintln!("ssh true: {counted} round trips counted, {taken:.1} by the clock");
    assert!(
        (6.0..13.0).contains(&counted) && (counted - taken).abs() < 4.0,
        "{counted} {taken}"
    );
    assert!(
        counters.iter().all(|entry| entry.from != "us"),
        "{counters:?}"
    );
}

fn file_is(twin: &Twin, path: &str, wanted: Option<&str>) {
    let output = twin.exec(["cat", path]).unwrap();
    assert_eq!(
        output.success().then(|| output.stdout.trim()),
        wanted,
        "{path}"
    );
}

fn write(twin: &Twin, path: &str, text: &str) {
    assert!(twin.exec_with(["tee", path], text).unwrap().success());
}

#[test]
fn files_survive_a_power_cut_and_a_reboot_and_a_snapshot_brings_them_back() {
    let name = "files_survive_a_power_cut_and_a_reboot_and_a_snapshot_brings_them_back";
    let Some(held) = up(name, || spec("power", 0, None)) else {
        return;
    };
    let us = held.lab.twin("us").unwrap();
    let key = us.host_key().unwrap();
    write(us, "/root/note", "one");
    us.power_off().unwrap();
    assert_eq!(us.leader(), None);
    assert!(TcpStream::connect_timeout(&us.ssh(), Duration::from_millis(500)).is_err());
    us.boot().unwrap();
    let again = us.wait_ready(Duration::from_secs(30)).unwrap();
    file_is(us, "/root/note", Some("one"));
    let reboot = us.reboot().unwrap();
    file_is(us, "/root/note", Some("one"));
    assert_eq!(us.host_key().unwrap(), key);
    us.snapshot("clean").unwrap();
    write(us, "/root/note", "two");
    write(us, "/root/more", "three");
    assert!(
        us.exec(["rm", "-r", "/etc/apt/apt.conf.d"])
            .unwrap()
            .success()
    );
    let started = Instant::now();
    us.restore("clean").unwrap();
    eprintln!(
        "boot {again:.1?}, reboot {reboot:.1?}, restore {:.1?}",
        started.elapsed()
    );
    file_is(us, "/root/note", Some("one"));
    file_is(us, "/root/more", None);
    assert!(
        us.exec(["test", "-f", "/etc/apt/apt.conf.d/00rehearsal"])
            .unwrap()
            .success()
    );
    assert!(ssh(&held.lab, us, "root", "true").status.success());
}

/// Everything on this machine that carries a lab's mark.
fn traces(name: &str) -> String {
    let script = format!(
        "ip netns list | grep ^gd; ip -o link | grep -E ' gd[0-9]+-'; grep {name} /proc/mounts; \
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
    let second = Lab::up(&inside, &|event| eprintln!("{event}")).unwrap();
    assert!(
        Lab::up(&inside, &|_| ())
            .unwrap_err()
            .remedy
            .contains(&name)
    );
    assert_ne!(second.operator().ipv4, held.lab.operator().ipv4);
    for lab in [&held.lab, &second] {
        assert_eq!(
            text(&ssh(lab, lab.twin("us").unwrap(), "root", "hostname").stdout),
            "us"
        );
    }
    assert!(
        traces(&name).contains("overlay"),
        "the search itself must find something"
    );
    second.down().unwrap();
    let first = held.lab.name().to_owned();
    held.lab.down().unwrap();
    assert_eq!(traces(&name), "");
    assert_eq!(traces(&first), "");
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
    let own = std::env::current_exe().unwrap();
    let words = [
        "--exact",
        "operator_that_will_be_killed",
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
    drop(lab);
    assert!(Lab::names().contains(&name));
    Lab::take_down(&name).unwrap();
    assert_eq!(traces(&name), "");
    assert!(Lab::open(&name).unwrap_err().why.contains("No such file"));
}

#[test]
#[ignore = "builds a second base system, which takes a minute"]
fn a_bullseye_twin_boots_and_installs() {
    let older = || {
        let mut spec = spec("older", 0, None);
        spec.twins[1].suite = Suite::Bullseye;
        spec
    };
    let Some(held) = up("a_bullseye_twin_boots_and_installs", older) else {
        return;
    };
    let cn = held.lab.twin("cn").unwrap();
    let release = cn.exec(["cat", "/etc/os-release"]).unwrap().stdout;
    assert!(release.contains("VERSION_CODENAME=bullseye"), "{release}");
    assert_eq!(
        text(&ssh(&held.lab, cn, "admin", "sudo -n id -u").stdout),
        "0"
    );
    assert!(
        cn.exec([
            "sh",
            "-c",
            "apt-get -q update && apt-get -q -y install nginx"
        ])
        .unwrap()
        .success()
    );
    assert_eq!(
        text(&ssh(&held.lab, cn, "root", "systemctl is-active nginx").stdout),
        "active"
    );
}
