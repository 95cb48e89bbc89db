//! The database's part of a blueprint.

use std::path::Path;

use super::*;

fn of(region_name: &str) -> Vec<Resource> {
    let (inventory, _) = example();
    let secrets = made_up(&inventory);
    region(&inventory, &region_name.parse().unwrap(), &secrets)
        .unwrap()
        .resources
}

pub(super) fn file(resources: &[Resource], path: &str) -> Option<File> {
    resources.iter().find_map(|resource| match resource {
        Resource::File(file) if file.path == Path::new(path) => Some(file.clone()),
        _ => None,
    })
}

#[test]
fn keys_on_a_host_are_sealed_and_readable_by_their_one_user_alone() {
    let cn = of("cn");
    for (path, user) in [
        ("/etc/geodeploy/tls/mongod.pem", "mongodb"),
        ("/etc/geodeploy/tls/mongod.key", "mongodb"),
        ("/etc/geodeploy/tls/client.pem", "yourapp"),
    ] {
        let file = file(&cn, path).unwrap();
        assert!(matches!(file.content, Some(Content::Secret(_))), "{path}");
        assert_eq!((file.ownership.mode, &*file.ownership.owner), (0o400, user));
    }
    let us = of("us");
    assert!(file(&us, "/etc/geodeploy/tls/client.pem").is_some());
    assert!(file(&us, "/etc/geodeploy/tls/mongod.pem").is_none());
}

#[test]
fn only_the_databases_region_gets_its_package_and_it_is_held() {
    let package = |resources: &[Resource]| {
        resources.iter().find_map(|resource| match resource {
            Resource::Package(package) if package.name.starts_with("mongodb") => {
                Some((package.held, package.version.clone()))
            }
            _ => None,
        })
    };
    assert_eq!(package(&of("cn")), Some((true, None)));
    assert_eq!(package(&of("us")), None);
}

#[test]
fn everything_of_the_database_follows_what_it_needs_and_is_there_once() {
    let names: Vec<String> = of("cn").iter().map(name).collect();
    let unique: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len(), "{names:?}");
    let place = |wanted: &str| names.iter().position(|name| name == wanted).unwrap();
    let order = [
        "apt source mongodb-org-8.0",
        "package mongodb-org-server",
        "/etc/geodeploy/tls",
        "/etc/geodeploy/tls/mongod.pem",
        "/etc/mongod.conf",
        "unit mongod.service",
        "service mongod.service",
        "mongod-certificates 127.0.0.1:27017",
        "replica-set rs0",
        "mongo-user geodeploy_admin@admin",
        "mongo-user aiagent_user@aiagent",
        "mongo-index aiagent.multi_agent_sessions.expiresAt_1",
        "mongod 127.0.0.1:27017",
        "/etc/yourapp/env",
    ];
    assert!(
        order.windows(2).all(|pair| place(pair[0]) < place(pair[1])),
        "{names:?}"
    );
    assert!(place("user yourapp") < place("/etc/geodeploy/tls/client.pem"));
}

#[test]
fn users_have_what_their_purpose_needs_and_the_first_makes_the_others() {
    let (inventory, _) = example();
    let cn = inventory.region("cn").unwrap();
    let contents = contents(&inventory, cn, &made_up(&inventory))
        .unwrap()
        .unwrap();
    let users: Vec<String> = contents
        .users
        .iter()
        .map(|user| {
            let roles: Vec<String> = user
                .roles
                .iter()
                .map(|role| format!("{}@{}", role.role, role.database))
                .collect();
            format!(
                "{}@{} {}: {}",
                user.name,
                user.database,
                user.first,
                roles.join(" ")
            )
        })
        .collect();
    assert_eq!(
        users,
        [
            "geodeploy_admin@admin true: userAdminAnyDatabase@admin clusterManager@admin clusterMonitor@admin hostManager@admin dbAdmin@aiagent",
            "aiagent_user@aiagent false: readWrite@aiagent",
            "geodeploy_monitor@admin false: clusterMonitor@admin",
            "geodeploy_backup@admin false: backup@admin",
        ]
    );
    assert_eq!(contents.set.members.len(), 1);
    assert_eq!(contents.set.members[0].host, "cn-server.yourapp.com:27017");
    let us = inventory.region("us").unwrap();
    assert!(
        super::contents(&inventory, us, &made_up(&inventory))
            .unwrap()
            .is_none()
    );
    assert!(!format!("{contents:?}").contains("made up for"));
}

#[test]
fn indexes_are_those_that_the_server_declares() {
    let (inventory, _) = example();
    let cn = inventory.region("cn").unwrap();
    let contents = contents(&inventory, cn, &made_up(&inventory))
        .unwrap()
        .unwrap();
    let declared = crate::serve::collections::COLLECTIONS
        .iter()
        .map(|collection| collection.indexes.len())
        .sum::<usize>();
    assert_eq!(contents.indexes.len(), declared);
    let ttl = contents
        .indexes
        .iter()
        .find(|index| index.name == "expiresAt_1")
        .unwrap();
    assert_eq!(ttl.expire_after_seconds, Some(0));
}

#[test]
fn only_the_databases_host_must_offer_what_it_needs_and_shows_no_secret_of_it() {
    use crate::resource::Requirement;

    let (inventory, _) = example();
    let secrets = made_up(&inventory);
    let of = |name: &str| region(&inventory, &name.parse().unwrap(), &secrets).unwrap();
    assert!(of("us").requirements.is_empty());
    let requirements = of("cn").requirements;
    assert!(!format!("{requirements:?}").contains("made up"));
    let own = requirements
        .iter()
        .find_map(|requirement| match requirement {
            Requirement::OwnData(own) => Some(own),
            _ => None,
        });
    assert_eq!(own.unwrap().path, Path::new("/var/lib/mongodb"));
    let resolves = requirements
        .iter()
        .find_map(|requirement| match requirement {
            Requirement::NameResolves { name, addresses } => Some((name.as_str(), addresses.len())),
            _ => None,
        });
    assert_eq!(resolves, Some(("cn-server.yourapp.com", 2)));
    assert_eq!(requirements.len(), 8);
}

#[test]
fn a_template_of_the_operators_own_may_not_open_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("mongod.conf.j2");
    let own = include_str!("../../../templates/mongod.conf.j2");
    let (mut inventory, _) = example();
    inventory.templates = Some(folder.path().to_owned());
    let secrets = made_up(&inventory);
    let render = |text: &str| {
        std::fs::write(&template, text).unwrap();
        region(&inventory, &"cn".parse().unwrap(), &secrets)
    };
    render(own).unwrap();
    let bind = "{{ database.bind | join(\",\") }}";
    for (text, why) in [
        (own.replace(bind, "0.0.0.0"), "every interface"),
        (
            own.replace("requireTLS", "disabled"),
            "net.tls.mode must be requireTLS",
        ),
        (
            own.replace("authorization: enabled", "authorization: disabled"),
            "security.authorization",
        ),
        (
            own.replace("  bindIp: ", "  bindIp:\n    "),
            "is not an address",
        ),
    ] {
        let error = render(&text).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Input);
        assert!(error.what.contains("mongod.conf.j2"), "{error}");
        assert!(
            error.causes.iter().any(|cause| cause.contains(why)),
            "{error}"
        );
    }
}

#[test]
fn a_file_of_the_operators_takes_the_place_of_archive_and_package() {
    let names = |form| {
        let (mut inventory, _) = example();
        inventory.database.archive.offline = Some(crate::inventory::Offline {
            source: crate::inventory::OfflineSource::File("mongodb".into()),
            form,
            sha256: "a".repeat(64),
        });
        let secrets = made_up(&inventory);
        let blueprint = region(&inventory, &"cn".parse().unwrap(), &secrets).unwrap();
        blueprint.resources.iter().map(name).collect::<Vec<_>>()
    };
    let package = names(crate::inventory::OfflineForm::Package);
    assert!(package.contains(&"package mongodb-org-server".to_owned()));
    assert!(
        !package
            .iter()
            .any(|name| name.starts_with("apt source mongodb"))
    );
    let archive = names(crate::inventory::OfflineForm::Archive);
    for wanted in ["user mongodb", "/var/lib/mongodb", "/var/log/mongodb"] {
        assert!(archive.contains(&wanted.to_owned()), "{archive:?}");
        assert!(!package.contains(&wanted.to_owned()), "{package:?}");
    }
}
