//! The nightly backup's part of a blueprint.

use std::path::Path;

use super::*;

fn file(resources: &[Resource], path: &str) -> Option<File> {
    resources.iter().find_map(|resource| match resource {
        Resource::File(file) if file.path == Path::new(path) => Some(file.clone()),
        _ => None,
    })
}

#[test]
fn a_backup_has_a_user_of_its_own_and_its_password_is_in_one_sealed_file() {
    let key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let (mut inventory, _) = example();
    let without = inventory.clone();
    inventory.database.backup.recipients = vec![key.parse().unwrap()];
    let secrets = made_up(&inventory);
    let of = |inventory: &Inventory, region: &str| {
        let name = region.parse().unwrap();
        super::region(inventory, &name, &secrets).unwrap().resources
    };
    let cn = of(&inventory, "cn");
    let names: Vec<String> = cn.iter().map(name).collect();
    let place = |wanted: &str| names.iter().position(|name| name == wanted).unwrap();
    let order = [
        "mongo-user geodeploy_backup@admin",
        "user geodeploy-backup",
        "/var/lib/geodeploy/backup",
        "/opt/geodeploy/bin/geodeploy",
        "/etc/geodeploy/backup.json",
        "unit geodeploy-backup.service",
        "service geodeploy-backup.timer",
    ];
    assert!(
        order.windows(2).all(|pair| place(pair[0]) < place(pair[1])),
        "{names:?}"
    );
    let config = file(&cn, "/etc/geodeploy/backup.json").unwrap();
    let Some(Content::Plain(config)) = config.content else {
        panic!("sealed")
    };
    assert!(config.contains(key));
    let parsed: crate::backup::config::Config = serde_json::from_str(&config).unwrap();
    assert_eq!(parsed.keep, 14);
    let password = file(&cn, "/etc/geodeploy/backup.password").unwrap();
    assert_eq!(password.ownership.mode, 0o600);
    let Some(Content::Secret(password)) = password.content else {
        panic!("in clear")
    };
    let password = password.expose().trim_end().to_owned();
    for resource in &cn {
        let text = match resource {
            Resource::Unit(unit) => unit.content.clone(),
            Resource::File(found) => match &found.content {
                Some(Content::Plain(text)) => text.clone(),
                _ => continue,
            },
            _ => continue,
        };
        assert!(!text.contains(&password), "{}", name(resource));
    }
    for nowhere in [of(&inventory, "us"), of(&without, "cn")] {
        let named = |found: &Resource| name(found).contains("geodeploy-backup");
        assert!(!nowhere.iter().any(named));
    }
}
