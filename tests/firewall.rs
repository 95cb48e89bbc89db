//! The firewall against the real ufw and the kernel's own rules.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it could not try"
)]

#[path = "common/namespaces.rs"]
mod namespaces;

use geodeploy::resource::{Firewall, Protocol, Rule};
use namespaces::{Host, differing, inside, installed, run};

fn rule(name: &str, port: u16, from: Option<&str>) -> Rule {
    Rule {
        name: name.to_owned(),
        protocol: Protocol::Tcp,
        port,
        from: from.map(|from| from.parse().unwrap()),
    }
}

/// The lines of ufw's files that are not ours.
fn foreign() -> Vec<String> {
    let text = ["/etc/ufw/user.rules", "/etc/ufw/user6.rules"]
        .map(|path| std::fs::read_to_string(path).unwrap());
    let lines = text.iter().flat_map(|text| text.lines());
    let tuples = lines.filter(|line| {
        line.starts_with("### tuple") && !line.contains("comment=67656f6465706c6f793a")
    });
    tuples.map(str::to_owned).collect()
}

/// Two rules of somebody else, one of them for a way that is ours to open as well.
fn with_foreign_rules() -> (Firewall, Vec<String>) {
    run(&["ufw", "limit", "2222/tcp", "comment", "mine"]);
    run(&[
        "ufw",
        "allow",
        "proto",
        "tcp",
        "from",
        "0.0.0.0/0",
        "to",
        "any",
        "port",
        "443",
    ]);
    let theirs = foreign();
    assert_eq!(theirs.len(), 3);
    let rules = vec![
        rule("ssh", 22, Some("203.0.113.7/32")),
        rule("ssh", 22, Some("2001:db8::/32")),
        rule("http", 80, None),
        rule("https", 443, None),
    ];
    (Firewall { rules }, theirs)
}

#[test]
fn the_firewall_converges_and_sees_what_was_changed_or_lost() {
    if !inside("the_firewall_converges_and_sees_what_was_changed_or_lost")
        || !installed("/usr/sbin/ufw")
    {
        return;
    }
    let host = Host::new();
    let (firewall, theirs) = with_foreign_rules();
    host.converge(&firewall);
    run(&[
        "iptables",
        "-D",
        "ufw-user-input",
        "-p",
        "tcp",
        "--dport",
        "80",
        "-j",
        "ACCEPT",
    ]);
    assert_eq!(differing(&host.change(&firewall).unwrap()), ["loaded"]);
    host.converge(&firewall);
    run(&[
        "ufw", "delete", "allow", "proto", "tcp", "from", "::/0", "to", "any", "port", "80",
    ]);
    assert_eq!(differing(&host.change(&firewall).unwrap()), ["rules"]);
    host.converge(&firewall);
    run(&["ufw", "default", "allow", "incoming"]);
    assert_eq!(
        differing(&host.change(&firewall).unwrap())[0],
        "default_incoming"
    );
    host.converge(&firewall);
    run(&["ufw", "disable"]);
    assert_eq!(
        differing(&host.change(&firewall).unwrap()),
        ["enabled", "loaded"]
    );
    host.converge(&firewall);
    assert_eq!(foreign(), theirs);
}

#[test]
fn rules_that_are_no_longer_wanted_go_and_foreign_ones_stay() {
    if !inside("rules_that_are_no_longer_wanted_go_and_foreign_ones_stay")
        || !installed("/usr/sbin/ufw")
    {
        return;
    }
    let host = Host::new();
    let (mut firewall, theirs) = with_foreign_rules();
    host.converge(&firewall);
    firewall.rules.remove(2);
    firewall.rules[0].from = Some("198.51.100.0/24".parse().unwrap());
    host.converge(&firewall);
    assert_eq!(foreign(), theirs);
    let table = run(&["iptables", "-S", "ufw-user-input"]);
    assert!(table.contains("-s 198.51.100.0/24") && table.contains("--dport 443 "));
    assert!(
        !table.contains("203.0.113.7") && !table.contains("--dport 80 "),
        "{table}"
    );
}

#[test]
fn a_firewall_whose_ipv6_was_off_covers_both_families_afterwards() {
    if !inside("a_firewall_whose_ipv6_was_off_covers_both_families_afterwards")
        || !installed("/usr/sbin/ufw")
    {
        return;
    }
    let path = "/etc/default/ufw";
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, text.replace("IPV6=yes", "IPV6=no")).unwrap();
    run(&["ufw", "--force", "enable"]);
    let host = Host::new();
    host.converge(&Firewall {
        rules: vec![rule("http", 80, None)],
    });
    assert!(run(&["ip6tables", "-S", "ufw6-user-input"]).contains("--dport 80 "));
}
