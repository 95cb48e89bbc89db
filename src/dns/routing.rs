//! Which region serves a client, and why.

use std::fmt;

use serde::Serialize;

use crate::geography::Country;
use crate::inventory::{RegionName, Routing};

/// Which entry of the inventory decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The country's own, below `[dns.routing.countries]`.
    Country,
    /// That of its continent, below `[dns.routing.continents]`.
    Continent,
    /// `default`, because neither is named.
    Default,
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Country => "by the country's own entry",
            Self::Continent => "by its continent's entry",
            Self::Default => "by default: neither the country nor its continent is named",
        })
    }
}

impl Routing {
    /// The region that serves a country, and which entry says so. A client whose country is not known is served by
    /// [`Routing::default`].
    pub fn region(&self, country: Country) -> (&RegionName, Why) {
        if let Some(region) = self.countries.get(&country) {
            return (region, Why::Country);
        }
        match self.continents.get(&country.continent()) {
            Some(region) => (region, Why::Continent),
            None => (&self.default, Why::Default),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routing() -> Routing {
        let region = |name: &str| name.parse::<RegionName>().unwrap();
        let place = |code: &str| code.parse().unwrap();
        Routing {
            default: region("us"),
            continents: [("NA", "us"), ("AS", "cn")]
                .map(|(code, name)| (code.parse().unwrap(), region(name)))
                .into(),
            countries: [("TR", "us"), ("AU", "cn")]
                .map(|(code, name)| (place(code), region(name)))
                .into(),
        }
    }

    #[test]
    fn a_countrys_own_entry_wins_over_its_continents_and_that_over_the_default() {
        for (code, region, why) in [
            ("CN", "cn", Why::Continent),
            ("JP", "cn", Why::Continent),
            ("CA", "us", Why::Continent),
            ("TR", "us", Why::Country),
            ("AU", "cn", Why::Country),
            ("NZ", "us", Why::Default),
            ("DE", "us", Why::Default),
        ] {
            let routing = routing();
            let (found, because) = routing.region(code.parse().unwrap());
            assert_eq!((found.as_str(), because), (region, why), "{code}");
        }
    }
}
