//! `geodeploy dns verify` against real name servers on loopback: Knot DNS as the zones' servers and as the zone above.

#![expect(clippy::unwrap_used, reason = "a test's helper fails as its test does")]

mod broken;
mod knot;
mod public;
mod world;

use world::{Plan, World};

#[test]
fn every_server_is_found_and_asked_over_udp_and_tcp_for_thirty_clients() {
    let Some(world) = World::start(Plan::default()) else {
        return;
    };
    let run = world.verify(&[]);
    assert_eq!(run.status, 0, "{}", run.all());
    let geo = run.finding("geo", "ok");
    assert_eq!(geo["told"], "api.yourapp.com: 30 clients get their region");
    assert_eq!(geo["clients"].as_array().unwrap().len(), 30);
    let servers = geo["servers"].to_string();
    for address in world.geo_servers() {
        assert!(servers.contains(&address), "{address} in {servers}");
    }
    let hosts = run.finding("hosts", "ok");
    let told = hosts["told"].as_str().unwrap();
    assert!(
        told.contains("us.yourapp.com") && told.contains("cn-server.yourapp.com"),
        "{told}"
    );
    run.finding("agreement", "ok");
    run.finding("ttl", "ok");
    assert_eq!(run.findings("delegation", "ok").len(), 2);

    // Each question arrived over both transports: what the server counted.
    for server in [&world.us, &world.cn] {
        for transport in ["udp4", "tcp4"] {
            let count = server.counted(transport);
            assert!(count >= 60, "{transport}: {count}");
        }
    }
    let table = world.table(&[]);
    assert!(table.contains("ok    geo"), "{table}");
}

#[test]
fn servers_with_different_data_are_reported_with_clients_and_servers() {
    let plan = Plan {
        cn_instead: vec![("49.96.0.0/24", "127.0.0.2")],
        ..Plan::default()
    };
    let Some(world) = World::start(plan) else {
        return;
    };
    let run = world.verify(&[]);
    assert_eq!(run.status, 2, "{}", run.all());
    let geo = run.finding("geo", "differs");
    let told = "api.yourapp.com A is answered with us (127.0.0.2) instead of cn (127.0.0.3)";
    assert_eq!(geo["told"], told);
    assert_eq!(geo["clients"], serde_json::json!(["49.96.0.0/24 JP"]));
    let server = format!("cn.yourapp.com (127.0.0.3:{})", world.port);
    assert_eq!(geo["servers"], serde_json::json!([server]));
    let split = run.finding("agreement", "differs");
    assert!(
        split["told"]
            .as_str()
            .unwrap()
            .contains("has several answers")
    );
}

#[test]
fn an_address_outside_of_the_inventory_is_an_alarm() {
    let plan = Plan {
        cn_instead: vec![("58.32.0.0/24", "8.7.198.45")],
        ..Plan::default()
    };
    let Some(world) = World::start(plan) else {
        return;
    };
    let run = world.verify(&[]);
    assert_eq!(run.status, 2, "{}", run.all());
    let alarm = run.finding("foreign", "differs");
    let told = alarm["told"].as_str().unwrap();
    assert!(
        told.contains("8.7.198.45, which nobody in the inventory has"),
        "{told}"
    );
    assert_eq!(alarm["clients"], serde_json::json!(["58.32.0.0/24 CN"]));
    assert!(alarm["hint"].as_str().unwrap().contains("forged"));
}

#[test]
fn a_ttl_that_is_too_long_or_zero_is_reported() {
    for ttl in [3600, 0] {
        let plan = Plan {
            cn_ttl: ttl,
            ..Plan::default()
        };
        let Some(world) = World::start(plan) else {
            return;
        };
        let run = world.verify(&[]);
        assert_eq!(run.status, 2, "{}", run.all());
        let told = run.finding("ttl", "differs")["told"].to_string();
        assert!(
            told.contains(&format!("TTL {ttl} s instead of 60 s")),
            "{told}"
        );
    }
}

#[test]
fn a_stale_delegation_of_the_zone_above_is_reported() {
    let plan = Plan {
        delegated: vec!["us.yourapp.com", "old.yourapp.com"],
        ..Plan::default()
    };
    let Some(world) = World::start(plan) else {
        return;
    };
    let run = world.verify(&[]);
    // The old server does not answer any more.
    assert_eq!(run.status, 4, "{}", run.all());
    let told: Vec<String> = run
        .findings("delegation", "differs")
        .iter()
        .map(|finding| finding["told"].to_string())
        .collect();
    assert!(
        told.iter().any(|told| told.contains("is stale")),
        "{told:?}"
    );
    let instead =
        "yourapp.com delegates api.yourapp.com to old.yourapp.com and us.yourapp.com instead of";
    assert!(told.iter().any(|told| told.contains(instead)), "{told:?}");
    // The server that only the zone itself names was asked all the same.
    assert!(
        run.finding("geo", "ok")["servers"]
            .to_string()
            .contains("127.0.0.3")
    );
}

#[test]
fn a_server_that_is_down_is_told_within_its_bound_and_ends_with_4() {
    let Some(mut world) = World::start(Plan::default()) else {
        return;
    };
    world.cn.stop();
    let run = world.verify(&[]);
    assert_eq!(run.status, 4, "{}", run.all());
    let told = run.finding("servers", "unreachable")["told"].to_string();
    assert!(told.contains("no DNS server there"), "{told}");
    assert_eq!(run.documents[1]["error"]["exit"], 4);
    assert!(
        run.finding("geo", "ok")["servers"]
            .to_string()
            .contains("127.0.0.2")
    );
}

#[test]
fn servers_that_ignore_the_clients_network_are_a_warning_and_no_failure() {
    let plan = Plan {
        client_subnet: false,
        ..Plan::default()
    };
    let Some(world) = World::start(plan) else {
        return;
    };
    let run = world.verify(&[]);
    assert_eq!(run.status, 0, "{}", run.all());
    let told = run.finding("client-subnet", "warning")["told"].to_string();
    assert!(
        told.contains("is answered by the resolver's own address"),
        "{told}"
    );
}

#[test]
fn before_a_name_is_delegated_its_servers_are_asked_by_hand() {
    let plan = Plan {
        delegated: Vec::new(),
        ..Plan::default()
    };
    let Some(world) = World::start(plan) else {
        return;
    };
    let run = world.verify(&[]);
    assert_eq!(run.status, 2, "{}", run.all());
    let told = run.finding("delegation", "differs")["told"].to_string();
    assert!(
        told.contains("yourapp.com does not delegate api.yourapp.com"),
        "{told}"
    );
    let run = world.verify(&["--name-server", "127.0.0.2", "--name-server", "127.0.0.3"]);
    assert_eq!(run.status, 0, "{}", run.all());
    assert_eq!(
        run.finding("geo", "ok")["clients"]
            .as_array()
            .unwrap()
            .len(),
        30
    );
}

#[test]
fn verify_shows_in_a_line_what_a_regions_clients_are_answered() {
    let Some(world) = World::start(Plan::default()) else {
        return;
    };
    let run = world.run(&["--json", "--timeout", "2", "verify", "cn"]);
    let checks = run.documents[0]["verified"].as_array().unwrap().clone();
    let names = checks
        .iter()
        .find(|check| check["check"] == "names")
        .unwrap();
    assert_eq!(names["result"], "ok", "{}", run.all());
    assert_eq!(names["region"], "cn");
    let told = names["told"].as_str().unwrap();
    assert!(
        told.starts_with("api.yourapp.com: 12 clients get their region"),
        "{told}"
    );
}
