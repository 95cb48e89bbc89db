//! What was written is listed late: no duplicate, and the right result.

use std::collections::BTreeMap;
use std::time::Duration;

use geodeploy::dns::Provider;

use super::driver::{look, provider, routing, sync, wanted};
use super::fake::{Fake, Record};

fn ids(records: &[Record]) -> Vec<String> {
    let mut ids: Vec<String> = records
        .iter()
        .map(|record| {
            format!(
                "{} {} {} {}",
                record.name, record.kind, record.line, record.value
            )
        })
        .collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn what_was_written_is_never_listed_late_twice() {
    let fake = Fake::start("DP_ULTRA", Duration::from_millis(400)).await;
    let wanted = wanted(routing(&[]));
    sync(&provider(&fake), &wanted, false).await.unwrap();
    let made = ids(&fake.world().zone.records);
    assert_eq!(made.len(), 10, "{made:?}");
    assert_eq!(sync(&provider(&fake), &wanted, false).await.unwrap(), 0);
    assert_eq!(ids(&fake.world().zone.records), made);
}

#[tokio::test]
async fn a_run_within_the_delay_of_one_that_was_cut_off_makes_no_duplicate() {
    let fake = Fake::start("DP_ULTRA", Duration::from_millis(700)).await;
    let wanted = wanted(routing(&[]));
    let dnspod = provider(&fake);
    let shown = look(&dnspod, &wanted, false).await.unwrap();
    let mut handles = BTreeMap::new();
    for step in dnspod
        .steps(&shown.changes, &shown.listing.context)
        .iter()
        .take(6)
    {
        dnspod
            .apply(step, &mut handles, &shown.listing.context)
            .await
            .unwrap();
    }
    assert_eq!(handles.len(), 6);
    let again = provider(&fake);
    let blind = look(&again, &wanted, false).await.unwrap();
    assert_eq!(blind.changes.len(), 10, "nothing is listed yet");
    assert_eq!(sync(&again, &wanted, false).await.unwrap(), 10);
    let made = ids(&fake.world().zone.records);
    assert_eq!(made.len(), 10, "{made:?}");
    assert_eq!(sync(&provider(&fake), &wanted, false).await.unwrap(), 0);
}
