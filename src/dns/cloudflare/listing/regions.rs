//! Which countries Cloudflare tells apart.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::dns::cloudflare::client::Client;
use crate::dns::cloudflare::endpoints::Place;
use crate::dns::cloudflare::refusal::Failure;
use crate::error::Error;

#[derive(Deserialize)]
struct Regions {
    #[serde(default)]
    regions: Vec<Region>,
}

#[derive(Deserialize)]
struct Region {
    #[serde(default)]
    countries: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    country_code_a2: String,
}

/// The codes; nothing where Cloudflare does not say, which leaves the table as it is.
pub(super) async fn countries(
    client: &Client,
    place: &Place,
) -> Result<Option<BTreeSet<String>>, Error> {
    let answer: serde_json::Value = match client.call(&place.regions()).await {
        Ok(answer) => answer,
        Err(Failure::Refused(_)) => return Ok(None),
        Err(failure) => return Err(failure.error("list regions")),
    };
    // Documented as an object of any shape.
    let Ok(regions) = serde_json::from_value::<Regions>(answer) else {
        return Ok(None);
    };
    let codes: BTreeSet<String> = regions
        .regions
        .into_iter()
        .flat_map(|region| region.countries)
        .map(|country| country.country_code_a2)
        .filter(|code| code.len() == 2)
        .collect();
    Ok((!codes.is_empty()).then_some(codes))
}
