//! Who may reach a host, as rules.

use super::database;
use crate::inventory::{Cidr, DatabaseMode, Inventory, Peer, Region};
use crate::resource::{Firewall, Protocol, Resource, Rule};

/// SSH for administrators, HTTP, HTTPS and DNS for everybody, the database for its peers; over IPv4 and IPv6.
pub(super) fn rules(inventory: &Inventory, region: &Region) -> Resource {
    let ssh = region.ssh.login.port.number();
    let mut rules: Vec<Rule> = region
        .firewall
        .administrators
        .iter()
        .map(|network| from("ssh", ssh, *network))
        .collect();
    let mut open = vec![("http", Protocol::Tcp, 80), ("https", Protocol::Tcp, 443)];
    if super::dns::embedded(inventory).is_some() {
        // An answer that does not fit a datagram is asked for again over TCP.
        open.push(("dns-udp", Protocol::Udp, 53));
        open.push(("dns-tcp", Protocol::Tcp, 53));
    }
    rules.extend(open.into_iter().map(|(name, protocol, port)| Rule {
        name: name.to_owned(),
        protocol,
        port,
        from: None,
    }));
    let holders = inventory.database_regions();
    if holders.iter().any(|holder| holder.name == region.name) {
        rules.extend(
            peers(inventory, region)
                .into_iter()
                .map(|network| from("mongodb", database::PORT, network)),
        );
    }
    Resource::Firewall(Firewall { rules })
}

fn peers(inventory: &Inventory, region: &Region) -> Vec<Cidr> {
    let addresses = |peer: &Peer| match peer {
        Peer::Network(network) => vec![*network],
        Peer::Region(name) => inventory
            .regions
            .iter()
            .filter(|other| other.name == *name)
            .flat_map(|other| other.addresses.networks())
            .collect(),
    };
    let mut all: Vec<Cidr> = region
        .firewall
        .database_peers
        .iter()
        .flat_map(addresses)
        .collect();
    if inventory.database.mode == DatabaseMode::ReplicaSet {
        // Members copy from each other, and every region's application talks to all of them.
        let others = inventory.regions.iter();
        let others = others.filter(|other| other.name != region.name);
        for network in others.flat_map(|other| other.addresses.networks()) {
            if !all.contains(&network) {
                all.push(network);
            }
        }
    }
    all
}

/// Names are unique on a host, because a rule's name is the tag that it is known by.
fn from(what: &str, port: u16, network: Cidr) -> Rule {
    Rule {
        name: format!("{what}-{network}"),
        protocol: Protocol::Tcp,
        port,
        from: Some(network.network()),
    }
}
