//! A run that is cut off at any call: the next one finishes, and the default line is never absent.

use std::time::Duration;

use geodeploy::dns::Wanted;

use super::driver::{look, provider, routing, sync, wanted};
use super::fake::{Cut, Fake, Record};

/// Takes the lock out of the zone, as its expiry does.
fn unlock(fake: &Fake) {
    let zone = &mut fake.world().zone;
    zone.records.retain(|record| record.kind != "TXT");
    zone.written();
}

fn plain(records: &[Record]) -> Vec<String> {
    let mut plain: Vec<String> = records
        .iter()
        .map(|record| {
            format!("{record:?}")
                .split_once("name")
                .unwrap()
                .1
                .to_owned()
        })
        .collect();
    plain.sort();
    plain
}

/// Cuts a run from `before` to `after` off at each of its calls, and lets another one finish.
async fn cut_everywhere(grade: &'static str, before: Option<&Wanted>, after: &Wanted, adopt: bool) {
    let start = async || {
        let fake = Fake::start(grade, Duration::ZERO).await;
        if let Some(before) = before {
            sync(&provider(&fake), before, false).await.unwrap();
        }
        if adopt {
            fake.world()
                .zone
                .seed("api", "CNAME", "0", "old.example.net.", "");
        }
        fake.world().calls.clear();
        fake
    };
    let whole = start().await;
    sync(&provider(&whole), after, adopt).await.unwrap();
    let calls = whole.world().calls.len();
    let end = plain(&whole.world().zone.records);
    assert!(calls > 10, "{calls}");
    for at in 1..=calls {
        for cut in [Cut::Request, Cut::Answer] {
            let fake = start().await;
            fake.world().dies_at = Some((at, cut));
            assert!(sync(&provider(&fake), after, adopt).await.is_err(), "{at}");
            fake.world().dies_at = None;
            unlock(&fake);
            sync(&provider(&fake), after, adopt).await.unwrap();
            assert_eq!(plain(&fake.world().zone.records), end, "call {at}, {cut:?}");
            assert_eq!(
                fake.world().zone.bare,
                [] as [String; 0],
                "call {at}, {cut:?}"
            );
            let left = look(&provider(&fake), after, adopt).await.unwrap();
            assert_eq!(left.changes, [], "call {at}, {cut:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_cut_off_at_any_call_is_finished_by_the_next() {
    cut_everywhere("DP_ULTRA", None, &wanted(routing(&[])), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_cut_off_at_any_call_is_finished_by_the_next() {
    let mut moved = wanted(routing(&[("CN", "us")]));
    moved.hosts.truncate(1);
    let mut default = routing(&[]);
    default.default = super::driver::region("cn");
    moved.geo.as_mut().unwrap().routing = default;
    cut_everywhere(
        "DP_ULTRA",
        Some(&wanted(routing(&[("JP", "us")]))),
        &moved,
        false,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adoption_cut_off_at_any_call_is_finished_by_the_next() {
    cut_everywhere("DP_FREE", None, &wanted(routing(&[])), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_cut_off_at_any_call_never_leaves_a_line_without_its_default() {
    let mut nothing = wanted(routing(&[]));
    nothing.hosts.clear();
    nothing.geo = None;
    cut_everywhere("DP_ULTRA", Some(&wanted(routing(&[]))), &nothing, false).await;
}
