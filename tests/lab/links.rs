//! Delay, bandwidth, faults and counters, measured with the kernel's own TCP.

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use geodeploy::rehearse::{Lab, Shape};

use crate::common::{run, spec, spread, ssh, text, up};
use crate::traffic::{connects, download, pings, upload};

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
        // A busy machine makes single times longer, and none shorter: the least is the link's own.
        assert!(
            (-0.1..2.0).contains(&(least - wanted)),
            "{what}: {least} ms instead of {wanted}"
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
    near(
        "us-cn, first ping",
        pings(us, &cn.endpoint.ipv4.to_string(), 1),
        180.0,
    );
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
            link.stall().unwrap();
        } else {
            link.cut().unwrap();
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
    // Nagle's rule and delayed acknowledgements cost time that no message accounts for: up to 0.3 s each.
    assert!(
        (7.0..12.0).contains(&counted) && counted <= taken && taken < counted + 8.0,
        "{counted} {taken}"
    );
    assert!(
        counters
            .iter()
            .all(|entry| entry.from != "us" || entry.chain == 0),
        "{counters:?}"
    );
}
