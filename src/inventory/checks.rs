//! What shows only when several keys are looked at together.

use super::VERSION;
use super::database::{Database, DatabaseMode};
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

/// The database is of a shape that this version knows how to make.
pub(super) fn database(table: &Table<'_>, database: Option<&Database>, regions: &[&str]) {
    let Some(database) = database else { return };
    if database.mode != DatabaseMode::Embedded {
        let cause = "this version of geodeploy installs and connects no MongoDB";
        table.wrong(
            "mode",
            Wrong::new(
                cause,
                "write mode = \"embedded\": each host keeps its own data in a file",
            ),
        );
    }
    if let Some(region) = &database.region
        && !regions.contains(&region.as_str())
    {
        let cause = format!("no region is called `{region}`");
        table.wrong(
            "region",
            Wrong::new(cause, format!("write one of {}", regions.join(", "))),
        );
    }
}
