use super::*;
use crate::agent::fixture::{Bench, Fixture};
use crate::plan::Value;

const SSH: &str =
    "### tuple ### allow tcp 22 0.0.0.0/0 any 203.0.113.7 in comment=67656f6465706c6f793a737368\n";
const HTTP: &str =
    "### tuple ### allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in comment=67656f6465706c6f793a68747470\n";
const HTTP_IPV6: &str =
    "### tuple ### allow tcp 80 ::/0 any ::/0 in comment=67656f6465706c6f793a68747470\n";

fn firewall() -> Firewall {
    let rule = |name: &str, port, from: Option<&str>| Rule {
        name: name.to_owned(),
        protocol: Protocol::Tcp,
        port,
        from: from.map(|from| from.parse().unwrap()),
    };
    Firewall {
        rules: vec![
            rule("ssh", 22, Some("203.0.113.7/32")),
            rule("http", 80, None),
        ],
    }
}

fn host(v4: &str, v6: &str) -> Bench {
    let system = Fixture::new();
    system.put("/usr/sbin/ufw", "");
    system.put(RULES, v4);
    system.put(RULES_IPV6, v6);
    system.put(STATE, "ENABLED=no\n");
    system.put(
        DEFAULTS,
        "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\n",
    );
    system.script("ufw *", "");
    Bench::new(system)
}

fn apply(bench: &Bench) -> Result<Vec<String>, Fault> {
    let change = Change::between(firewall().id(), None, Some(Attributes::new())).unwrap();
    firewall().apply(&change, &bench.context())?;
    Ok(bench.system.ran())
}

fn rules(bench: &Bench) -> Vec<String> {
    let found = firewall().inspect(&bench.context()).unwrap().unwrap();
    match found.get("rules") {
        Some(Value::List(rules)) => rules.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bare_host_gets_every_way_in_before_it_is_switched_on() {
    assert_eq!(
        apply(&host("", "")).unwrap(),
        [
            "ufw allow proto tcp from 203.0.113.7/32 to any port 22 comment geodeploy:ssh",
            "ufw allow proto tcp from any to any port 80 comment geodeploy:http",
            "ufw --force enable",
        ]
    );
}

#[test]
fn rules_read_the_same_whether_desired_or_found() {
    let bench = host(&format!("{SSH}{HTTP}"), HTTP_IPV6);
    assert_eq!(
        rules(&bench),
        [
            "22/tcp from 203.0.113.7/32 (ssh)",
            "80/tcp from everywhere (http)"
        ]
    );
    assert_eq!(apply(&bench).unwrap(), ["ufw --force enable"]);
}

#[test]
fn a_family_that_is_missing_is_named_and_added_alone() {
    let bench = host(&format!("{SSH}{HTTP}"), "");
    assert!(rules(&bench).contains(&"80/tcp from everywhere over IPv4 only (http)".to_owned()));
    let added = "ufw allow proto tcp from ::/0 to any port 80 comment geodeploy:http";
    assert_eq!(apply(&bench).unwrap()[0], added);
}

#[test]
fn our_rules_that_are_no_longer_wanted_go_last_and_foreign_ones_are_never_named() {
    let stale = SSH.replace("203.0.113.7", "198.51.100.0/24");
    let foreign = "### tuple ### allow udp 53 0.0.0.0/0 any 0.0.0.0/0 in\n";
    let bench = host(&format!("{foreign}{stale}{HTTP}"), HTTP_IPV6);
    assert_eq!(
        apply(&bench).unwrap()[..2],
        [
            "ufw allow proto tcp from 203.0.113.7/32 to any port 22 comment geodeploy:ssh",
            "ufw delete allow proto tcp from 198.51.100.0/24 to any port 22",
        ]
    );
}

#[test]
fn a_way_that_somebody_else_opened_stays_theirs() {
    let foreign = "### tuple ### allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in comment=6d696e65\n";
    let bench = host(&format!("{SSH}{foreign}"), HTTP_IPV6);
    assert_eq!(rules(&bench).len(), 2);
    assert_eq!(apply(&bench).unwrap(), ["ufw --force enable"]);
}

#[test]
fn a_foreign_rule_that_ufw_would_replace_stops_the_change_before_it_begins() {
    let foreign = "### tuple ### limit tcp 80 0.0.0.0/0 any 0.0.0.0/0 in\n";
    let bench = host(foreign, "");
    let fault = apply(&bench).unwrap_err();
    assert!(
        fault
            .hint
            .unwrap()
            .contains("ufw delete limit proto tcp from 0.0.0.0/0")
    );
    assert!(bench.system.ran().is_empty());
}

#[test]
fn ipv6_that_was_off_is_switched_on_and_the_rest_of_the_file_stays() {
    let bench = host(SSH, "");
    bench.system.put(
        DEFAULTS,
        "# hello\nIPV6=no\nDEFAULT_INPUT_POLICY=\"ACCEPT\"\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\n",
    );
    let ran = apply(&bench).unwrap();
    assert!(
        ran.contains(&"ufw default deny incoming".to_owned()),
        "{ran:?}"
    );
    let text = bench.system.text(DEFAULTS).unwrap();
    assert!(
        text.starts_with("# hello\n") && text.ends_with("IPV6=yes\n") && !text.contains("IPV6=no")
    );
}

#[test]
fn a_rule_that_the_kernel_has_lost_is_loaded_again() {
    let v4 = format!("{SSH}-A ufw-user-input -p tcp --dport 22 -s 203.0.113.7 -j ACCEPT\n");
    let bench = host(&v4, "");
    bench.system.put(STATE, "ENABLED=yes\n");
    let chains = |prefix: &str| {
        format!(
            ":INPUT DROP [0:0]\n-A INPUT -j {prefix}-before-input\n-A {prefix}-before-input -j {prefix}-user-input\n"
        )
    };
    bench.system.script("iptables-save *", &chains("ufw"));
    bench.system.script("ip6tables-save *", &chains("ufw6"));
    let found = firewall().inspect(&bench.context()).unwrap().unwrap();
    assert_eq!(found.get("loaded"), Some(&Value::Text("no".to_owned())));
    assert_eq!(apply(&bench).unwrap().last().unwrap(), "ufw reload");
}
