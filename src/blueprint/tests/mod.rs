use std::collections::BTreeMap;

mod backup;
mod database;
mod dns;
mod https;
mod proxy;
mod regions;
mod replica_set;
mod snapshots;
mod tokens;
mod tools;

use super::*;
use crate::inventory::{DatabaseMode, EXAMPLE};
use crate::secrets::Secret;

fn made_up(inventory: &Inventory) -> Secrets {
    Secrets::made_up(inventory, |reference| {
        Secret::new(format!("made up for {}", reference.key))
    })
}

fn example() -> (Inventory, Secrets) {
    let inventory = Inventory::parse(EXAMPLE, "example.toml").unwrap();
    let secrets = made_up(&inventory);
    (inventory, secrets)
}

/// The example with `[tls]`.
fn with_tls() -> Inventory {
    let text = EXAMPLE.replace(
        "[release]\n",
        "[tls]\nemail = \"admin@yourapp.com\"\nhsts = \"180d\"\n\n[release]\n",
    );
    Inventory::parse(&text, "example.toml").unwrap()
}

/// The example with no MongoDB.
fn embedded() -> Inventory {
    Inventory::parse(&crate::inventory::embedded_example(), "example.toml").unwrap()
}

fn environment_of(inventory: &Inventory, region: &str) -> BTreeMap<String, String> {
    let region = inventory.region(region).unwrap();
    let all = variables(inventory, region, &made_up(inventory)).unwrap();
    all.into_iter()
        .map(|variable| (variable.name, variable.value.expose().to_owned()))
        .collect()
}

#[test]
fn each_region_has_the_variables_of_the_guide_with_its_values() {
    let (inventory, _) = example();
    for (name, upper, server, uri) in [
        (
            "us",
            "US",
            "us-server",
            "mongodb://cn-server.yourapp.com:27017/aiagent?authSource=aiagent&",
        ),
        (
            "cn",
            "CN",
            "cn-server",
            "mongodb://localhost:27017/aiagent?authSource=aiagent&",
        ),
    ] {
        let found = environment_of(&inventory, name);
        let expected = [
            ("REGION", upper),
            ("SERVER_NAME", server),
            ("MONGODB_USER", "aiagent_user"),
            ("MONGODB_PASSWORD", "made up for database.password"),
            ("MAX_SSE_CONNECTIONS", "200"),
            ("MAX_SSE_CONNECTIONS_PER_USER", "1"),
            (
                "VOLCENGINE_API_URL",
                "https://ark.cn-beijing.volces.com/api/v3",
            ),
            ("VOLCENGINE_API_KEY", "made up for model.api_key"),
            ("VOLCENGINE_ENDPOINT_ID", "made up for model.endpoint_id"),
            ("PORT", "8000"),
            ("NODE_ENV", "production"),
            ("LOG_LEVEL", "info"),
            ("LOG_REGION", upper),
        ];
        assert!(found["MONGODB_URI"].starts_with(uri), "{found:?}");
        for (variable, value) in expected {
            assert_eq!(
                found.get(variable).map(String::as_str),
                Some(value),
                "{name}: {variable}"
            );
        }
    }
}

#[test]
fn the_embedded_database_is_the_absence_of_its_variables() {
    let inventory = embedded();
    let found = environment_of(&inventory, "cn");
    assert!(
        !found.keys().any(|name| name.starts_with("MONGODB")),
        "{found:?}"
    );
}

#[test]
fn a_region_overrides_the_variables_of_all() {
    let text = EXAMPLE.replace(
        "# [regions.us.env]\n# LOG_LEVEL",
        "[regions.us.env]\nLOG_REGION = \"east\"\nLOG_LEVEL",
    );
    let inventory = Inventory::parse(&text, "example.toml").unwrap();
    let us = environment_of(&inventory, "us");
    assert_eq!(
        (us["LOG_LEVEL"].as_str(), us["LOG_REGION"].as_str()),
        ("debug", "east")
    );
    assert_eq!(environment_of(&inventory, "cn")["LOG_LEVEL"], "info");
}

#[test]
fn the_environment_file_is_sealed_private_and_quoted() {
    let (inventory, secrets) = example();
    let blueprint = region(&inventory, &inventory.regions[0].name, &secrets).unwrap();
    let file = blueprint.resources.iter().find_map(|resource| {
        let Resource::File(file) = resource else {
            return None;
        };
        file.path.ends_with("yourapp/env").then_some(file)
    });
    let file = file.unwrap();
    assert_eq!(file.ownership, Ownership::root(0o600));
    let Some(Content::Secret(text)) = &file.content else {
        panic!("it is not sealed")
    };
    assert!(
        text.expose()
            .contains("\nVOLCENGINE_API_KEY=\"made up for model.api_key\"\n"),
        "{}",
        text.expose()
    );
    // Certificates and the archive's key are public; nothing else is shown.
    let shown = format!("{:?}", blueprint.resources);
    for key in [
        "model",
        "login",
        "database.password",
        "database.admin_password",
    ] {
        assert!(!shown.contains(&format!("made up for {key}")), "{key}");
    }
}

#[test]
fn a_template_that_handles_a_secret_is_refused_without_quoting_it() {
    let folder = tempfile::tempdir().unwrap();
    let (inventory, secrets) = example();
    let inventory = Inventory {
        file: folder.path().join("x.toml"),
        templates: Some(".".into()),
        ..inventory
    };
    for text in [
        "{% for variable in variables %}{{ variable.value | int }}{% endfor %}",
        "{% for variable in variables %}{{ variable.value | replace('\x02', '\x02x') }}{% endfor %}",
    ] {
        std::fs::write(folder.path().join("env.j2"), text).unwrap();
        let refused = region(&inventory, &inventory.regions[0].name, &secrets).unwrap_err();
        assert!(refused.what.contains("env.j2"), "{refused:?}");
        assert!(
            !format!("{refused:?}").contains("made up for"),
            "{refused:?}"
        );
    }
}

fn name(resource: &Resource) -> String {
    match resource {
        Resource::AptSource(source) => format!("apt source {}", source.name),
        Resource::Package(package) => format!("package {}", package.name),
        Resource::User(user) => format!("user {}", user.name),
        Resource::Directory(directory) => directory.path.display().to_string(),
        Resource::File(file) => file.path.display().to_string(),
        Resource::Symlink(link) => link.path.display().to_string(),
        Resource::MongodConfiguration(file) => file.path.display().to_string(),
        Resource::Program(program) => program.path.display().to_string(),
        Resource::Nginx(nginx) => nginx.path.display().to_string(),
        Resource::Gdnsd(gdnsd) => gdnsd.zone.clone(),
        Resource::Sysctl(sysctl) => format!("sysctl {}", sysctl.name),
        Resource::Unit(unit) => format!("unit {}", unit.name),
        Resource::Service(service) => format!("service {}", service.unit),
        Resource::Upgrade(_) => "upgrade".to_owned(),
        Resource::Swap(_) => "swap".to_owned(),
        Resource::Firewall(_) => "firewall".to_owned(),
        Resource::Certificate(_)
        | Resource::HttpsSite(_)
        | Resource::Failover(_)
        | Resource::ReplicaSet(_)
        | Resource::MongoRole(_)
        | Resource::MongoUser(_)
        | Resource::RetiredMongoUser(_)
        | Resource::MongoIndex(_)
        | Resource::MongodCertificates(_)
        | Resource::OfflineMongod(_)
        | Resource::SetMembers(_)
        | Resource::Primary(_)
        | Resource::Mongod(_) => resource.id().to_string(),
    }
}

#[test]
fn nothing_is_managed_twice_on_a_host_and_everything_follows_what_it_needs() {
    let text = EXAMPLE.replace("# extra = [\"htop\"]", "extra = [\"htop\", \"nginx\"]");
    let inventory = Inventory::parse(&text, "example.toml").unwrap();
    let secrets = made_up(&inventory);
    for region_name in ["us", "cn"] {
        let resources = region(&inventory, &region_name.parse().unwrap(), &secrets)
            .unwrap()
            .resources;
        let names: Vec<String> = resources.iter().map(name).collect();
        let unique: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{names:?}");
        let place = |wanted: &str| names.iter().position(|name| name == wanted).unwrap();
        assert!(place("upgrade") < place("package nginx"));
        assert!(place("package nginx") < place("/etc/nginx/nginx.conf"));
        assert!(place("user yourapp") < place("unit yourapp@.service"));
        assert!(place("/etc/yourapp") < place("/etc/yourapp/env"));
        // What needs a certificate comes last, and a certificate needs an open port 80.
        let last = ["https-site", "failover"];
        let after = &names[place("firewall") + 1..];
        assert!(
            after
                .iter()
                .all(|name| last.iter().any(|kind| name.starts_with(kind))),
            "{after:?}"
        );
    }
}

#[test]
fn provision_never_decides_whether_the_application_runs() {
    let (inventory, secrets) = example();
    let resources = region(&inventory, &"us".parse().unwrap(), &secrets)
        .unwrap()
        .resources;
    let services: Vec<_> = resources
        .iter()
        .filter_map(|resource| {
            let Resource::Service(service) = resource else {
                return None;
            };
            let state = (service.enabled, service.running);
            service.unit.starts_with("yourapp").then_some(state)
        })
        .collect();
    assert_eq!(services, [(true, None), (true, None)]);
}

#[test]
fn the_firewall_lets_in_administrators_the_public_and_a_database_its_peers() {
    let mut inventory = embedded();
    let shown = |inventory: &Inventory, region: &str| -> Vec<String> {
        let Resource::Firewall(firewall) =
            firewall::rules(inventory, inventory.region(region).unwrap())
        else {
            panic!("not a firewall")
        };
        let from = |rule: &crate::resource::Rule| {
            rule.from
                .map_or("all".to_owned(), |network| network.to_string())
        };
        firewall
            .rules
            .iter()
            .map(|rule| format!("{} {} {}", rule.name, rule.port, from(rule)))
            .collect()
    };
    let public = [
        "ssh-192.0.2.0/24 22 192.0.2.0/24",
        "ssh-2001:db8:ad::/48 22 2001:db8:ad::/48",
        "http 80 all",
        "https 443 all",
    ];
    assert_eq!(shown(&inventory, "us"), public);
    assert_eq!(shown(&inventory, "cn"), public);
    inventory.database.mode = DatabaseMode::Single;
    inventory.database.region = Some("cn".parse().unwrap());
    let database = [
        "mongodb-203.0.113.10 27017 203.0.113.10/32",
        "mongodb-2001:db8:1::10 27017 2001:db8:1::10/128",
    ];
    assert_eq!(shown(&inventory, "cn")[4..], database);
    assert_eq!(shown(&inventory, "us"), public);
}
