use super::super::lines::tests::lines;
use super::*;

const LINES: [(&str, &str, bool); 6] = [
    ("0", "默认", true),
    ("7=0", "境内", true),
    ("a", "亚洲", true),
    ("b", "北美洲", true),
    ("c", "日本", true),
    ("d", "德国", false),
];

fn routing(default: &str, continents: &[(&str, &str)], countries: &[(&str, &str)]) -> Routing {
    let region = |name: &str| name.parse().unwrap();
    Routing {
        default: region(default),
        continents: continents
            .iter()
            .map(|(code, name)| (code.parse().unwrap(), region(name)))
            .collect(),
        countries: countries
            .iter()
            .map(|(code, name)| (code.parse().unwrap(), region(name)))
            .collect(),
    }
}

fn used(routing: &Routing, lines: &Lines) -> Vec<(String, String)> {
    let routes = routes(routing, lines);
    let used = routes.iter();
    used.map(|route| (route.line.id.clone(), route.region.to_string()))
        .collect()
}

fn pair(line: &str, region: &str) -> (String, String) {
    (line.to_owned(), region.to_owned())
}

#[test]
fn only_places_that_differ_from_what_is_around_them_get_a_line_and_china_wherever_asia_does() {
    let lines = lines(&LINES);
    let two = routing(
        "us",
        &[("NA", "us"), ("AS", "cn")],
        &[("JP", "cn"), ("US", "us")],
    );
    assert_eq!(used(&two, &lines), [pair("a", "cn"), pair("7=0", "cn")]);
    let other = routing(
        "cn",
        &[("NA", "us"), ("AS", "us")],
        &[("CN", "cn"), ("JP", "cn")],
    );
    assert_eq!(
        used(&other, &lines),
        [
            pair("a", "us"),
            pair("b", "us"),
            pair("7=0", "cn"),
            pair("c", "cn")
        ]
    );
    assert_eq!(used(&routing("us", &[], &[]), &lines), []);
}

#[test]
fn where_every_line_is_there_every_country_gets_what_is_asked_for() {
    let mut all = LINES;
    all[5].2 = true;
    let lines = lines(&all);
    let routing = routing(
        "us",
        &[("NA", "us"), ("AS", "cn")],
        &[("JP", "us"), ("DE", "cn"), ("CN", "us")],
    );
    let routes = routes(&routing, &lines);
    for country in Country::all() {
        assert_eq!(
            answer(&routing, &routes, country),
            wanted(&routing, country),
            "{country}"
        );
    }
    assert_eq!(
        differences(&routing, &routes, &lines, "DP_ULTRA"),
        [] as [&str; 0]
    );
}

#[test]
fn whoever_is_answered_differently_is_named_with_the_reason() {
    let few = lines(&LINES);
    let asked = routing("us", &[("AN", "cn")], &[("DE", "cn"), ("FR", "cn")]);
    let said = differences(&asked, &routes(&asked, &few), &few, "DP_FREE");
    assert_eq!(
        said,
        [
            "all of Antarctica (5 countries) gets the address of us instead of cn: DNSPod lists no line for it here",
            "Germany (DE) gets the address of us instead of cn: the line 德国 needs the plan DP_PLUS, and the zone has DP_FREE",
            "France (FR) gets the address of us instead of cn: DNSPod lists no line for it here",
        ]
    );
    // With 境内 missing too, nobody is answered apart, and it is said of both.
    let none = lines(&LINES[..1]);
    let asked = routing("us", &[("AS", "cn")], &[]);
    let said = differences(&asked, &routes(&asked, &none), &none, "DP_FREE");
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("Asia but CN (52 countries)"),
        "{said:?}"
    );
    assert!(said[1].starts_with("China (CN)"), "{said:?}");
}
