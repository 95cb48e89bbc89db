//! Who is let in, and who is never locked out.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::Test;
use super::fixture::Twins;
use super::operator::{Operator, copy};

pub(crate) const TESTS: &[Test] = &[
    (
        "the firewall lets in who it should over IPv4 and IPv6",
        the_firewall_lets_in_who_it_should_over_ipv4_and_ipv6,
    ),
    (
        "a plan that would lock the operator out is refused",
        a_plan_that_would_lock_the_operator_out_is_refused,
    ),
    (
        "a firewall change that no fresh connection confirms is undone",
        a_firewall_change_that_no_fresh_connection_confirms_is_undone,
    ),
];

/// A port that only the firewall closes.
const LISTENING: u16 = 8001;

fn answers(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok()
}

/// Whether a port of one twin answers another twin.
fn answers_the_other(twins: &Twins, from: &str, address: SocketAddr) -> bool {
    let (host, port) = (address.ip(), address.port());
    let dial = format!("timeout 2 bash -c '</dev/tcp/{host}/{port}'");
    twins
        .twin(from)
        .exec(["sh", "-c", &dial])
        .unwrap()
        .success()
}

fn the_firewall_lets_in_who_it_should_over_ipv4_and_ipv6(twins: &Twins) {
    let _near = twins.near("us");
    let listen = format!(
        "systemd-run --quiet --collect --unit=listening systemd-socket-activate --accept --inetd --listen=[::]:{LISTENING} cat"
    );
    twins.shell("us", &listen);
    twins.shell("us", "ufw --force disable");
    for port in [22, LISTENING] {
        for address in twins.addresses("us", port) {
            assert!(answers(address), "{address} without a firewall");
            assert!(
                answers_the_other(twins, "cn", address),
                "{address} without a firewall, from cn"
            );
        }
    }
    assert_eq!(twins.operator.plan("us"), ["firewall ufw"]);
    assert_eq!(twins.operator.provision("us"), 1);
    let expected = [
        (22, true, false),
        (80, true, true),
        (8000, false, false),
        (LISTENING, false, false),
    ];
    // A port that does not answer is waited for: all at once.
    std::thread::scope(|scope| {
        for (port, operator, other) in expected {
            for address in twins.addresses("us", port) {
                scope.spawn(move || assert_eq!(answers(address), operator, "{address}"));
                scope.spawn(move || {
                    assert_eq!(
                        answers_the_other(twins, "cn", address),
                        other,
                        "{address} from cn"
                    );
                });
            }
        }
    });
    twins.shell("us", "systemctl stop listening");
    assert_eq!(twins.operator.plan("us"), Vec::<String>::new());
}

/// An operator whose inventory has these lines in its firewall section, and none of ours of the same names.
fn with_firewall(twins: &Twins, name: &str, change: impl FnOnce(&mut toml_edit::Item)) -> Operator {
    let path = copy(&twins.operator.inventory, name, |text| {
        let mut document: toml_edit::DocumentMut = text.parse().unwrap();
        change(&mut document["firewall"]);
        document.to_string()
    });
    twins.operator.with(path)
}

fn rules(twins: &Twins, region: &str) -> String {
    twins.shell(region, "ufw status verbose; iptables -S ufw-user-input; ip6tables -S ufw6-user-input; sha256sum /etc/ufw/*.rules")
}

fn a_plan_that_would_lock_the_operator_out_is_refused(twins: &Twins) {
    let before = rules(twins, "us");
    let operator = with_firewall(twins, "locked-out.toml", |firewall| {
        firewall["administrators"] =
            toml_edit::value(toml_edit::Array::from_iter(["192.0.2.0/24"]));
    });
    let ran = operator.run(&["provision", "us"]).expect(65);
    ran.says(&[
        "lock you out",
        &twins.lab.operator().ipv4.to_string(),
        "firewall.administrators",
    ]);
    assert_eq!(rules(twins, "us"), before);
}

fn a_firewall_change_that_no_fresh_connection_confirms_is_undone(twins: &Twins) {
    let window = 4;
    let operator = with_firewall(twins, "one-more-administrator.toml", |firewall| {
        firewall["confirm_within"] = toml_edit::value(format!("{window}s"));
        firewall["administrators"]
            .as_array_mut()
            .unwrap()
            .push("192.0.2.0/24");
    });
    let before = rules(twins, "cn");
    operator.run(&["plan", "cn"]).expect(2);
    let mut cut = None;
    let ran = operator.watch(&["provision", "cn"], |line, _| {
        if line.contains("confirming the firewall") {
            assert_ne!(rules(twins, "cn"), before, "nothing to confirm");
            twins.lab.link("operator", "cn").cut().unwrap();
            cut = Some(Instant::now());
            while rules(twins, "cn") != before {
                assert!(
                    cut.unwrap().elapsed() < Duration::from_secs(window + 10),
                    "not undone"
                );
                std::thread::sleep(Duration::from_millis(100));
            }
            let took = cut.unwrap().elapsed().as_secs_f64();
            eprintln!("undone {took:.1} s after the link was cut");
            twins.lab.link("operator", "cn").restore().unwrap();
        }
    });
    assert!(cut.is_some(), "{ran}");
    let ran = ran.expect(3);
    ran.says(&["the firewall change was undone", "no fresh connection"]);
    assert_eq!(rules(twins, "cn"), before);
    let left = twins.shell("cn", "ls /etc/systemd/system; ls /var/lib/geodeploy/undo");
    assert!(!left.contains("undo") && !left.contains("armed"), "{left}");
    assert_eq!(twins.operator.plan("cn"), Vec::<String>::new());
    assert_eq!(twins.operator.status("cn")["busy"], serde_json::Value::Null);
}
