//! A pool: one region's addresses. IPv4 and IPv6 are in one pool: Cloudflare answers a question of a family with the
//! addresses of that family.

use std::net::IpAddr;

use super::schema::{Origin, Pool};
use super::text::{OWNER, Reader, yes_or_no};
use super::{mark, monitor, text};
use crate::dns::{Answer, Handles, Wanted};
use crate::error::{Error, ErrorKind};
use crate::geography::Continent;
use crate::inventory::{Addresses, DomainName, RegionName, Routing};
use crate::plan::{Attributes, Id, Kind};

/// An id of Cloudflare's that stands for no object of ours.
const BARE: &str = "id:";

/// A pool's name at Cloudflare, which is unique in an account: letters, digits, hyphens and underscores. No domain name
/// has an underscore, so no two domains share a name.
pub(super) fn name(domain: &DomainName) -> String {
    format!("geodeploy-{}", domain.as_str().replace('.', "_"))
}

/// Its identity: the name at Cloudflare.
pub(super) fn id(name: &str) -> Id {
    Id::new(Kind::Pool, name)
}

/// The pool that is wanted, with its monitor by name.
pub(super) fn wanted(wanted: &Wanted, answer: &Answer, routing: &Routing) -> Pool {
    let domain = answer.domain.as_str();
    Pool {
        name: name(&answer.domain),
        description: mark::of_account(&wanted.owner, wanted.zone.as_str(), domain),
        enabled: true,
        minimum_origins: 1,
        monitor: Some(domain.to_owned()),
        check_regions: vec![asked_from(routing, &answer.region).to_owned()],
        origins: origins(answer.addresses),
    }
}

fn origins(addresses: Addresses) -> Vec<Origin> {
    let four = IpAddr::V4(addresses.ipv4);
    let all = std::iter::once(four).chain(addresses.ipv6.map(IpAddr::V6));
    all.map(|address| origin(&address.to_string())).collect()
}

fn origin(address: &str) -> Origin {
    let family = if address.contains(':') {
        "ipv6"
    } else {
        "ipv4"
    };
    Origin {
        name: family.to_owned(),
        address: address.to_owned(),
        enabled: true,
        weight: 1.0,
        port: None,
    }
}

/// From which of Cloudflare's regions health is asked: the one nearest to a region's clients. One, because plans below
/// the largest have one, and refuse "everywhere" with code 1002.
pub(super) fn asked_from(routing: &Routing, region: &RegionName) -> &'static str {
    let served = |(continent, by): (&Continent, &RegionName)| (by == region).then_some(*continent);
    let country = routing.countries.iter().find(|(_, by)| *by == region);
    let continent = routing
        .continents
        .iter()
        .find_map(served)
        .or_else(|| country.map(|(country, _)| country.continent()));
    match continent {
        Some(Continent::AS) => "NEAS",
        Some(Continent::EU) => "WEU",
        Some(Continent::AF) => "SAF",
        Some(Continent::OC) => "OC",
        Some(Continent::SA) => "NSAM",
        Some(Continent::NA | Continent::AN) | None => "ENAM",
    }
}

/// A pool's attributes. Its monitor is named by the health check's identity; the order of origins means nothing.
pub(super) fn attributes(pool: &Pool, owner: Option<&str>) -> Attributes {
    let mut origins: Vec<String> = pool.origins.iter().map(entry).collect();
    origins.sort();
    let mut regions = pool.check_regions.clone();
    regions.sort();
    let attributes = Attributes::new()
        .list("origins", origins)
        .text("enabled", yes_or_no(pool.enabled))
        .text("needs origins", pool.minimum_origins.to_string())
        .text("health check", pool.monitor.as_deref().unwrap_or_default())
        .list("asked from", regions);
    text::described(attributes, &pool.description, owner)
}

/// The body of a call. `zone` is part of the mark.
pub(super) fn body(
    id: &Id,
    attributes: &Attributes,
    handles: &Handles,
    zone: &str,
) -> Result<Pool, Error> {
    let read = Reader::new(id, attributes);
    let check = read.text("health check");
    let origins = read.list("origins");
    Ok(Pool {
        name: id.name.clone(),
        description: match read.text(OWNER) {
            "" => read.description().to_owned(),
            owner => mark::of_account(owner, zone, check),
        },
        enabled: read.flag("enabled")?,
        minimum_origins: read.number("needs origins")?,
        monitor: match check {
            "" => None,
            check => Some(handle(check, &monitor::id(check), handles)?),
        },
        check_regions: read.list("asked from").to_vec(),
        origins: origins
            .iter()
            .map(|text| parsed(text).ok_or_else(|| read.wrong("origins", text)))
            .collect::<Result<_, _>>()?,
    })
}

/// The name that stands for an id of Cloudflare's: an object's of ours, or the id itself.
pub(super) fn named(id: &str, names: impl Fn(&str) -> Option<String>) -> String {
    names(id).unwrap_or_else(|| format!("{BARE}{id}"))
}

/// The id of Cloudflare's that a name stands for.
pub(super) fn handle(name: &str, id: &Id, handles: &Handles) -> Result<String, Error> {
    if let Some(bare) = name.strip_prefix(BARE) {
        return Ok(bare.to_owned());
    }
    handles.get(id).cloned().ok_or_else(|| {
        let what = format!("{id} is referred to, but does not exist at cloudflare");
        Error::new(ErrorKind::Stale, what).hint("run `geodeploy dns sync` again: it looks anew")
    })
}

/// One origin as text: `203.0.113.1`, and what is out of the ordinary.
fn entry(origin: &Origin) -> String {
    let mut text = origin.address.clone();
    if !origin.enabled {
        text.push_str(" disabled");
    }
    if origin.weight.total_cmp(&1.0).is_ne() {
        text.push_str(&format!(" weight={}", origin.weight));
    }
    if let Some(port) = origin.port.filter(|port| *port != 0) {
        text.push_str(&format!(" port={port}"));
    }
    text
}

fn parsed(text: &str) -> Option<Origin> {
    let mut words = text.split(' ');
    let mut parsed = origin(words.next()?);
    for word in words {
        match word.split_once('=') {
            Some(("weight", weight)) => parsed.weight = weight.parse().ok()?,
            Some(("port", port)) => parsed.port = Some(port.parse().ok()?),
            None if word == "disabled" => parsed.enabled = false,
            _ => return None,
        }
    }
    Some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_back_as_it_was_written() {
        let mut origin = origin("2001:db8::1");
        origin.enabled = false;
        origin.weight = 0.5;
        origin.port = Some(8443);
        assert_eq!(entry(&origin), "2001:db8::1 disabled weight=0.5 port=8443");
        assert_eq!(parsed(&entry(&origin)), Some(origin));
        assert_eq!(parsed("203.0.113.1 nonsense"), None);
    }
}
