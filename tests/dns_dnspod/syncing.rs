//! What a sync leads to: requirements of every provider, and the answers by line.

use std::time::Duration;

use geodeploy::dns::Mark;
use geodeploy::geography::{Continent, Country};
use geodeploy::plan::{Id, Kind};

use super::driver::{CN, US, look, provider, routing, sync, wanted};
use super::fake::{Fake, LINES, Record, Zone};

const NO_DELAY: Duration = Duration::ZERO;

/// The lines that a client of a country is in, the most specific first.
fn lines_of(country: Country) -> Vec<&'static str> {
    let named = |name: &str| {
        LINES
            .iter()
            .find(|line| line.name == name)
            .map(|line| line.id)
    };
    let own = match country.code() {
        "CN" => named("境内"),
        "JP" => named("日本"),
        _ => None,
    };
    let continent = match country.continent() {
        Continent::AS => "亚洲",
        Continent::NA => "北美洲",
        Continent::EU => "欧洲",
        Continent::AF => "非洲",
        Continent::OC => "大洋洲",
        Continent::SA => "南美洲",
        Continent::AN => "",
    };
    let abroad = if country.code() == "CN" {
        None
    } else {
        named("境外")
    };
    [own, named(continent), abroad]
        .into_iter()
        .flatten()
        .collect()
}

fn answer(zone: &Zone, country: Country) -> String {
    let answers = zone.answers("api", "A", &lines_of(country));
    assert_eq!(answers.len(), 1, "{country}");
    answers[0].clone()
}

#[tokio::test]
async fn a_look_sends_no_request_that_could_write() {
    let fake = Fake::start("DP_ULTRA", NO_DELAY).await;
    let dnspod = provider(&fake);
    let look = look(&dnspod, &wanted(routing(&[])), false).await.unwrap();
    assert_eq!(look.changes.len(), 10, "{:?}", look.changes);
    let world = fake.world();
    assert!(
        world
            .calls
            .iter()
            .all(|call| call.action.starts_with("Describe"))
    );
    assert_eq!(world.zone.records, []);
}

#[tokio::test]
async fn the_second_sync_changes_nothing_and_sends_nothing_that_writes() {
    let fake = Fake::start("DP_ULTRA", NO_DELAY).await;
    let wanted = wanted(routing(&[("JP", "us")]));
    assert_eq!(sync(&provider(&fake), &wanted, false).await.unwrap(), 12);
    // In another order, as a list may be.
    fake.world().zone.records.reverse();
    fake.world().zone.written();
    let writes = fake.writes();
    assert_eq!(sync(&provider(&fake), &wanted, false).await.unwrap(), 0);
    assert_eq!(fake.writes(), writes);
    assert_eq!(fake.world().zone.bare, [] as [String; 0]);
}

#[tokio::test]
async fn every_country_gets_the_address_that_the_one_table_says() {
    for countries in [
        &[][..],
        &[("JP", "us")],
        &[("CN", "us")],
        &[("JP", "us"), ("CN", "us")],
    ] {
        let fake = Fake::start("DP_ULTRA", NO_DELAY).await;
        let routing = routing(countries);
        let asked = wanted(routing.clone());
        let look = look(&provider(&fake), &asked, false).await.unwrap();
        assert_eq!(look.desired.degraded, [] as [String; 0]);
        sync(&provider(&fake), &asked, false).await.unwrap();
        let world = fake.world();
        for country in Country::all() {
            let address = if routing.region(country).0.as_str() == "cn" {
                CN
            } else {
                US
            };
            assert_eq!(
                answer(&world.zone, country),
                address,
                "{country} {countries:?}"
            );
        }
        assert_eq!(world.zone.answers("api", "A", &[]), [US]);
    }
}

#[tokio::test]
async fn where_asia_has_no_line_the_plan_says_who_is_answered_differently_and_is_exact() {
    let fake = Fake::start("DP_FREE", NO_DELAY).await;
    let routing = routing(&[("JP", "us")]);
    let asked = wanted(routing.clone());
    let look = look(&provider(&fake), &asked, false).await.unwrap();
    assert_eq!(
        look.desired.degraded,
        [
            "Asia but CN, JP (51 countries) gets the address of us instead of cn: \
          the line 亚洲 needs the plan DP_PLUS, and the zone has DP_FREE"
        ]
    );
    sync(&provider(&fake), &asked, false).await.unwrap();
    let world = fake.world();
    let mut different = 0;
    for country in Country::all() {
        let address = if routing.region(country).0.as_str() == "cn" {
            CN
        } else {
            US
        };
        different += usize::from(answer(&world.zone, country) != address);
    }
    assert_eq!(different, 51);
    assert_eq!(answer(&world.zone, "CN".parse().unwrap()), CN);
}

#[tokio::test]
async fn a_ttl_that_the_plan_does_not_allow_is_raised_and_it_is_said() {
    let fake = Fake::start("DP_FREE", NO_DELAY).await;
    let asked = wanted(routing(&[]));
    let look = look(&provider(&fake), &asked, false).await.unwrap();
    let note =
        "the TTL is 600 s instead of 60 s: the least that the plan DP_FREE of yourapp.com allows";
    assert!(
        look.desired.notes.iter().any(|text| text == note),
        "{:?}",
        look.desired.notes
    );
    sync(&provider(&fake), &asked, false).await.unwrap();
    assert!(
        fake.world()
            .zone
            .records
            .iter()
            .all(|record| record.ttl == 600)
    );

    let fake = Fake::start("DP_ULTRA", NO_DELAY).await;
    sync(&provider(&fake), &asked, false).await.unwrap();
    assert!(
        fake.world()
            .zone
            .records
            .iter()
            .all(|record| record.ttl == 60)
    );
}

#[tokio::test]
async fn what_is_not_ours_is_never_touched_and_is_named_where_it_is_in_the_way() {
    let fake = Fake::start("DP_ULTRA", NO_DELAY).await;
    let mut conflict = 0;
    {
        let mut world = fake.world();
        for number in 0..48 {
            let (name, value) = (format!("shop-{number}"), format!("192.0.2.{number}"));
            let remark = if number % 2 == 0 {
                ""
            } else {
                "geodeploy:other"
            };
            world
                .zone
                .seed(&name, "A", LINES[number % 4].id, &value, remark);
        }
        world
            .zone
            .seed("www", "CNAME", "0", "shop-0.yourapp.com.", "我们的网站");
        conflict += world.zone.seed("us", "A", "0", "192.0.2.99", "手工添加");
    }
    let before = fake.world().zone.records.clone();
    let dnspod = provider(&fake);
    let wanted = wanted(routing(&[]));
    let shown = look(&dnspod, &wanted, false).await.unwrap();
    assert_eq!(shown.conflicts.len(), 1);
    assert_eq!(shown.conflicts[0].handle, conflict.to_string());
    assert_eq!(
        shown.conflicts[0].object.id,
        Id::new(Kind::Record, "us.yourapp.com A")
    );
    assert_eq!(shown.conflicts[0].mark, Mark::Foreign);

    sync(&dnspod, &wanted, false).await.unwrap();
    let after = fake.world().zone.records.clone();
    assert_eq!(after[..50], before[..]);
    assert_eq!(after.len(), 59);

    // And back: everything of ours goes, nothing else does.
    let mut nothing = wanted.clone();
    nothing.hosts.clear();
    nothing.geo = None;
    assert_eq!(sync(&provider(&fake), &nothing, false).await.unwrap(), 9);
    assert_eq!(fake.world().zone.records, before);
    assert_eq!(
        fake.world()
            .zone
            .bare
            .iter()
            .filter(|name| name.contains("api"))
            .count(),
        0
    );
}

#[tokio::test]
async fn an_adopted_record_is_changed_in_place_and_an_alias_becomes_an_address_by_one_call() {
    let fake = Fake::start("DP_ULTRA", NO_DELAY).await;
    let (us, api) = {
        let zone = &mut fake.world().zone;
        let us = zone.seed("us", "A", "0", "192.0.2.99", "手工添加");
        zone.seed("us", "A", "0", "192.0.2.98", "");
        (us, zone.seed("api", "CNAME", "0", "old.example.net.", ""))
    };
    let wanted = wanted(routing(&[]));
    sync(&provider(&fake), &wanted, true).await.unwrap();
    let world = fake.world();
    let records = |name: &str, kind: &str| -> Vec<Record> {
        let here =
            |record: &&Record| record.name == name && record.kind == kind && record.line == "0";
        world.zone.records.iter().filter(here).cloned().collect()
    };
    assert_eq!(records("us", "A").len(), 1);
    assert!(records("us", "A")[0].id >= us);
    assert_eq!(records("us", "A")[0].value, US);
    assert_eq!(records("us", "A")[0].remark, "geodeploy:yourapp");
    assert_eq!(
        (records("api", "A")[0].id, records("api", "CNAME").len()),
        (api, 0)
    );
    assert_eq!(world.zone.bare, [] as [String; 0]);
}
