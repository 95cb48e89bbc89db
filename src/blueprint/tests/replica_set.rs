//! A replica set over the regions, as a blueprint.

use super::database::file;
use super::*;

fn replica_set(automatic_failover: bool) -> Inventory {
    let text = EXAMPLE
        .replace("mode = \"single\"", "mode = \"replica-set\"")
        .replace("# members = ", "members = ");
    let mut inventory = Inventory::parse(&text, "example.toml").unwrap();
    inventory.database.automatic_failover = automatic_failover;
    inventory
}

#[test]
fn a_copys_host_has_mongodb_with_a_certificate_of_its_own_and_no_users_or_indexes() {
    let inventory = replica_set(false);
    let secrets = made_up(&inventory);
    let of = |name: &str| {
        region(&inventory, &name.parse().unwrap(), &secrets)
            .unwrap()
            .resources
    };
    let (cn, us) = (of("cn"), of("us"));
    let names = |resources: &[Resource]| resources.iter().map(name).collect::<Vec<String>>();
    for wanted in [
        "package mongodb-org-server",
        "/etc/geodeploy/tls/mongod.pem",
        "/etc/geodeploy/tls/mongod.key",
        "/etc/mongod.conf",
        "service mongod.service",
        "mongod 127.0.0.1:27017",
    ] {
        assert!(names(&us).iter().any(|name| name == wanted), "{wanted}");
    }
    let inside = ["replica-set", "set-members", "mongo-user", "mongo-index"];
    let inside = |name: &&String| inside.iter().any(|kind| name.starts_with(kind));
    assert_eq!(names(&us).iter().find(inside), None);
    assert!(names(&cn).contains(&"set-members rs0".to_owned()));
    let configuration = |resources: &[Resource]| {
        let mut all = resources.iter().filter_map(|resource| match resource {
            Resource::MongodConfiguration(file) => Some(file.content.clone()),
            _ => None,
        });
        all.next().unwrap()
    };
    let text = |resources: &[Resource], path: &str| match file(resources, path).unwrap().content {
        Some(Content::Plain(text)) => text,
        Some(Content::Secret(secret)) => secret.expose().to_owned(),
        None => String::new(),
    };
    let certificates = &inventory.database.tls.servers;
    assert_ne!(
        certificates[&"us".parse().unwrap()].source,
        certificates[&"cn".parse().unwrap()].source
    );
    let [own, others] = [&us, &cn].map(|host| text(host, "/etc/geodeploy/tls/mongod.key"));
    assert_eq!(own, others);
    assert!(configuration(&us).contains("bindIp: 127.0.0.1,203.0.113.10"));
    assert!(configuration(&cn).contains("bindIp: 127.0.0.1,198.51.100.20"));
}

#[test]
fn members_reach_each_other_and_only_the_primary_votes_unless_failover_is_automatic() {
    let inventory = replica_set(false);
    for (region, peer) in [("cn", "203.0.113.10/32"), ("us", "198.51.100.20/32")] {
        let rules = firewall::rules(&inventory, inventory.region(region).unwrap());
        let Resource::Firewall(rules) = rules else {
            panic!("not a firewall")
        };
        let open = rules.rules.iter().filter(|rule| rule.port == 27017);
        let from: Vec<String> = open
            .map(|rule| rule.from.map_or("all".to_owned(), |from| from.to_string()))
            .collect();
        assert!(
            from.contains(&peer.to_owned()) && !from.contains(&"all".to_owned()),
            "{from:?}"
        );
    }
    let votes = |inventory: &Inventory| -> Vec<(String, u8, f64)> {
        let members = crate::blueprint::members(inventory);
        let all = members.into_iter();
        all.map(|member| (member.host, member.votes, member.priority))
            .collect()
    };
    let (cn, us) = ("cn-server.yourapp.com:27017", "us-server.yourapp.com:27017");
    assert_eq!(
        votes(&inventory),
        [(cn.to_owned(), 1, 10.0), (us.to_owned(), 0, 0.0)]
    );
    assert_eq!(votes(&replica_set(true))[1], (us.to_owned(), 1, 9.0));
}

#[test]
fn a_promotion_ends_as_the_inventory_with_that_region_first_would_have_it() {
    let inventory = replica_set(false);
    let region = |name: &str| inventory.region(name).unwrap();
    let secrets = made_up(&inventory);
    let made = promotion(&inventory, region("cn"), region("us"), &secrets).unwrap();
    let mut after = inventory.clone();
    after.database.region = "us".parse().ok();
    after.database.members = vec!["cn".parse().unwrap()];
    assert_eq!(made.settle.members, crate::blueprint::members(&after));
    assert_eq!(made.force.members, made.settle.members);
    assert!(made.force.force && !made.settle.force && !made.prepare.force);
    assert_eq!(made.prepare.members[1].priority, 11.0);
    assert_eq!(made.inventory, "region = \"us\", members = [\"cn\"]");
    let single = Inventory::parse(EXAMPLE, "example.toml").unwrap();
    assert!(promotion(&single, region("cn"), region("us"), &secrets).is_err());
}

#[test]
fn the_role_for_documents_alone_is_made_after_the_administrator_and_before_its_user() {
    let (mut inventory, _) = example();
    inventory.database.role = crate::inventory::AppRole::Documents;
    let secrets = made_up(&inventory);
    let resources = region(&inventory, &"cn".parse().unwrap(), &secrets)
        .unwrap()
        .resources;
    let names: Vec<String> = resources.iter().map(name).collect();
    let begin = names
        .iter()
        .position(|name| name == "mongo-user geodeploy_admin@admin")
        .unwrap();
    assert_eq!(
        names[begin + 1..begin + 3],
        [
            "mongo-role geodeploy_documents@aiagent",
            "mongo-user aiagent_user@aiagent"
        ]
    );
    let cn = inventory.region("cn").unwrap();
    let contents = contents(&inventory, cn, &secrets).unwrap().unwrap();
    let role = contents.role.unwrap();
    assert_eq!(role.actions, ["find", "insert", "update", "remove"]);
    assert_eq!(contents.users[1].roles, [role.granted()]);
}
