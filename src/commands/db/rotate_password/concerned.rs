//! What on the hosts a password concerns. Pure.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::blueprint::{ADMIN, BACKUP, Blueprint, MONITOR};
use crate::inventory::{Inventory, SecretSource, Wrong};
use crate::resource::{Content, Resource};
use crate::secrets::Secret;

/// A user of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum User {
    /// The application's
    App,
    /// The administrator, who makes the others
    Admin,
    /// Who looks at the database's figures
    Monitor,
    /// Who makes backups
    Backup,
}

/// Where credentials of the tool's own rest on hosts, and where its certificates do.
const OWN: &str = "/etc/geodeploy";
const TLS: &str = "/etc/geodeploy/tls";

/// The user's name in the database.
pub(super) fn name(user: User, inventory: &Inventory) -> &str {
    match user {
        User::App => inventory
            .database
            .user
            .as_ref()
            .map_or("", |name| name.as_str()),
        User::Admin => ADMIN,
        User::Monitor => MONITOR,
        User::Backup => BACKUP,
    }
}

/// Keeps of a host's resources the user and the files that its password stands in, which need nothing else of it.
pub(super) fn keep(user: User, inventory: &Inventory, blueprint: &mut Blueprint) {
    blueprint.requirements.clear();
    let environment = PathBuf::from(format!("/etc/{}/env", inventory.app.name));
    let holds = |path: &Path| match user {
        User::App => path == environment,
        User::Backup => path.starts_with(OWN) && !path.starts_with(TLS),
        User::Admin | User::Monitor => false,
    };
    let wanted = name(user, inventory);
    blueprint.resources.retain(|resource| match resource {
        Resource::MongoUser(found) => found.name == wanted,
        Resource::File(file) => {
            matches!(file.content, Some(Content::Secret(_))) && holds(&file.path)
        }
        _ => false,
    });
}

/// The same, looked at and changed by the administrator under the password until now.
pub(super) fn with_old_password(wanted: &[Blueprint], old: &Secret) -> Vec<Blueprint> {
    let mut blueprints = wanted.to_vec();
    let resources = blueprints
        .iter_mut()
        .flat_map(|blueprint| &mut blueprint.resources);
    for resource in resources {
        if let Resource::MongoUser(user) = resource {
            user.connection.admin_password = old.clone();
        }
    }
    blueprints
}

/// Reads `env:NAME` or `file:PATH`.
pub(super) fn source(text: &str) -> Result<SecretSource, Wrong> {
    match text.split_once(':') {
        Some(("env", name)) => Ok(SecretSource::Environment(name.parse()?)),
        Some(("file", path)) if !path.is_empty() => Ok(SecretSource::File(PathBuf::from(path))),
        // What stands there may be a password: it is not repeated.
        _ => Err(Wrong::new(
            "this is no source of a password",
            "write env:NAME or file:PATH, never the password itself",
        )),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::blueprint;
    use crate::inventory::{DatabaseMode, EXAMPLE};
    use crate::secrets::Secrets;

    pub(in crate::commands::db::rotate_password) fn inventory() -> Inventory {
        Inventory::parse(EXAMPLE, "example.toml").unwrap()
    }

    fn kept(user: User, region: &str) -> Vec<String> {
        let inventory = inventory();
        assert_eq!(inventory.database.mode, DatabaseMode::Single);
        let secrets = Secrets::made_up(&inventory, |_| Secret::new("s".repeat(64)));
        let region = &inventory.region(region).unwrap().name;
        let mut blueprint = blueprint::region(&inventory, region, &secrets).unwrap();
        keep(user, &inventory, &mut blueprint);
        assert!(blueprint.requirements.is_empty());
        let ids = blueprint
            .resources
            .iter()
            .map(|resource| resource.id().to_string());
        ids.collect()
    }

    #[test]
    fn the_applications_password_is_in_the_database_and_in_every_regions_environment() {
        let expected = ["mongo-user aiagent_user@aiagent", "file /etc/yourapp/env"];
        assert_eq!(kept(User::App, "cn"), expected);
        assert_eq!(kept(User::App, "us"), ["file /etc/yourapp/env"]);
    }

    #[test]
    fn the_others_passwords_are_in_the_database_alone_and_touch_no_other_user() {
        assert_eq!(
            kept(User::Admin, "cn"),
            ["mongo-user geodeploy_admin@admin"]
        );
        assert_eq!(
            kept(User::Monitor, "cn"),
            ["mongo-user geodeploy_monitor@admin"]
        );
        assert_eq!(kept(User::Backup, "us"), Vec::<String>::new());
    }

    #[test]
    fn a_source_is_a_variable_or_a_file_and_a_password_is_not_repeated() {
        assert_eq!(source("file:/x").unwrap(), SecretSource::File("/x".into()));
        assert!(matches!(
            source("env:OLD").unwrap(),
            SecretSource::Environment(_)
        ));
        for text in ["hunter2", "file:", "pass:hunter2"] {
            let wrong = source(text).unwrap_err();
            assert!(!wrong.to_string().contains("hunter2"), "{wrong}");
        }
    }
}
