//! Which region serves which country, as the inventory says it.

use std::collections::BTreeMap;

use crate::geography::{Continent, Country};
use crate::inventory::mistake::{Wrong, did_you_mean};
use crate::inventory::names::RegionName;
use crate::inventory::reader::Table;

/// Which region serves which country: a country's own entry wins over its continent's, and that over the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    /// For everything that no entry names, and for clients whose country is not known.
    pub default: RegionName,
    /// By continent.
    pub continents: BTreeMap<Continent, RegionName>,
    /// By country.
    pub countries: BTreeMap<Country, RegionName>,
}

impl Routing {
    pub(super) fn read(table: Table<'_>, regions: &[&str]) -> Option<Self> {
        let default: Option<RegionName> =
            table.required("default", regions.first().copied().unwrap_or("us"));
        if let Some(wrong) = default.as_ref().and_then(|name| unknown(name, regions)) {
            table.wrong("default", wrong);
        }
        let continents = places(
            table.section("continents"),
            regions,
            "a continent",
            |code| {
                let all: Vec<String> = Continent::ALL
                    .iter()
                    .map(|continent| format!("{continent} ({})", continent.name()))
                    .collect();
                code.parse()
                    .map_err(|_| format!("write one of {}", all.join(", ")))
            },
        );
        let countries = places(table.section("countries"), regions, "a country", |code| {
            code.parse()
                .map_err(|_| "write a code of ISO 3166, such as JP or GB".to_owned())
        });
        table.finish();
        Some(Self {
            default: default?,
            continents,
            countries,
        })
    }
}

fn places<T: Ord>(
    table: Table<'_>,
    regions: &[&str],
    what: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> BTreeMap<T, RegionName> {
    let mut found = BTreeMap::new();
    for (code, span, value) in table.entries() {
        let place = match parse(code) {
            Ok(place) => place,
            Err(remedy) => {
                let cause = format!("`{code}` is not the code of {what}");
                table.note(span, Wrong::new(cause, remedy));
                continue;
            }
        };
        let Some(region) = table.parse::<RegionName>(code, value) else {
            continue;
        };
        match unknown(&region, regions) {
            Some(wrong) => table.note(value.span(), wrong),
            None => {
                found.insert(place, region);
            }
        }
    }
    found
}

fn unknown(name: &RegionName, regions: &[&str]) -> Option<Wrong> {
    if regions.contains(&name.as_str()) {
        return None;
    }
    let remedy = match did_you_mean(name.as_str(), regions.iter().copied()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("write one of {}", regions.join(", ")),
    };
    Some(Wrong::new(format!("no region is called `{name}`"), remedy))
}
