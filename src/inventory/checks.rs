//! What shows only when several keys are looked at together.

use super::VERSION;
use super::database::{Database, DatabaseMode, PASSWORDS, replica_set};
use super::dns::Dns;
use super::mistake::Wrong;
use super::reader::Table;
use super::region::Region;

/// The form is one that this program reads.
pub(super) fn version(root: &Table<'_>) {
    if root.value("version").is_none() {
        root.missing("version", &format!("version = {VERSION}"));
    } else if let Some(version) = root.whole("version", 1..=u32::MAX)
        && version != VERSION
    {
        let cause =
            format!("this inventory has version {version}, this program reads version {VERSION}");
        let remedy =
            format!("use a geodeploy that reads version {version}, or write version = {VERSION}");
        root.wrong("version", Wrong::new(cause, remedy));
    }
}

/// Every region has administrators, from `[firewall]` or from a section of its own.
pub(super) fn administrators(root: &Table<'_>, table: &Table<'_>, regions: &[Option<Region>]) {
    let common = root.section("firewall");
    if common.has("administrators") {
        return;
    }
    let write = "administrators = [\"192.0.2.7\"], the networks that you come from,";
    let known = regions.iter().flatten();
    let (none, some): (Vec<&Region>, Vec<&Region>) =
        known.partition(|region| region.firewall.administrators.is_empty());
    if some.is_empty() && !none.is_empty() {
        common.missing("administrators", write);
        return;
    }
    for region in none {
        let own = table.region(region.name.as_str());
        own.missing("firewall.administrators", &format!("firewall.{write}"));
    }
}

/// No two regions share what only one can have.
pub(super) fn uniqueness(table: &Table<'_>, regions: &[Option<Region>]) {
    let known: Vec<&Region> = regions.iter().flatten().collect();
    for (index, region) in known.iter().enumerate() {
        let own = table.region(region.name.as_str());
        for earlier in &known[..index] {
            let twice = |key: &str, same: bool, what: &str| {
                if same {
                    let cause =
                        format!("{} and {} have the same {what}", earlier.name, region.name);
                    own.wrong(
                        key,
                        Wrong::new(cause, format!("write the {what} of {} itself", region.name)),
                    );
                }
            };
            twice(
                "ipv4",
                earlier.addresses.ipv4 == region.addresses.ipv4,
                "IPv4 address",
            );
            let six =
                region.addresses.ipv6.is_some() && earlier.addresses.ipv6 == region.addresses.ipv6;
            twice("ipv6", six, "IPv6 address");
            twice("domain", earlier.domain == region.domain, "domain");
            twice(
                "server_name",
                earlier.server_name == region.server_name,
                "server_name",
            );
        }
    }
}

/// The name that answers by geography is nobody's own, and every region's web server answers to it.
pub(super) fn geo_name(
    table: &Table<'_>,
    dns: &Dns,
    regions_table: &Table<'_>,
    regions: &[Option<Region>],
) {
    let name = &dns.geo_name;
    if !dns.geo || !name.is_in(&dns.zone) {
        return;
    }
    let known = || regions.iter().flatten();
    if let Some(region) = known().find(|region| region.domain == *name) {
        let cause = format!("{name} is the domain of {} alone", region.name);
        let remedy = format!("write another name, such as name = \"api.{}\"", dns.zone);
        table.wrong("name", Wrong::new(cause, remedy));
        return;
    }
    for region in known() {
        if !region.nginx.server_names.contains(name) {
            let cause = format!(
                "the web server of {} does not answer to {name}",
                region.name
            );
            let remedy = format!(
                "write nginx.server_name = [\"{}\", \"{name}\"] below [regions.{}]",
                region.domain, region.name
            );
            regions_table
                .region(region.name.as_str())
                .wrong("nginx", Wrong::new(cause, remedy));
        }
    }
}

/// The database is of a shape that this version knows how to make, and has what that shape needs.
pub(super) fn database(
    table: &Table<'_>,
    database: Option<&Database>,
    regions_table: &Table<'_>,
    regions: &[Option<Region>],
) {
    let Some(database) = database else { return };
    match database.mode {
        DatabaseMode::Embedded => {}
        DatabaseMode::Single => {
            mongodb(table, database);
            reachable(database, regions_table, regions);
        }
        DatabaseMode::ReplicaSet => mongodb(table, database),
        DatabaseMode::Atlas => later(
            table,
            "this version of geodeploy does not set up MongoDB Atlas",
            "write mode = \"single\" for a MongoDB in one region",
        ),
    }
    let names: Vec<&str> = regions_table
        .entries()
        .iter()
        .map(|(name, _, _)| *name)
        .collect();
    replica_set::check(table, database, &names);
    if let Some(region) = &database.region
        && !names.contains(&region.as_str())
    {
        let cause = format!("no region is called `{region}`");
        table.wrong(
            "region",
            Wrong::new(cause, format!("write one of {}", names.join(", "))),
        );
    }
}

fn later(table: &Table<'_>, cause: &str, remedy: &str) {
    table.wrong("mode", Wrong::new(cause, remedy));
}

/// Users that geodeploy makes in the database for itself.
const OWN_USERS: &str = "geodeploy_";

/// What a MongoDB on hosts of the inventory needs.
fn mongodb(table: &Table<'_>, database: &Database) {
    for (key, write) in [
        (
            "region",
            "region = \"cn\", the region whose host holds the data,",
        ),
        ("user", "user = \"aiagent_user\", the application's,"),
    ] {
        if !table.has(key) {
            table.missing(key, write);
        }
    }
    for key in PASSWORDS {
        if !table.has(key) {
            let variable = key.to_ascii_uppercase();
            table.missing(key, &format!("{key} = {{ env = \"MONGODB_{variable}\" }}"));
        }
    }
    if let Some(user) = &database.user
        && user.as_str().starts_with(OWN_USERS)
    {
        let cause = format!("`{user}` is a name of geodeploy's own users");
        table.wrong(
            "user",
            Wrong::new(
                cause,
                "write a name of the application's, such as aiagent_user",
            ),
        );
    }
}

/// The one host with the database lets in the others.
fn reachable(database: &Database, regions_table: &Table<'_>, regions: &[Option<Region>]) {
    let known = || regions.iter().flatten();
    let holder = known().find(|region| Some(&region.name) == database.region.as_ref());
    let Some(holder) = holder else { return };
    let others: Vec<&str> = known()
        .map(|region| region.name.as_str())
        .filter(|name| *name != holder.name.as_str())
        .collect();
    if let Some(first) = others.first()
        && holder.firewall.database_peers.is_empty()
    {
        let cause = format!(
            "no other region could reach the database in {}: its firewall lets in no peer",
            holder.name
        );
        let remedy = format!(
            "write firewall.database_peers = [\"{first}\"] below [regions.{}]",
            holder.name
        );
        regions_table
            .region(holder.name.as_str())
            .wrong("firewall", Wrong::new(cause, remedy));
    }
}
