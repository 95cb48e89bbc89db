//! `geodeploy dns route`.

use std::net::IpAddr;

use serde::Serialize;

use super::Zone;
use crate::commands::Outcome;
use crate::dns::Why;
use crate::dns::networks::{Networks, Place, region_of};
use crate::error::{Error, ErrorKind};
use crate::geography::{Continent, Country};

/// Say which region serves an address or a country, and why
#[derive(clap::Args)]
pub struct Args {
    /// A client's address; its country is that of the embedded provider's networks, and other providers have their own
    #[arg(required_unless_present = "country", conflicts_with = "country")]
    address: Option<IpAddr>,
    /// A country's code of ISO 3166
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
}

#[derive(Serialize)]
struct Route {
    country: &'static str,
    name: &'static str,
    continent: &'static str,
    region: String,
    why: Why,
}

#[derive(Serialize)]
struct Unknown {
    address: IpAddr,
    continent: Option<&'static str>,
    region: String,
}

fn named(code: &str) -> Result<Country, Error> {
    code.to_ascii_uppercase().parse().map_err(|_| {
        Error::new(
            ErrorKind::Usage,
            format!("`{code}` is not the code of a country"),
        )
        .hint("write a code of ISO 3166, such as JP or GB")
    })
}

/// An address whose country is not known is served by what is known of it.
fn without_country(zone: &Zone<'_>, address: IpAddr, place: Option<Place>) -> Outcome {
    let routing = &zone.dns.routing;
    let region = place.map_or(&routing.default, |place| region_of(routing, place));
    let region = region.to_string();
    let continent = match place {
        Some(Place::Continent(continent)) => Some(continent),
        _ => None,
    };
    let unknown = Unknown {
        address,
        continent: continent.map(Continent::code),
        region,
    };
    zone.project.ui.report("dns-route", &unknown, |_| {
        let of = match continent {
            Some(continent) => format!("of no known country, most likely in {}", continent.name()),
            None => "of no known country".to_owned(),
        };
        format!("{address} ({of}) -> {}", unknown.region)
    });
    Outcome::Done
}

/// Runs the verb. It reaches nobody.
///
/// # Errors
/// There is no such country; the inventory's networks are wrong.
pub(super) fn run(zone: &Zone<'_>, args: &Args) -> Result<Outcome, Error> {
    let country = match (&args.address, &args.country) {
        (Some(address), _) => {
            let networks = Networks::load(&zone.project.inventory)?;
            match networks.place_of(*address) {
                Some(Place::Country(country)) => country,
                place => return Ok(without_country(zone, *address, place)),
            }
        }
        (None, code) => named(code.as_deref().unwrap_or_default())?,
    };
    let (region, why) = zone.dns.routing.region(country);
    let continent = country.continent();
    let route = Route {
        country: country.code(),
        name: country.name(),
        continent: continent.code(),
        region: region.to_string(),
        why,
    };
    zone.project.ui.report("dns-route", &route, |_| {
        format!(
            "{} ({}, {}) -> {region}, {why}",
            country.code(),
            country.name(),
            continent.name()
        )
    });
    Ok(Outcome::Done)
}
