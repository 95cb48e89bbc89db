//! What a replica set over several regions needs.

use std::net::IpAddr;

use super::{Database, DatabaseMode};
use crate::inventory::mistake::Wrong;
use crate::inventory::reader::Table;

/// A replica set has at most so many votes (MongoDB's limits, "Replica Sets").
const MOST_VOTES: usize = 7;

/// The members are regions that are there, each once, known by name, and of a number that can choose a primary.
pub(in crate::inventory) fn check(table: &Table<'_>, database: &Database, regions: &[&str]) {
    if database.mode != DatabaseMode::ReplicaSet {
        only_of_a_set(table, database);
        return;
    }
    let other = regions.iter().find(|name| {
        database
            .region
            .as_ref()
            .is_none_or(|own| own.as_str() != **name)
    });
    let other = other.copied().unwrap_or("us");
    if !table.has("members") {
        table.missing(
            "members",
            &format!("members = [\"{other}\"], the other regions that hold a copy,"),
        );
        return;
    }
    if database.members.is_empty() {
        let cause = "a replica set without another member is a single database";
        let remedy = format!("write members = [\"{other}\"], or mode = \"single\"");
        table.wrong("members", Wrong::new(cause, remedy));
        return;
    }
    members(table, database, regions);
    named(table, database);
    votes(table, database);
}

fn only_of_a_set(table: &Table<'_>, database: &Database) {
    let keys = [
        ("members", !database.members.is_empty()),
        ("automatic_failover", database.automatic_failover),
    ];
    for (key, given) in keys {
        if given {
            let cause = format!("`{key}` is for a replica set over several regions");
            let remedy = format!("write mode = \"replica-set\", or leave `{key}` out");
            table.wrong(key, Wrong::new(cause, remedy));
        }
    }
}

fn members(table: &Table<'_>, database: &Database, regions: &[&str]) {
    for (at, member) in database.members.iter().enumerate() {
        let wrong = |cause: String, remedy: String| {
            table.wrong("members", Wrong::new(cause, remedy));
        };
        if !regions.contains(&member.as_str()) {
            let remedy = format!("write some of {}", regions.join(", "));
            wrong(format!("no region is called `{member}`"), remedy);
        } else if database.region.as_ref() == Some(member) {
            wrong(
                format!("`{member}` holds the primary already, as `region` says"),
                "write the other regions that hold a copy".to_owned(),
            );
        } else if database.members[..at].contains(member) {
            wrong(
                format!("`{member}` is named twice"),
                "write each region once".to_owned(),
            );
        }
    }
}

/// A member that is known by its address could never move, and certificates and clients would name it so for ever.
fn named(table: &Table<'_>, database: &Database) {
    let places = database.places.values().map(|place| ("hosts", place));
    let hosts = std::iter::once(("host", &database.place))
        .chain(places)
        .filter_map(|(key, place)| Some((key, place.host.as_ref()?)));
    for (key, host) in hosts.filter(|(_, host)| host.as_str().parse::<IpAddr>().is_ok()) {
        table.wrong(
            key,
            Wrong::new(
                format!("`{host}` is an address: members of a replica set know each other by name"),
                "write a name that every region resolves to the host, such as cn-server.yourapp.com",
            ),
        );
    }
}

/// Two voters need both of them, and four bear no more losses than three.
fn votes(table: &Table<'_>, database: &Database) {
    if !database.automatic_failover {
        return;
    }
    let voters = database.members.len() + 1;
    let majority = voters / 2 + 1;
    let losses = voters - majority;
    if voters > MOST_VOTES {
        let cause = format!("{voters} members would vote, and MongoDB knows {MOST_VOTES} votes");
        let remedy = format!("name at most {} regions in `members`", MOST_VOTES - 1);
        table.wrong("members", Wrong::new(cause, remedy));
    } else if voters.is_multiple_of(2) {
        let cause = match voters {
            2 => "two members cannot fail over by themselves: a majority of 2 is 2, so the loss of either stops writes"
                .to_owned(),
            _ => format!(
                "an even number of votes gains nothing: a majority of {voters} is {majority}, so {voters} members bear \
                 the loss of {losses}, as {} would",
                voters - 1
            ),
        };
        let remedy = match voters {
            2 => "name a region in a third site in `members` too, or leave automatic_failover out: then the primary \
                  alone votes, and `geodeploy db promote` moves it"
                .to_owned(),
            _ => format!("name {} or {} regions in `members`", voters - 2, voters),
        };
        table.wrong("automatic_failover", Wrong::new(cause, remedy));
    }
}
