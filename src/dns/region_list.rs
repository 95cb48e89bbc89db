//! The list of regions that front ends read, for those that choose a region themselves. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::{Error, ErrorContext, ErrorKind};
use crate::geography::Country;
use crate::inventory::Inventory;

/// The version of the list's form.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct RegionList<'a> {
    version: u32,
    /// The region of every country that is not below `countries`, and of a client whose country is not known.
    default: &'a str,
    /// The address that answers by geography, where there is one.
    geo: Option<String>,
    regions: Vec<Entry<'a>>,
    /// Region by ISO 3166 code, for all countries but those of the default.
    countries: BTreeMap<&'static str, &'a str>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    url: String,
}

/// The list as JSON; nothing where the inventory has no `[dns]`. `scheme` is how the regions are served, `http` or `https`.
///
/// # Errors
/// Never in practice: every part has a JSON form.
pub fn render(inventory: &Inventory, scheme: &str) -> Result<Option<String>, Error> {
    let Some(dns) = &inventory.dns else {
        return Ok(None);
    };
    let default = &dns.routing.default;
    let routed = Country::all().map(|country| (country.code(), dns.routing.region(country).0));
    let elsewhere = routed.filter(|(_, region)| *region != default);
    let regions = inventory.regions.iter().map(|region| Entry {
        name: region.name.as_str(),
        url: format!("{scheme}://{}", region.domain),
    });
    let list = RegionList {
        version: VERSION,
        default: default.as_str(),
        geo: dns.geo.then(|| format!("{scheme}://{}", dns.geo_name)),
        regions: regions.collect(),
        countries: elsewhere
            .map(|(code, region)| (code, region.as_str()))
            .collect(),
    };
    let text = serde_json::to_string(&list).context(ErrorKind::Failed, || {
        "cannot write the list of regions as JSON".to_owned()
    })?;
    Ok(Some(text + "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::EXAMPLE;

    #[test]
    fn a_front_end_learns_every_region_and_whom_it_serves() {
        let dns = "
[dns]
provider = \"manual\"
[dns.routing]
default = \"us\"
continents = { AS = \"cn\" }
countries = { TR = \"us\", AU = \"cn\" }
";
        let inventory = Inventory::parse(&format!("{EXAMPLE}{dns}"), "example.toml").unwrap();
        let text = render(&inventory, "https").unwrap().unwrap();
        let list: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(list["version"], 1);
        assert_eq!(list["default"], "us");
        assert_eq!(list["geo"], serde_json::Value::Null);
        assert_eq!(list["regions"][1]["url"], "https://cn.yourapp.com");
        let countries = list["countries"].as_object().unwrap();
        for code in ["CN", "JP", "AU"] {
            assert_eq!(countries[code], "cn", "{code}");
        }
        for code in ["US", "TR", "DE"] {
            assert!(!countries.contains_key(code), "{code}");
        }
    }

    #[test]
    fn without_the_section_there_is_no_list() {
        let inventory = Inventory::parse(EXAMPLE, "example.toml").unwrap();
        assert_eq!(render(&inventory, "http"), Ok(None));
    }
}
