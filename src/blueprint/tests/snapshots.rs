//! The whole blueprint of each region of the example as it is made, secrets made up.

use std::fmt::Write;

use super::*;

fn shown(blueprint: &Blueprint) -> String {
    let mut text = String::new();
    for resource in &blueprint.resources {
        let (head, body) = match resource {
            Resource::File(file) => (
                format!(
                    "file {} {:04o} {}",
                    file.path.display(),
                    file.ownership.mode,
                    file.ownership.owner
                ),
                match &file.content {
                    Some(Content::Plain(body)) => body.clone(),
                    Some(Content::Secret(body)) => body.expose().to_owned(),
                    None => "(absent)\n".to_owned(),
                },
            ),
            Resource::Unit(unit) => (format!("unit {}", unit.name), unit.content.clone()),
            Resource::Nginx(nginx) => (
                format!(
                    "nginx {}, enabled site: {}",
                    nginx.path.display(),
                    nginx.enabled_site
                ),
                nginx.content.clone().unwrap_or_default(),
            ),
            other => (format!("{other:?}"), String::new()),
        };
        write!(text, "==== {head}\n{body}").unwrap();
    }
    text
}

#[test]
fn the_blueprint_of_each_region_of_the_example() {
    let (inventory, secrets) = example();
    for name in ["us", "cn"] {
        let blueprint = region(&inventory, &name.parse().unwrap(), &secrets).unwrap();
        insta::assert_snapshot!(name, shown(&blueprint));
    }
}

#[test]
fn the_database_configuration_listens_on_named_addresses_with_tls_and_logins() {
    let (inventory, _) = example();
    let cn = inventory.region("cn").unwrap();
    let context = context::of(&inventory, cn, context::Failover::Off);
    insta::assert_snapshot!(
        "mongod",
        Templates::built_in()
            .render("mongod.conf.j2", &context)
            .unwrap()
            .text
    );
}
