//! What is wanted, in Route 53's objects. Pure.

use std::net::IpAddr;

use super::checks;
use super::names::{pair_name, set_identifier};
use super::spec::{Spec, attributes};
use super::text::canonical;
use crate::dns::{Answer, Desired, GeoName, Object, Wanted};
use crate::geography::{Continent, Country};
use crate::inventory::{Addresses, RegionName};
use crate::plan::{Id, Kind};

/// What Route 53 asks for at most where an answer depends on health, in seconds.
pub(super) const LONGEST_TTL: u64 = 60;
/// Countries that no geolocation set can be made for: Route 53 has no addresses there.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-geo.html>
pub(super) const NOT_LOCATED: [&str; 4] = ["BV", "CX", "EH", "HM"];

/// A type of records and the addresses that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Four,
    Six,
}

impl Family {
    fn kind(self) -> &'static str {
        match self {
            Self::Four => "A",
            Self::Six => "AAAA",
        }
    }

    fn of(self, addresses: Addresses) -> Option<IpAddr> {
        match self {
            Self::Four => Some(addresses.ipv4.into()),
            Self::Six => addresses.ipv6.map(IpAddr::from),
        }
    }
}

/// What is wanted. `secure`: health is asked for over HTTPS.
pub(super) fn desired(wanted: &Wanted, secure: bool) -> Desired {
    let mut desired = Desired::default();
    let ttl = wanted.ttl.as_secs();
    for host in &wanted.hosts {
        for family in [Family::Four, Family::Six] {
            if let Some(address) = family.of(host.addresses) {
                let name = canonical(host.name.as_str());
                let object = alone(&name, family, address, ttl, &wanted.owner);
                desired.objects.push(object);
            }
        }
    }
    if let Some(geo) = &wanted.geo {
        match geo.answers.as_slice() {
            [] => {}
            [only] => desired
                .objects
                .extend(single(geo, only, ttl, &wanted.owner)),
            _ => several(wanted, geo, secure, &mut desired),
        }
    }
    desired
}

/// A simple set of one address.
fn alone(name: &str, family: Family, address: IpAddr, ttl: u64, owner: &str) -> Object {
    let spec = Spec {
        ttl: Some(ttl),
        values: vec![address.to_string()],
        ..Spec::default()
    };
    object(name, family, &[spec], owner)
}

fn object(name: &str, family: Family, specs: &[Spec], owner: &str) -> Object {
    Object {
        id: Id::new(Kind::Record, format!("{name} {}", family.kind())),
        attributes: attributes(specs, Some(owner)),
    }
}

/// One region answers everybody, well or not.
fn single(geo: &GeoName, only: &Answer, ttl: u64, owner: &str) -> Vec<Object> {
    let name = canonical(geo.name.as_str());
    [Family::Four, Family::Six]
        .into_iter()
        .filter_map(|family| {
            let address = family.of(only.addresses)?;
            Some(alone(&name, family, address, ttl, owner))
        })
        .collect()
}

fn several(wanted: &Wanted, geo: &GeoName, secure: bool, desired: &mut Desired) {
    let families = families(geo, &mut desired.notes);
    let ttl = wanted.ttl.as_secs().min(LONGEST_TTL);
    if ttl < wanted.ttl.as_secs() {
        desired.notes.push(format!(
            "{}: answers are kept for {ttl} s instead of {}, because they depend on health",
            geo.name,
            wanted.ttl.as_secs()
        ));
    }
    let china = serves_china(geo);
    desired.notes.push(format!(
        "{china}: Route 53 asks for its health from outside of mainland China alone, where trouble at the border looks like an \
         outage; only after {} failed checks, {} s, does another region answer for it",
        checks::PATIENT_FAILURES,
        checks::PATIENT_FAILURES * checks::INTERVAL
    ));
    for answer in &geo.answers {
        let failures = if answer.region == *china {
            checks::PATIENT_FAILURES
        } else {
            checks::FAILURES
        };
        for family in &families {
            if let Some(address) = family.of(answer.addresses) {
                let config = checks::config(answer.domain.as_str(), address, failures, secure);
                desired.objects.push(checks::object(&config, &wanted.owner));
            }
        }
    }
    for (index, first) in geo.answers.iter().enumerate() {
        let second = &geo.answers[(index + 1) % geo.answers.len()];
        for family in &families {
            let pair = pair(geo, first, second, *family, ttl, &wanted.owner, secure);
            desired.objects.extend(pair);
        }
    }
    for family in &families {
        let sets = locations(geo, *family, &wanted.owner);
        let name = canonical(geo.name.as_str());
        desired
            .objects
            .push(object(&name, *family, &sets, &wanted.owner));
    }
    desired.notes.extend(unlocated(geo));
}

/// AAAA only where every region has an IPv6 address: Route 53 would answer the others' users with a far region's.
fn families(geo: &GeoName, notes: &mut Vec<String>) -> Vec<Family> {
    let without: Vec<&str> = geo
        .answers
        .iter()
        .filter(|answer| answer.addresses.ipv6.is_none())
        .map(|answer| answer.region.as_str())
        .collect();
    if without.is_empty() {
        return vec![Family::Four, Family::Six];
    }
    if without.len() < geo.answers.len() {
        notes.push(format!(
            "{}: no AAAA, because {} has no IPv6 address and its users would be answered with another region's",
            geo.name,
            without.join(" and ")
        ));
    }
    vec![Family::Four]
}

/// The region that users in China are answered with.
fn serves_china(geo: &GeoName) -> &RegionName {
    let routing = &geo.routing;
    let country = routing
        .countries
        .iter()
        .find(|(country, _)| country.code() == "CN");
    country
        .map(|(_, region)| region)
        .or_else(|| routing.continents.get(&Continent::AS))
        .unwrap_or(&routing.default)
}

/// A region's address while its health check says that it is well, and the next region's while that one is.
fn pair(
    geo: &GeoName,
    first: &Answer,
    second: &Answer,
    family: Family,
    ttl: u64,
    owner: &str,
    secure: bool,
) -> Option<Object> {
    let geo_name = canonical(geo.name.as_str());
    let half = |answer: &Answer, failover: &str| {
        let address = family.of(answer.addresses)?;
        let part = failover.to_ascii_lowercase();
        Some(Spec {
            set: Some(set_identifier(
                owner,
                &[first.region.as_str(), &part, family.kind()],
            )),
            failover: Some(failover.to_owned()),
            ttl: Some(ttl),
            values: vec![address.to_string()],
            check: Some(checks::name(answer.domain.as_str(), address, secure)),
            ..Spec::default()
        })
    };
    let specs = [half(first, "PRIMARY")?, half(second, "SECONDARY")?];
    let name = pair_name(&first.region, &geo_name);
    Some(object(&name, family, &specs, owner))
}

/// Which pair answers where. `*`, everywhere else, is always there: without it clients that no set is for get no answer.
fn locations(geo: &GeoName, family: Family, owner: &str) -> Vec<Spec> {
    let name = canonical(geo.name.as_str());
    let at = |place: &str, region: &RegionName| Spec {
        set: Some(set_identifier(owner, &[place, family.kind()])),
        alias: Some(pair_name(region, &name)),
        evaluate: Some(true),
        ..Spec::default()
    };
    let continents = geo.routing.continents.iter().map(|(place, region)| Spec {
        continent: Some(place.code().to_owned()),
        ..at(&format!("continent-{place}"), region)
    });
    let located = |country: &Country| !NOT_LOCATED.contains(&country.code());
    let countries = geo.routing.countries.iter();
    let countries = countries
        .filter(|(place, _)| located(place))
        .map(|(place, region)| Spec {
            country: Some(place.code().to_owned()),
            ..at(&format!("country-{place}"), region)
        });
    let everywhere = Spec {
        country: Some("*".to_owned()),
        ..at("everywhere", &geo.routing.default)
    };
    continents
        .chain(countries)
        .chain(std::iter::once(everywhere))
        .collect()
}

fn unlocated(geo: &GeoName) -> Vec<String> {
    let countries = geo.routing.countries.keys();
    countries
        .filter(|country| NOT_LOCATED.contains(&country.code()))
        .map(|country| {
            format!(
                "{}: Route 53 knows no addresses in {} ({country}); its entry has no effect",
                geo.name,
                country.name()
            )
        })
        .collect()
}

#[cfg(test)]
mod tests;
