//! The whole blueprint of each region of the example as it is made, secrets made up.

use std::fmt::Write;

use super::*;
use crate::resource::{Failover, HttpsSite};

fn shown(blueprint: &Blueprint) -> String {
    let mut text = String::new();
    for resource in &blueprint.resources {
        let mut head = format!("{resource:?}");
        let mut body = String::new();
        if let Resource::File(file) = resource {
            let ownership = &file.ownership;
            let path = file.path.display();
            head = format!("file {path} {:04o} {}", ownership.mode, ownership.owner);
            body = match &file.content {
                Some(Content::Plain(text)) => text.clone(),
                Some(Content::Secret(text)) => text.expose().to_owned(),
                None => "(absent)\n".to_owned(),
            };
        } else if let Resource::Unit(unit) = resource {
            head = format!("unit {}", unit.name);
            body.clone_from(&unit.content);
        } else if let Resource::Nginx(nginx) = resource {
            let path = nginx.path.display();
            head = format!("nginx {path}, enabled site: {}", nginx.enabled_site);
            body = nginx.content.clone().unwrap_or_default();
        } else if let Resource::HttpsSite(HttpsSite { file })
        | Resource::Failover(Failover { file, .. }) = resource
        {
            head = resource.id().to_string();
            body = file
                .content
                .clone()
                .unwrap_or_else(|| "(absent)\n".to_owned());
        }
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
fn the_blueprint_of_a_region_with_certificates() {
    let inventory = with_tls();
    let name = "us".parse().unwrap();
    let blueprint = region(&inventory, &name, &made_up(&inventory)).unwrap();
    let text = shown(&blueprint);
    let (_, rest) = text
        .split_once("==== Directory(Directory { path: \"/var/www")
        .unwrap();
    insta::assert_snapshot!("tls", rest);
}

#[test]
fn the_database_configuration_listens_on_named_addresses_with_tls_and_logins() {
    let (inventory, _) = example();
    let cn = inventory.region("cn").unwrap();
    let context = context::of(&inventory, cn);
    insta::assert_snapshot!(
        "mongod",
        Templates::built_in()
            .render("mongod.conf.j2", &context)
            .unwrap()
            .text
    );
}
