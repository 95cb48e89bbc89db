//! `geodeploy dns` as far as it reaches nobody.

use crate::sandbox::Sandbox;

/// A project with that `[dns]`.
fn project(dns: &str) -> Sandbox {
    let sandbox = Sandbox::new().project();
    let file = sandbox.path("geodeploy.toml");
    let inventory = std::fs::read_to_string(&file).unwrap();
    let routing = "[dns.routing]\ndefault = \"us\"\ncontinents = { NA = \"us\", AS = \"cn\" }\n";
    let inventory = format!("{inventory}\n[dns]\n{dns}\n{routing}countries = {{ AU = \"cn\" }}\n");
    std::fs::write(&file, inventory).unwrap();
    sandbox
}

#[test]
fn the_help_of_every_action_is_as_reviewed() {
    let sandbox = Sandbox::new();
    let mut pages = String::new();
    for action in [
        "plan", "sync", "rollback", "status", "route", "drain", "networks",
    ] {
        let page = sandbox.run(&["dns", action, "--help"]).out();
        let own = page.split("\nGlobal options:").next().unwrap();
        pages += &format!("---- dns {action} ----\n{own}\n");
    }
    insta::assert_snapshot!("dns_help", pages);
}

#[test]
fn without_the_section_the_error_says_how_to_write_it() {
    let sandbox = Sandbox::new().project();
    for arguments in [&["dns", "plan"][..], &["dns", "route", "--country", "JP"]] {
        let run = sandbox.run(arguments);
        assert_eq!(run.status(), 64, "{}", run.err());
        assert!(run.err().contains("[dns]"), "{}", run.err());
    }
}

#[test]
fn route_says_which_region_serves_a_country_and_why() {
    let sandbox = project("provider = \"embedded\"");
    for (code, told) in [
        ("CN", "CN (China, Asia) -> cn, by its continent's entry\n"),
        (
            "au",
            "AU (Australia, Oceania) -> cn, by the country's own entry\n",
        ),
        (
            "DE",
            "DE (Germany, Europe) -> us, by default: neither the country nor its continent is named\n",
        ),
    ] {
        let run = sandbox.run(&["dns", "route", "--country", code]);
        assert_eq!(
            (run.status(), run.out().as_str()),
            (0, told),
            "{}",
            run.err()
        );
    }
    let run = sandbox.run(&["dns", "route", "--country", "JP", "--json"]);
    let route = &run.documents()[0]["dns-route"];
    assert_eq!(
        (&route["region"], &route["why"]),
        (&"cn".into(), &"continent".into())
    );
    let run = sandbox.run(&["dns", "route", "--country", "UK"]);
    assert_eq!(run.status(), 64);
    assert!(
        run.err().contains("`UK` is not the code of a country"),
        "{}",
        run.err()
    );
}

#[test]
fn what_is_entered_by_hand_is_shown_as_lines_of_a_zone_file() {
    let sandbox = project("provider = \"manual\"");
    let plan = sandbox.run(&["dns", "plan"]);
    let lines: Vec<String> = plan.out().lines().map(squeezed).collect();
    for line in [
        "us.yourapp.com. 60 IN A 203.0.113.10",
        "us.yourapp.com. 60 IN AAAA 2001:db8:1::10",
        "cn-server.yourapp.com. 60 IN A 198.51.100.20",
    ] {
        assert!(
            lines.iter().any(|found| found == line),
            "{line} in {lines:?}"
        );
    }
    assert!(!plan.out().contains("api.yourapp.com"));
    let records = &sandbox.run(&["dns", "sync", "--json"]).documents()[0]["dns-records"];
    assert_eq!(records.as_array().unwrap().len(), 6, "{records}");
    let back = sandbox.run(&["dns", "rollback"]);
    assert_eq!(back.status(), 64);
    assert!(back.err().contains("changes no record"), "{}", back.err());
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_name_outside_of_the_zone_is_said() {
    let sandbox = project("provider = \"manual\"");
    let file = sandbox.path("geodeploy.toml");
    let inventory = std::fs::read_to_string(&file).unwrap();
    let inventory = inventory.replace("domain = \"cn.yourapp.com\"", "domain = \"yourapp.cn\"");
    std::fs::write(&file, inventory).unwrap();
    let run = sandbox.run(&["dns", "plan"]);
    assert!(
        run.err()
            .contains("yourapp.cn does not lie in the zone yourapp.com")
    );
    assert!(!run.out().contains("yourapp.cn."));
}

#[test]
fn route_knows_the_country_of_an_address_and_says_where_it_does_not() {
    let sandbox = project("provider = \"embedded\"");
    for (address, told) in [
        (
            "1.0.1.7",
            "CN (China, Asia) -> cn, by its continent's entry\n",
        ),
        (
            "240e::7",
            "CN (China, Asia) -> cn, by its continent's entry\n",
        ),
        (
            "223.255.0.1",
            "223.255.0.1 (of no known country, most likely in Asia) -> cn\n",
        ),
        ("10.0.0.1", "10.0.0.1 (of no known country) -> us\n"),
    ] {
        let run = sandbox.run(&["dns", "route", address]);
        let found = (run.status(), run.out());
        assert_eq!(found, (0, told.to_owned()), "{}", run.err());
    }
}

#[test]
fn networks_compiles_registries_files_into_a_table_that_route_reads() {
    let sandbox = project("provider = \"embedded\"\nnetworks = \"table.csv\"");
    let apnic = "2|apnic|20261123|1|19830613|20261122|+1000\napnic|CN|ipv4|8.8.8.0|256|20110414|allocated\n";
    std::fs::write(sandbox.path("apnic"), apnic).unwrap();
    std::fs::write(sandbox.path("mine"), "10.0.0.0/8,JP\n").unwrap();
    let run = sandbox.run(&["dns", "networks", "apnic", "mine", "--out", "table.csv"]);
    assert_eq!(run.status(), 0, "{}", run.err());
    assert_eq!(run.out(), "table.csv: 2 networks\n");
    let table = std::fs::read_to_string(sandbox.path("table.csv")).unwrap();
    assert!(table.contains("from apnic 20261122\n"), "{table}");
    for (address, country) in [("8.8.8.8", "CN (China"), ("10.0.0.1", "JP (Japan")] {
        let run = sandbox.run(&["dns", "route", address]);
        assert!(run.out().starts_with(country), "{}{}", run.out(), run.err());
    }
    std::fs::write(sandbox.path("table.csv"), table.replace(",JP", ",US")).unwrap();
    let run = sandbox.run(&["dns", "route", "10.0.0.1"]);
    assert_eq!(run.status(), 65);
    assert!(run.err().contains("remove its line"), "{}", run.err());
    std::fs::write(sandbox.path("mine"), "10.0.0.0/8,JP\n10.0.0.0/7,Japan\n").unwrap();
    let run = sandbox.run(&["dns", "networks", "mine", "--out", "other.csv"]);
    assert_eq!(run.status(), 65);
    assert!(run.err().contains("mine:2: "), "{}", run.err());
    assert!(!sandbox.path("other.csv").exists());
}

#[test]
fn only_the_embedded_providers_answers_are_drained() {
    let sandbox = project("provider = \"manual\"");
    let run = sandbox.run(&["dns", "drain", "cn"]);
    assert_eq!(run.status(), 64);
    assert!(
        run.err().contains("only the embedded provider's answers"),
        "{}",
        run.err()
    );
}
