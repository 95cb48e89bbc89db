//! Where a client is: countries and continents. Pure.

mod countries;

use std::fmt;
use std::str::FromStr;

use countries::COUNTRIES;

/// A continent by GeoNames' code, which is also Route 53's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Continent {
    /// Africa.
    AF,
    /// Antarctica.
    AN,
    /// Asia.
    AS,
    /// Europe.
    EU,
    /// North America, with Central America and the Caribbean.
    NA,
    /// Oceania.
    OC,
    /// South America.
    SA,
}

impl Continent {
    /// Every continent, by code.
    pub const ALL: [Self; 7] = [
        Self::AF,
        Self::AN,
        Self::AS,
        Self::EU,
        Self::NA,
        Self::OC,
        Self::SA,
    ];

    /// The code of two letters.
    pub fn code(self) -> &'static str {
        match self {
            Self::AF => "AF",
            Self::AN => "AN",
            Self::AS => "AS",
            Self::EU => "EU",
            Self::NA => "NA",
            Self::OC => "OC",
            Self::SA => "SA",
        }
    }

    /// The English name.
    pub fn name(self) -> &'static str {
        match self {
            Self::AF => "Africa",
            Self::AN => "Antarctica",
            Self::AS => "Asia",
            Self::EU => "Europe",
            Self::NA => "North America",
            Self::OC => "Oceania",
            Self::SA => "South America",
        }
    }

    /// Its countries, by code.
    pub fn countries(self) -> impl Iterator<Item = Country> {
        Country::all().filter(move |country| country.continent() == self)
    }
}

impl fmt::Display for Continent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// No continent or country has that code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

impl FromStr for Continent {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        let mut all = Self::ALL.into_iter();
        all.find(|continent| continent.code() == text)
            .ok_or(Unknown)
    }
}

/// A country or territory that ISO 3166-1 has a code for. Ordered by code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(&'static str);

impl Country {
    /// Every country, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        COUNTRIES.iter().map(|(code, _, _)| Self(code))
    }

    /// The code of two letters.
    pub fn code(self) -> &'static str {
        self.0
    }

    /// Where it lies.
    pub fn continent(self) -> Continent {
        COUNTRIES[self.row()].1
    }

    /// The English name.
    pub fn name(self) -> &'static str {
        COUNTRIES[self.row()].2
    }

    fn row(self) -> usize {
        // A country comes from the table, so the search finds it; the first row stands in for what cannot be.
        row(self.0).unwrap_or_default()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl FromStr for Country {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        row(text)
            .map(|index| Self(COUNTRIES[index].0))
            .ok_or(Unknown)
    }
}

fn row(code: &str) -> Option<usize> {
    COUNTRIES.binary_search_by_key(&code, |row| row.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_and_none_comes_twice() {
        assert!(COUNTRIES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for country in Country::all() {
            assert_eq!(country.code().parse(), Ok(country));
        }
        assert_eq!("UK".parse::<Country>(), Err(Unknown));
        assert_eq!("cn".parse::<Country>(), Err(Unknown));
    }

    #[test]
    fn continents_hold_the_countries_that_are_easily_misplaced() {
        let of = |code: &str| code.parse::<Country>().unwrap().continent();
        for (code, continent) in [
            ("CN", Continent::AS),
            ("TR", Continent::AS),
            ("CY", Continent::EU),
            ("RU", Continent::EU),
            ("MX", Continent::NA),
            ("PA", Continent::NA),
            ("CO", Continent::SA),
            ("EG", Continent::AF),
            ("TL", Continent::AS),
            ("GL", Continent::NA),
        ] {
            assert_eq!(of(code), continent, "{code}");
        }
        let counted: usize = Continent::ALL
            .iter()
            .map(|continent| continent.countries().count())
            .sum();
        assert_eq!(counted, COUNTRIES.len());
    }
}
