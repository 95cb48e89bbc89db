use super::*;
use crate::inventory::{EXAMPLE, Inventory};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJhtHjGVv5bWLRq2pCkRUuuDJMDGvNNmzlTuBdO6r2oN";

fn endpoint(last: u8) -> Endpoint {
    Endpoint {
        name: "x".to_owned(),
        mac: [2, 0, 0, 0, 0, last],
        ipv4: [10, 77, 0, last].into(),
        ipv6: format!("fd77::{last}").parse().unwrap(),
    }
}

#[test]
fn the_example_for_twins_is_an_inventory_without_a_real_secret_or_address() {
    let stands = [("us", 11), ("cn", 12)].map(|(region, last)| Stand {
        region: region.to_owned(),
        endpoint: endpoint(last),
        host_key: KEY.to_owned(),
    });
    let around = Surroundings {
        operator: &endpoint(1),
        key: Path::new("/run/key"),
        mirror: "http://10.77.0.2:3142",
        secret: Path::new("/run/secret"),
        certificates: Path::new("/run/tls"),
        mongodb: None,
    };
    let text = substitute(EXAMPLE, &stands, &around).unwrap();
    let inventory = Inventory::parse(&text, "twins.toml").unwrap_or_else(|found| {
        panic!(
            "{}\n{text}",
            found
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        )
    });
    assert_eq!(inventory.regions[0].addresses.ipv4, endpoint(11).ipv4);
    for (_, setting) in inventory.regions.iter().flat_map(|region| &region.env) {
        assert!(
            setting
                .reference()
                .is_none_or(|reference| format!("{reference:?}").contains("/run/secret"))
        );
    }
    for real in [
        "203.0.113",
        "198.51.100",
        "VOLCENGINE_API_KEY\" }",
        "aliyun.com/ubuntu\"\n#",
    ] {
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        assert!(
            !lines.collect::<Vec<_>>().join("\n").contains(real),
            "{real}: {text}"
        );
    }
}

#[test]
fn a_database_for_twins_has_the_rehearsals_archive_certificates_and_passwords() {
    let text = EXAMPLE
        .replace(
            "mode = \"embedded\"",
            "mode = \"single\"\nbind = [\"10.0.0.5\"]",
        )
        .replace("# region = \"cn\"", "region = \"cn\"")
        .replace("# user =", "user =")
        .replace("# password =", "password =")
        .replace("# admin_password =", "admin_password =")
        .replace("# monitor_password =", "monitor_password =")
        .replace("# backup_password =", "backup_password =");
    let stands = [("us", 11), ("cn", 12)].map(|(region, last)| Stand {
        region: region.to_owned(),
        endpoint: endpoint(last),
        host_key: KEY.to_owned(),
    });
    let mongodb = Mongodb {
        url: "http://10.77.0.2:3143/mongodb/apt/debian".to_owned(),
        suite: None,
        component: "main".to_owned(),
        key: "/run/archive.asc".into(),
        fingerprint: "AB".repeat(20),
        version: "6.0.5".to_owned(),
    };
    let around = Surroundings {
        operator: &endpoint(1),
        key: Path::new("/run/key"),
        mirror: "http://10.77.0.2:3142",
        secret: Path::new("/run/secret"),
        certificates: Path::new("/run/tls"),
        mongodb: Some(&mongodb),
    };
    let text = substitute(&text, &stands, &around).unwrap();
    let inventory = Inventory::parse(&text, "twins.toml").unwrap();
    let database = &inventory.database;
    assert_eq!(database.archive.url, mongodb.url);
    assert_eq!(database.archive.suite, "{codename}/mongodb-org/6.0");
    assert_eq!(database.version.release(), Some("6.0.5"));
    assert_eq!(database.tls.folder, Path::new("/run/tls"));
    assert!(database.place.bind.is_empty());
    let password = database.admin_password.as_ref().unwrap();
    assert!(format!("{:?}", password.source).contains("/run/secret"));
}

#[test]
fn the_twins_answer_for_the_geo_name_whoever_does_outside_and_no_account_comes_with_it() {
    let stands = [("us", 11), ("cn", 12)].map(|(region, last)| Stand {
        region: region.to_owned(),
        endpoint: endpoint(last),
        host_key: KEY.to_owned(),
    });
    let around = Surroundings {
        operator: &endpoint(1),
        key: Path::new("/run/key"),
        mirror: "http://10.77.0.2:3142",
        secret: Path::new("/run/secret"),
        certificates: Path::new("/run/tls"),
        mongodb: None,
    };
    let section = "provider = \"cloudflare\"\ntoken = { env = \"CLOUDFLARE_API_TOKEN\" }\nttl = \"90s\"\n\
                   networks = \"mine.csv\"\nrouting = { default = \"cn\" }\n";
    let text = substitute(&format!("{EXAMPLE}\n[dns]\n{section}"), &stands, &around).unwrap();
    let inventory = Inventory::parse(&text, "twins.toml").unwrap();
    let dns = inventory.dns.unwrap();
    assert_eq!(dns.provider, crate::inventory::DnsProvider::Embedded);
    assert_eq!((dns.ttl.as_secs(), dns.networks), (90, None));
    assert_eq!(dns.routing.default.as_str(), "cn");
}
