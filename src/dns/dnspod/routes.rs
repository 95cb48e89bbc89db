//! Which lines the name that answers by geography gets, and who is answered differently where lines are missing. Pure.
//!
//! DNSPod answers with the most specific line that a client is in: its country's (China's is 境内) before its continent's,
//! and the default line where none is.

use std::collections::BTreeMap;

use super::lines::{Line, Lines, Place};
use crate::geography::{Continent, Country};
use crate::inventory::{RegionName, Routing};

/// A line that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route<'a> {
    pub(super) place: Place,
    pub(super) line: &'a Line,
    pub(super) region: &'a RegionName,
}

/// The lines besides the default one, continents first. A place that would be answered like what is around it gets none;
/// but China gets its own wherever Asia has one, because whether 亚洲 holds mainland China is said nowhere.
pub(super) fn routes<'a>(routing: &'a Routing, lines: &'a Lines) -> Vec<Route<'a>> {
    let usable = |place| lines.at(place).filter(|line| line.useful);
    let mut routes: Vec<Route<'a>> = Vec::new();
    for (continent, region) in &routing.continents {
        let place = Place::Continent(*continent);
        if *region != routing.default
            && let Some(line) = usable(place)
        {
            routes.push(Route {
                place,
                line,
                region,
            });
        }
    }
    for country in Country::all() {
        let region = wanted(routing, country);
        let around = answer(routing, &routes, country);
        let is_split = country.code() == "CN" && continent_route(&routes, country).is_some();
        if (region != around || is_split)
            && is_asked_for(routing, country)
            && let Some(line) = usable(Place::Country(country))
        {
            routes.push(Route {
                place: Place::Country(country),
                line,
                region,
            });
        }
    }
    routes
}

/// A country of its own entry, or China, whose line is the one that every plan is likeliest to have.
fn is_asked_for(routing: &Routing, country: Country) -> bool {
    country.code() == "CN" || routing.countries.contains_key(&country)
}

/// The region that the inventory asks for.
fn wanted(routing: &Routing, country: Country) -> &RegionName {
    routing.region(country).0
}

fn continent_route<'a, 'b>(routes: &'b [Route<'a>], country: Country) -> Option<&'b Route<'a>> {
    let place = Place::Continent(country.continent());
    routes.iter().find(|route| route.place == place)
}

/// The region whose address a client of that country gets.
pub(super) fn answer<'a>(
    routing: &'a Routing,
    routes: &[Route<'a>],
    country: Country,
) -> &'a RegionName {
    let own = Place::Country(country);
    let own = routes.iter().find(|route| route.place == own);
    match own.or_else(|| continent_route(routes, country)) {
        Some(route) => route.region,
        None => &routing.default,
    }
}

/// Who is answered with another region than the inventory asks for, a sentence each.
pub(super) fn differences(
    routing: &Routing,
    routes: &[Route<'_>],
    lines: &Lines,
    grade: &str,
) -> Vec<String> {
    let mut groups: BTreeMap<(Place, &str, &str), Vec<Country>> = BTreeMap::new();
    for country in Country::all() {
        let (asked, given) = (wanted(routing, country), answer(routing, routes, country));
        if asked != given {
            let place = if is_asked_for(routing, country) {
                Place::Country(country)
            } else {
                Place::Continent(country.continent())
            };
            let key = (place, asked.as_str(), given.as_str());
            groups.entry(key).or_default().push(country);
        }
    }
    let sentence = |((place, asked, given), countries): (_, Vec<Country>)| {
        format!(
            "{} gets the address of {given} instead of {asked}: {}",
            who(place, &countries),
            why(place, lines, grade)
        )
    };
    groups.into_iter().map(sentence).collect()
}

/// The countries in a few words: `Asia but CN, TR (49 countries)`.
fn who(place: Place, countries: &[Country]) -> String {
    let continent = match place {
        Place::Country(country) => return format!("{} ({country})", country.name()),
        Place::Continent(continent) => continent,
    };
    let count = countries.len();
    let others: Vec<&str> = others(continent, countries);
    if others.is_empty() {
        return format!("all of {} ({count} countries)", continent.name());
    }
    if others.len() < count {
        let others = others.join(", ");
        return format!("{} but {others} ({count} countries)", continent.name());
    }
    let codes: Vec<&str> = countries.iter().map(|country| country.code()).collect();
    format!("{} in {}", codes.join(", "), continent.name())
}

fn others(continent: Continent, countries: &[Country]) -> Vec<&'static str> {
    let rest = continent.countries().filter(|one| !countries.contains(one));
    rest.map(Country::code).collect()
}

fn why(place: Place, lines: &Lines, grade: &str) -> String {
    match lines.at(place) {
        None => "DNSPod lists no line for it here".to_owned(),
        Some(line) => match &line.grade {
            Some(least) => format!(
                "the line {} needs the plan {least}, and the zone has {grade}",
                line.name
            ),
            None => format!("the line {} is not for the zone's plan {grade}", line.name),
        },
    }
}

#[cfg(test)]
mod tests;
