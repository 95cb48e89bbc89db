use super::*;

const SECTION: &str = "
[dns]
provider = \"embedded\"
routing = { default = \"us\", continents = { NA = \"us\", AS = \"cn\" } }
";

fn inventory() -> Inventory {
    Inventory::parse(&format!("{EXAMPLE}{SECTION}"), "example.toml").unwrap()
}

fn gdnsd_of(inventory: &Inventory, region_name: &str) -> crate::resource::Gdnsd {
    let name = region_name.parse().unwrap();
    let blueprint = region(inventory, &name, &made_up(inventory)).unwrap();
    let found = blueprint
        .resources
        .into_iter()
        .find_map(|resource| match resource {
            Resource::Gdnsd(gdnsd) => Some(gdnsd),
            _ => None,
        });
    found.unwrap()
}

#[test]
fn gdnsd_of_each_host_answers_the_same_and_listens_on_its_own_addresses_alone() {
    let inventory = inventory();
    let [us, cn] = ["us", "cn"].map(|name| gdnsd_of(&inventory, name));
    assert_eq!(us.records, cn.records);
    assert_eq!(us.networks, cn.networks);
    assert!(us.networks.contains("\n49.32.0.0/12") || us.networks.contains(" => [ cn, us ]"));
    let listen = |gdnsd: &crate::resource::Gdnsd| {
        let line = gdnsd.config.lines().find(|line| line.contains("listen =>"));
        line.unwrap().trim().to_owned()
    };
    assert_ne!(listen(&us), listen(&cn));
    for (name, gdnsd) in [("us", &us), ("cn", &cn)] {
        let own = inventory.region(name).unwrap().addresses;
        assert!(
            listen(gdnsd).contains(&own.ipv4.to_string()),
            "{}",
            gdnsd.config
        );
        assert!(!listen(gdnsd).contains("any"));
    }
    insta::assert_snapshot!("gdnsd", format!("{}----\n{}", us.config, us.records));
}

#[test]
fn the_serial_follows_what_is_answered_and_nothing_else() {
    let serial = |inventory: &Inventory| {
        let records = gdnsd_of(inventory, "us").records;
        let line = records.lines().find(|line| line.contains(" SOA ")).unwrap();
        line.split_whitespace().nth(5).unwrap().to_owned()
    };
    let inventory = inventory();
    let before = serial(&inventory);
    let mut other = inventory.clone();
    other.release.drain = std::time::Duration::from_secs(7);
    assert_eq!(serial(&other), before);
    let routing = &mut other.dns.as_mut().unwrap().routing;
    routing
        .countries
        .insert("JP".parse().unwrap(), "us".parse().unwrap());
    assert_ne!(serial(&other), before);
}

#[test]
fn only_the_embedded_provider_opens_port_53_and_installs_a_server() {
    let inventory = inventory();
    let ids = |inventory: &Inventory| {
        let blueprint = region(inventory, &"us".parse().unwrap(), &made_up(inventory)).unwrap();
        let ports = blueprint
            .resources
            .iter()
            .find_map(|resource| match resource {
                Resource::Firewall(firewall) => Some(
                    firewall
                        .rules
                        .iter()
                        .filter(|rule| rule.port == 53)
                        .map(|rule| rule.protocol.word())
                        .collect::<Vec<_>>(),
                ),
                _ => None,
            });
        let ids: Vec<String> = blueprint
            .resources
            .iter()
            .map(|resource| resource.manage().id().to_string())
            .collect();
        (ports.unwrap(), ids)
    };
    let (ports, with) = ids(&inventory);
    assert_eq!(ports, ["udp", "tcp"]);
    let mut manual = inventory.clone();
    manual.dns.as_mut().unwrap().provider = crate::inventory::DnsProvider::Manual;
    let (ports, without) = ids(&manual);
    assert!(ports.is_empty());
    let more: Vec<&String> = with.iter().filter(|id| !without.contains(id)).collect();
    assert_eq!(
        more,
        [
            "package gdnsd",
            "gdnsd /etc/gdnsd",
            "file /etc/systemd/system/gdnsd.service.d/60-geodeploy.conf",
            "service gdnsd.service"
        ]
    );
}

#[test]
fn what_dns_sync_makes_is_what_provision_makes() {
    let inventory = inventory();
    let (name, secrets) = ("cn".parse().unwrap(), made_up(&inventory));
    let all = region(&inventory, &name, &secrets).unwrap();
    let part = only_dns(&inventory, &name, &secrets).unwrap();
    for resource in &part.resources {
        let id = resource.manage().id();
        let same = all
            .resources
            .iter()
            .find(|other| other.manage().id() == id)
            .unwrap();
        assert_eq!(format!("{same:?}"), format!("{resource:?}"));
    }
    let mut manual = inventory.clone();
    manual.dns = None;
    let error = only_dns(&manual, &name, &secrets).unwrap_err();
    assert!(error.hints[0].contains("provider = \"embedded\""));
}

#[test]
fn a_file_of_networks_that_is_wrong_is_told_with_its_line_before_any_host_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("networks.csv");
    std::fs::write(&file, "1.0.1.0/24,CN\n1.0.1.0/24,china\n").unwrap();
    let mut inventory = inventory();
    inventory.dns.as_mut().unwrap().networks = Some(file);
    let error = region(&inventory, &"us".parse().unwrap(), &made_up(&inventory)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input);
    assert!(error.what.contains("networks.csv:2: "), "{}", error.what);
}
