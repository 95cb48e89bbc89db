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
    for action in ["plan", "sync", "rollback", "status", "route"] {
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
    let lines: Vec<String> = plan.out().lines().map(|line| squeezed(line)).collect();
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
