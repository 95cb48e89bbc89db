use std::fmt::Write as _;
use std::time::Duration;

use geodeploy::dns::networks::Networks;
use geodeploy::inventory::Inventory;

use crate::server::{NAME, Server, free_port, has, inventory, run, start};
use crate::subnets::SAMPLES;

/// The first address of a network.
fn address(subnet: &str) -> std::net::IpAddr {
    subnet.split('/').next().unwrap().parse().unwrap()
}

#[test]
fn gdnsd_answers_35_sample_subnets_over_udp_and_tcp_as_the_country_table_says() {
    let test = "gdnsd answers 35 sample subnets";
    if !has("gdnsd", test) || !has("dig", test) {
        return;
    }
    let inventory = inventory();
    let routing = inventory.dns.as_ref().unwrap().routing.clone();
    let networks = Networks::load(&inventory).unwrap();
    let server = Server::start(inventory);
    assert_eq!(server.ttl("1.0.1.0/24"), Some(60));
    for (subnet, country, region) in SAMPLES {
        let found = networks.country_of(address(subnet)).unwrap();
        assert_eq!(found.code(), country, "{subnet}");
        assert_eq!(routing.region(found).0.as_str(), region, "{subnet}");
        let wanted = server.addresses[usize::from(region == "cn")].to_string();
        assert_eq!(server.a(subnet).concat(), wanted, "{subnet} over UDP");
        assert_eq!(
            server.ask(subnet, &["A", "+short", "+tcp"]),
            [wanted],
            "{subnet} over TCP"
        );
    }
}

#[test]
fn clients_of_no_known_network_get_the_default_and_no_client_a_foreign_regions_ipv6() {
    let test = "clients of no known network get the default";
    if !has("gdnsd", test) || !has("dig", test) {
        return;
    }
    let mut inventory = inventory();
    inventory.regions[0].addresses.ipv6 = "2001:db8::10".parse().ok();
    inventory.regions[1].addresses.ipv6 = None;
    let server = Server::start(inventory);
    let us = server.addresses[0].to_string();
    for nobodys in ["10.1.2.0/24", "192.0.2.0/24", "3000:1::/56", "0.0.0.0/0"] {
        assert_eq!(server.a(nobodys).concat(), us, "{nobodys}");
    }
    assert_eq!(
        server.ask("8.8.8.0/24", &["AAAA", "+short"]),
        ["2001:db8::10"]
    );
    assert!(server.ask("1.0.1.0/24", &["AAAA", "+short"]).is_empty());
    let servers = server.ask("1.0.1.0/24", &["NS", "+short"]);
    assert_eq!(servers.len(), 2, "{servers:?}");
    for name in ["us.yourapp.com.", "cn.yourapp.com."] {
        assert!(servers.contains(&name.to_owned()), "{servers:?}");
    }
    // How much of the address decided: a resolver may keep the answer for as many clients.
    let scope = server.ask("1.0.1.0/24", &["A"]).join("\n");
    assert!(scope.contains("CLIENT-SUBNET: 1.0.1.0/24/"), "{scope}");
    assert!(!scope.contains("CLIENT-SUBNET: 1.0.1.0/24/0"), "{scope}");
}

/// The country table for knot, network by network, nothing merged and nothing left out.
fn for_knot(inventory: &Inventory, addresses: [std::net::Ipv4Addr; 2]) -> String {
    let routing = &inventory.dns.as_ref().unwrap().routing;
    let table = Networks::load(inventory)
        .unwrap()
        .table(&Default::default());
    let mut text = format!("{NAME}:\n  - net: 0.0.0.0/0\n    A: {}\n", addresses[0]);
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let (network, code) = line.split_once(',').unwrap();
        let region = match code {
            "AP" => "cn",
            "NA" | "EU" | "SA" | "AF" => "us",
            code => routing.region(code.parse().unwrap()).0.as_str(),
        };
        let address = addresses[usize::from(region == "cn")];
        writeln!(text, "  - net: {network}\n    A: {address}").unwrap();
    }
    text
}

#[test]
fn knot_with_the_unmerged_table_and_gdnsd_with_the_merged_one_say_the_same() {
    let test = "knot and gdnsd say the same";
    if !has("gdnsd", test) || !has("dig", test) || !has("knotd", test) {
        return;
    }
    let server = Server::start(inventory());
    let folder = tempfile::tempdir().unwrap();
    let at = server.addresses[0];
    let port = free_port(at);
    let place = folder.path().display();
    std::fs::write(
        folder.path().join("geo.conf"),
        for_knot(&inventory(), server.addresses),
    )
    .unwrap();
    let zone = format!(
        "{NAME}. 60 SOA us.yourapp.com. h.yourapp.com. 1 7200 900 1209600 60\n{NAME}. 60 NS us.yourapp.com.\n"
    );
    std::fs::write(folder.path().join("zone"), zone).unwrap();
    let config = format!(
        "server:\n  listen: {at}@{port}\n  rundir: {place}\n  edns-client-subnet: on\ndatabase:\n  storage: {place}\n\
         mod-geoip:\n  - id: geo\n    config-file: {place}/geo.conf\n    ttl: 60\n    mode: subnet\n\
         zone:\n  - domain: {NAME}\n    file: {place}/zone\n    module: mod-geoip/geo\n"
    );
    let file = folder.path().join("knot.conf");
    std::fs::write(&file, config).unwrap();
    let mut knot = start(&["knotd", "-c", &file.display().to_string()]);
    let ask = |subnet: &str| {
        let (server, port) = (format!("@{at}"), port.to_string());
        let subnet = format!("+subnet={subnet}");
        let output = run(&[
            "dig", "+time=1", "+tries=1", "+short", &server, "-p", &port, NAME, "A", &subnet,
        ]);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let up = server.until(Duration::from_secs(15), |_| {
        ask("8.8.8.0/24") == [server.addresses[0].to_string()]
    });
    let differ: Vec<String> = SAMPLES
        .iter()
        .filter(|(subnet, _, _)| server.a(subnet) != ask(subnet))
        .map(|(subnet, _, _)| {
            format!(
                "{subnet}: gdnsd {:?}, knot {:?}",
                server.a(subnet),
                ask(subnet)
            )
        })
        .collect();
    knot.kill().unwrap();
    knot.wait().unwrap();
    up.expect("knot did not answer");
    assert!(differ.is_empty(), "{differ:?}");
}
