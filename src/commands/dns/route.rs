//! `geodeploy dns route`.

use serde::Serialize;

use super::Zone;
use crate::commands::Outcome;
use crate::dns::Why;
use crate::error::{Error, ErrorKind};
use crate::geography::Country;

/// Say which region serves a country, and why
#[derive(clap::Args)]
pub struct Args {
    /// The country's code of ISO 3166
    #[arg(long, value_name = "CODE")]
    country: String,
}

#[derive(Serialize)]
struct Route {
    country: &'static str,
    name: &'static str,
    continent: &'static str,
    region: String,
    why: Why,
}

/// Runs the verb. It reaches nobody.
///
/// # Errors
/// There is no such country.
pub(super) fn run(zone: &Zone<'_>, args: &Args) -> Result<Outcome, Error> {
    let code = args.country.to_ascii_uppercase();
    let country: Country = code.parse().map_err(|_| {
        Error::new(
            ErrorKind::Usage,
            format!("`{}` is not the code of a country", args.country),
        )
        .hint("write a code of ISO 3166, such as JP or GB")
    })?;
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
