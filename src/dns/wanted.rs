//! What the inventory wants to be answered, before it is compiled for a provider.

use std::time::Duration;

use crate::inventory::{Addresses, DomainName, Inventory, Region, RegionName, Routing};

/// Everything that is wanted of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The zone at the provider.
    pub zone: DomainName,
    /// The mark on every object of this project, `geodeploy:APP`.
    pub owner: String,
    /// How long resolvers may keep an answer.
    pub ttl: Duration,
    /// Names of one host each: the regions' own, and those that the database is dialled by.
    pub hosts: Vec<HostName>,
    /// The name that answers by geography; nothing where clients choose a region themselves.
    pub geo: Option<GeoName>,
}

/// A name of one host: A, and AAAA where the host has an IPv6 address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    /// The name.
    pub name: DomainName,
    /// Whose host it is.
    pub region: RegionName,
    /// Its addresses.
    pub addresses: Addresses,
}

/// The name that answers by geography.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeoName {
    /// The name.
    pub name: DomainName,
    /// What it may answer: every region, in the inventory's order.
    pub answers: Vec<Answer>,
    /// Which of them answers whom.
    pub routing: Routing,
}

/// One region as an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The region.
    pub region: RegionName,
    /// The region's own name, which health checks ask for.
    pub domain: DomainName,
    /// Its host's addresses.
    pub addresses: Addresses,
}

/// What the inventory wants, and what is left out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What is managed.
    pub wanted: Wanted,
    /// The names that are left out, a sentence each.
    pub notes: Vec<String>,
}

impl Wanted {
    /// What the inventory wants of its zone; nothing where it has no `[dns]`.
    pub fn of(inventory: &Inventory) -> Option<Asked> {
        let dns = inventory.dns.as_ref()?;
        let mut names = Names {
            zone: &dns.zone,
            hosts: Vec::new(),
            notes: Vec::new(),
        };
        for region in &inventory.regions {
            names.add(region.domain.clone(), region);
        }
        for holder in inventory.database_regions() {
            // What is no domain name, such as an address, needs no record.
            if let Ok(name) = inventory.database_host(holder).parse() {
                names.add(name, holder);
            }
        }
        let answers = inventory.regions.iter().map(|region| Answer {
            region: region.name.clone(),
            domain: region.domain.clone(),
            addresses: region.addresses,
        });
        let geo = dns.geo.then(|| GeoName {
            name: dns.geo_name.clone(),
            answers: answers.collect(),
            routing: dns.routing.clone(),
        });
        Some(Asked {
            wanted: Self {
                zone: dns.zone.clone(),
                owner: format!("geodeploy:{}", inventory.app.name),
                ttl: dns.ttl,
                hosts: names.hosts,
                geo,
            },
            notes: names.notes,
        })
    }
}

struct Names<'a> {
    zone: &'a DomainName,
    hosts: Vec<HostName>,
    notes: Vec<String>,
}

impl Names<'_> {
    fn add(&mut self, name: DomainName, region: &Region) {
        if !name.is_in(self.zone) {
            self.notes.push(format!(
                "{name} does not lie in the zone {}: its records are left to whoever answers for it",
                self.zone
            ));
        } else if !self.hosts.iter().any(|host| host.name == name) {
            self.hosts.push(HostName {
                name,
                region: region.name.clone(),
                addresses: region.addresses,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::EXAMPLE;

    const DNS: &str = "
[dns]
provider = \"embedded\"
[dns.routing]
default = \"us\"
continents = { AS = \"cn\" }
";

    fn asked(text: &str) -> Asked {
        let inventory = Inventory::parse(&format!("{text}{DNS}"), "example.toml").unwrap();
        Wanted::of(&inventory).unwrap()
    }

    fn names(asked: &Asked) -> Vec<(&str, &str)> {
        let hosts = asked.wanted.hosts.iter();
        hosts
            .map(|host| (host.name.as_str(), host.region.as_str()))
            .collect()
    }

    #[test]
    fn the_regions_names_and_those_that_the_database_is_dialled_by_are_wanted_each_once() {
        let found = asked(EXAMPLE);
        assert_eq!(
            names(&found),
            [
                ("us.yourapp.com", "us"),
                ("cn.yourapp.com", "cn"),
                ("cn-server.yourapp.com", "cn")
            ]
        );
        assert_eq!(found.notes, Vec::<String>::new());
        assert_eq!(found.wanted.owner, "geodeploy:yourapp");
        let geo = found.wanted.geo.unwrap();
        assert_eq!(geo.name.as_str(), "api.yourapp.com");
        assert_eq!(geo.answers.len(), 2);

        let same = EXAMPLE.replace("# host = \"cn-server", "host = \"cn-server");
        let same = same.replace("host = \"cn-server.", "host = \"cn.");
        assert_eq!(names(&asked(&same)).len(), 2);
    }

    #[test]
    fn a_name_outside_of_the_zone_is_left_out_and_said() {
        let elsewhere = EXAMPLE.replace("domain = \"cn.yourapp.com\"", "domain = \"yourapp.cn\"");
        let found = asked(&elsewhere);
        assert!(!names(&found).iter().any(|(name, _)| *name == "yourapp.cn"));
        assert_eq!(found.notes.len(), 1);
        assert!(found.notes[0].starts_with("yourapp.cn does not lie in the zone yourapp.com"));
    }

    #[test]
    fn without_the_section_nothing_is_managed() {
        let inventory = Inventory::parse(EXAMPLE, "example.toml").unwrap();
        assert_eq!(Wanted::of(&inventory), None);
    }
}
