//! The lines of a zone's plan, as DNSPod lists them, and which of them stands for a country or a continent. Pure.
//!
//! Which lines there are, and which a plan may use, is asked and never assumed. Ids are the same at both of Tencent's
//! clouds; names are Chinese at the one and English at the other.

use super::message::LineItem;
use super::names::{NAMES, OTHERS};
use crate::geography::{Continent, Country};

/// The id of the line that everybody gets whom no other line answers.
pub(super) const DEFAULT: &str = "0";
/// The id of mainland China's line.
const CHINA: &str = "7=0";
const CHINA_NAMES: [&str; 6] = [
    "境内",
    "国内",
    "中国大陆",
    "Chinese mainland",
    "Mainland China",
    "Domestic",
];

/// Who is answered by a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// One continent.
    Continent(Continent),
    /// One country.
    Country(Country),
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// DNSPod's id: `7=0`.
    pub(super) id: String,
    /// DNSPod's name: `境内`.
    pub(super) name: String,
    /// Whether the zone's plan may use it.
    pub(super) useful: bool,
    /// The least plan that may.
    pub(super) grade: Option<String>,
}

/// All lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines(Vec<Line>);

impl Lines {
    /// From DNSPod's tree of lines.
    pub(super) fn of(items: &[LineItem]) -> Self {
        let mut lines = Vec::new();
        flatten(items, &mut lines);
        Self(lines)
    }

    /// The line with that id.
    pub(super) fn by_id(&self, id: &str) -> Option<&Line> {
        self.0.iter().find(|line| line.id == id)
    }

    /// The line that stands for a place; one that may be used before one that may not.
    pub(super) fn at(&self, place: Place) -> Option<&Line> {
        let matches = |line: &&Line| match place {
            Place::Continent(continent) => names(continent).contains(&line.name.as_str()),
            Place::Country(country) => is_country(line, country),
        };
        let mut found = self.0.iter().filter(matches);
        found.clone().find(|line| line.useful).or(found.next())
    }

    /// The name of a line in an object's id; the default line has none.
    pub(super) fn label(&self, id: &str) -> Option<String> {
        if id == DEFAULT {
            return None;
        }
        Some(match self.by_id(id) {
            Some(line) => format!("{} {id}", line.name),
            None => format!("line {id}"),
        })
    }
}

fn flatten(items: &[LineItem], lines: &mut Vec<Line>) {
    for item in items {
        if let Some(id) = item.line_id.as_ref().filter(|id| !id.is_empty()) {
            lines.push(Line {
                id: id.clone(),
                name: item.line_name.clone(),
                useful: item.useful,
                grade: item.grade.clone().filter(|grade| !grade.is_empty()),
            });
        }
        flatten(item.sub_group.as_deref().unwrap_or_default(), lines);
    }
}

fn names(continent: Continent) -> &'static [&'static str] {
    match continent {
        Continent::AF => &["非洲", "Africa"],
        Continent::AN => &["南极洲", "Antarctica"],
        Continent::AS => &["亚洲", "Asia"],
        Continent::EU => &["欧洲", "Europe"],
        Continent::NA => &["北美洲", "北美", "North America"],
        Continent::OC => &["大洋洲", "Oceania"],
        Continent::SA => &["南美洲", "南美", "South America"],
    }
}

fn is_country(line: &Line, country: Country) -> bool {
    let name = line.name.as_str();
    let code = country.code();
    // 中国 may be a grouping, but 7=0 is mainland China's line whatever it is called.
    if code == "CN" {
        return line.id == CHINA || CHINA_NAMES.contains(&name);
    }
    name == country.name()
        || OTHERS.contains(&(code, name))
        || NAMES
            .iter()
            .any(|(of, chinese, english)| *of == code && (name == *chinese || name == *english))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A plan's lines by id, name and whether it may use them.
    pub(in super::super) fn lines(of: &[(&str, &str, bool)]) -> Lines {
        let line = |(id, name, useful): &(&str, &str, bool)| Line {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            useful: *useful,
            grade: Some("DP_PLUS".to_owned()),
        };
        Lines(of.iter().map(line).collect())
    }

    #[test]
    fn a_place_is_found_by_its_name_at_either_of_tencents_clouds() {
        let lines = lines(&[
            ("0", "默认", true),
            ("7=0", "境内", true),
            ("a", "亚洲", true),
            ("b", "North America", true),
            ("c", "日本", true),
            ("d", "South Korea", true),
            ("e", "香港", true),
            ("f", "Congo, The Democratic Republic of the", true),
        ]);
        let id = |place| lines.at(place).map(|line| line.id.as_str());
        let country = |code: &str| Place::Country(code.parse().unwrap());
        assert_eq!(id(Place::Continent(Continent::AS)), Some("a"));
        assert_eq!(id(Place::Continent(Continent::NA)), Some("b"));
        assert_eq!(id(Place::Continent(Continent::EU)), None);
        for (code, found) in [
            ("CN", Some("7=0")),
            ("JP", Some("c")),
            ("KR", Some("d")),
            ("HK", Some("e")),
            ("CD", Some("f")),
            ("KP", None),
        ] {
            assert_eq!(id(country(code)), found, "{code}");
        }
    }

    #[test]
    fn of_two_lines_of_one_name_the_one_that_may_be_used_is_taken() {
        let lines = lines(&[("x", "亚洲", false), ("y", "亚洲", true)]);
        let found = lines.at(Place::Continent(Continent::AS)).unwrap();
        assert_eq!(found.id, "y");
    }

    #[test]
    fn every_country_has_a_name_in_both_languages_and_no_name_stands_for_two() {
        let mut seen = std::collections::BTreeMap::new();
        for (country, (code, chinese, english)) in Country::all().zip(NAMES) {
            assert_eq!(country.code(), code);
            for name in [chinese, english] {
                assert_eq!(seen.insert(name, code), None, "{name}");
            }
        }
        for (code, name) in OTHERS {
            assert!(code.parse::<Country>().is_ok());
            assert_eq!(seen.insert(name, code), None, "{name}");
        }
    }
}
