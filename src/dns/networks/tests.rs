use std::net::IpAddr;

use super::*;
use crate::geography::Continent;
use crate::inventory::{RegionName, Routing};

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn networks(text: &str) -> Networks {
    Reading::of(text, "networks.csv").unwrap().networks()
}

fn country(networks: &Networks, text: &str) -> Option<&'static str> {
    networks.country_of(address(text)).map(Country::code)
}

/// The guide's routing: North America to the US, Asia to China, the rest to the US; Japan by an entry of its own.
fn routing() -> (Routing, Vec<RegionName>) {
    let [us, cn]: [RegionName; 2] = ["us", "cn"].map(|name| name.parse().unwrap());
    let routing = Routing {
        default: us.clone(),
        continents: [(Continent::NA, us.clone()), (Continent::AS, cn.clone())].into(),
        countries: [("JP".parse().unwrap(), us.clone())].into(),
    };
    (routing, vec![us, cn])
}

fn compiled(text: &str) -> Vec<String> {
    let (routing, regions) = routing();
    let text = nets(&networks(text), &routing, &regions);
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_registrys_line_counts_ipv4_addresses_and_gives_an_ipv6_prefix() {
    let found = networks(
        "2|apnic|20261123|4|19830613|20261122|+1000\napnic|*|ipv4|*|2|summary\n\
         apnic|CN|asn|4134|1|20020801|allocated\napnic|CN|ipv4|1.0.1.0|768|20110414|allocated\n\
         apnic|CN|ipv6|240e::|20|20131114|assigned|A92E1062\napnic||ipv4|1.0.4.0|256||reserved|\n\
         afrinic|ZZ|ipv4|41.57.112.0|2048||available|\n",
    );
    assert_eq!(country(&found, "1.0.0.255"), None);
    for inside in ["1.0.1.0", "1.0.3.255", "240e::1", "::ffff:1.0.1.1"] {
        assert_eq!(country(&found, inside), Some("CN"), "{inside}");
    }
    assert_eq!(country(&found, "1.0.4.0"), None);
    assert_eq!(country(&found, "240e:1000::"), None);
    assert_eq!(country(&found, "41.57.112.1"), None);
}

#[test]
fn every_malformed_line_is_refused_with_its_number_and_what_to_write() {
    for (line, why) in [
        ("1.0.1.0/24", "no comma"),
        ("1.0.1.0/33,CN", "`1.0.1.0/33` is no network"),
        ("1.0.1.7/24,CN", "write 1.0.1.0/24"),
        ("1.0.1.0/24,XX", "`XX` is not the code of a country"),
        ("apnic|CN|ipv4|1.0.1.0|256", "at least seven fields"),
        (
            "apnic|CN|ipv4|1.0.1|256|20110414|allocated",
            "no IPv4 address",
        ),
        (
            "apnic|CN|ipv4|1.0.1.0|0|20110414|allocated",
            "`0` is no number",
        ),
        (
            "apnic|CN|ipv4|255.255.255.0|257|20110414|allocated",
            "no number of addresses from",
        ),
        (
            "apnic|CN|ipv6|240e::1|20|20110414|allocated",
            "no IPv6 network",
        ),
        (
            "apnic|CN|ipv6|240e::|129|20110414|allocated",
            "no IPv6 network",
        ),
        (
            "apnic|CN|ipx|240e::|20|20110414|allocated",
            "`ipx` is neither",
        ),
        ("\u{1f}\u{8b}binary", "no comma"),
    ] {
        let error = Reading::of(&format!("# ours\n1.0.0.0/24,AU\n{line}\n"), "my.csv").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Input);
        assert!(error.what.starts_with("my.csv:3: "), "{}", error.what);
        let told = format!("{:?} {:?}", error.causes, error.hints);
        assert!(told.contains(why), "{line}: {told}");
    }
}

#[test]
fn the_smaller_network_wins_and_of_equal_ones_the_later() {
    let found =
        networks("10.0.0.0/8,US\n10.1.0.0/16,CN\n10.1.2.0/24,JP\n10.1.2.0/24,KR\n0.0.0.0/0,AU\n");
    for (inside, code) in [
        ("10.0.0.1", "US"),
        ("10.1.0.1", "CN"),
        ("10.1.2.1", "KR"),
        ("10.1.3.1", "CN"),
        ("10.2.0.0", "US"),
        ("9.255.255.255", "AU"),
        ("255.255.255.255", "AU"),
    ] {
        assert_eq!(country(&found, inside), Some(code), "{inside}");
    }
}

#[test]
fn networks_of_ones_own_win_over_the_built_in_ones_however_large_they_are() {
    let own = networks("1.0.0.0/8,US\n240e::/16,JP\n");
    let built_in = Networks::built_in().unwrap();
    assert_eq!(country(&built_in, "1.0.1.1"), Some("CN"));
    let both = built_in.under(&own);
    assert_eq!(country(&both, "1.0.1.1"), Some("US"));
    assert_eq!(country(&both, "240e::1"), Some("JP"));
    assert_eq!(country(&both, "8.8.8.8"), Some("US"));
    assert_eq!(country(&both, "0.255.255.255"), None);
}

#[test]
fn built_in_networks_know_a_continent_for_every_address_that_a_registry_gives_out() {
    let built_in = Networks::built_in().unwrap();
    for (inside, continent) in [
        ("3.0.0.1", Continent::NA),
        ("223.255.0.1", Continent::AS),
        ("95.1.0.1", Continent::EU),
        ("201.0.0.1", Continent::SA),
        ("197.0.0.1", Continent::AF),
        ("2600::1", Continent::NA),
        ("2408:8000::1", Continent::AS),
        ("2a10::1", Continent::EU),
    ] {
        let found = built_in.place_of(address(inside));
        assert_eq!(found, Some(Place::Continent(continent)), "{inside}");
    }
    for nobodys in ["10.0.0.1", "127.0.0.1", "224.0.0.1", "fe80::1", "3000::1"] {
        assert_eq!(built_in.place_of(address(nobodys)), None, "{nobodys}");
    }
}

#[test]
fn nets_name_the_fewest_networks_and_leave_out_what_the_default_serves() {
    // 1.0.0.0/22 but for 1.0.2.0/24, which is Japan's; North America is the default's.
    let lines = "1.0.0.0/24,CN\n1.0.1.0/24,KR\n1.0.2.0/24,JP\n1.0.3.0/24,CN\n1.0.4.0/22,IN\n8.8.8.0/24,US\n";
    let expected = [
        "1.0.0.0/23 => [ cn, us ]",
        "1.0.3.0/24 => [ cn, us ]",
        "1.0.4.0/22 => [ cn, us ]",
    ];
    assert_eq!(compiled(lines), expected);
    let reversed: Vec<&str> = lines.lines().rev().collect();
    assert_eq!(compiled(&reversed.join("\n")), expected);
}

#[test]
fn nets_leave_out_ipv4_in_ipv6s_clothes_which_gdnsd_refuses() {
    let expected = ["2000::/16 => [ cn, us ]", "2003::/16 => [ cn, us ]"];
    let whole = compiled("2000::/14,CN\n2001::/16,US\n64:ff9b::/96,CN\n::/64,CN\n");
    assert_eq!(whole, expected);
    assert_eq!(
        compiled("::/0,CN\n")
            .iter()
            .filter(|line| line.starts_with("2001:1::"))
            .count(),
        1
    );
}

#[test]
fn a_third_region_is_asked_after_the_default() {
    let (mut routing, mut regions) = routing();
    let eu: RegionName = "eu".parse().unwrap();
    routing.continents.insert(Continent::EU, eu.clone());
    regions.insert(0, eu);
    let text = nets(
        &networks("2.0.0.0/16,FR\n1.0.1.0/24,CN\n"),
        &routing,
        &regions,
    );
    assert_eq!(
        text,
        "1.0.1.0/24 => [ cn, us, eu ]\n2.0.0.0/16 => [ eu, us, cn ]\n"
    );
}

#[test]
fn a_table_is_dated_and_read_back_the_same_and_a_changed_one_is_refused() {
    let files = "2.3|apnic|1|2|19830613|20261122|+1000\napnic|CN|ipv4|1.0.1.0|768|20110414|allocated\n\
                 apnic|AP|ipv4|49.0.0.0|256|20100910|assigned\napnic|CN|ipv6|240e::|20|20131114|allocated\n\
                 ripencc|QQ|ipv4|5.0.0.0|256|20131114|allocated\n";
    let reading = Reading::of(files, "delegated").unwrap();
    assert_eq!(reading.unknown, 1);
    let table = reading.networks().table(&reading.days);
    assert!(table.contains("from apnic 20261122\n"), "{table}");
    assert!(
        table.ends_with("1.0.1.0/24,CN\n1.0.2.0/23,CN\n49.0.0.0/24,AP\n240e::/20,CN\n"),
        "{table}"
    );
    assert_eq!(networks(&table), reading.networks());
    let changed = table.replace("1.0.2.0/23,CN", "1.0.2.0/23,US");
    let error = Reading::of(&changed, "table.csv").unwrap_err();
    assert!(error.what.contains("table.csv is not as"), "{}", error.what);
    assert!(
        error.hints[0].contains("remove its line"),
        "{:?}",
        error.hints
    );
}

#[test]
fn the_whole_space_is_one_network_of_each_family() {
    let found = networks("0.0.0.0/0,CN\n::/0,CN\n");
    assert_eq!(country(&found, "255.255.255.255"), Some("CN"));
    assert_eq!(country(&found, "ffff::ffff"), Some("CN"));
    let table = found.table(&std::collections::BTreeMap::new());
    assert!(table.ends_with("\n0.0.0.0/0,CN\n::/0,CN\n"), "{table}");
    let all = networks("::/0,CN\nffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127,US\n");
    assert_eq!(
        country(&all, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        Some("US")
    );
    assert_eq!(
        country(&all, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffd"),
        Some("CN")
    );
}
