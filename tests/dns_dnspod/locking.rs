//! The lock in the zone.

use std::time::Duration;

use geodeploy::dns::dnspod::{Context, Dnspod};
use geodeploy::dns::{LockError, Provider};

use super::driver::{lock, look, provider, routing, wanted};
use super::fake::Fake;

async fn start(delay: Duration) -> (Fake, Dnspod, Dnspod, Context) {
    let fake = Fake::start("DP_FREE", delay).await;
    let (ada, bob) = (provider(&fake), provider(&fake));
    let look = look(&ada, &wanted(routing(&[])), false).await.unwrap();
    (fake, ada, bob, look.listing.context)
}

fn exists(answer: &Result<(), LockError>) -> bool {
    matches!(answer, Err(LockError::Exists))
}

#[tokio::test]
async fn of_two_runs_one_gets_the_zone_and_the_other_learns_who_has_it() {
    for delay in [Duration::ZERO, Duration::from_millis(300)] {
        let (_fake, ada, bob, context) = start(delay).await;
        let (adas, bobs) = (lock("ada@laptop 1", 60), lock("bob@ci 2", 60));
        let (one, other) = tokio::join!(
            ada.place_lock(&adas, &context),
            bob.place_lock(&bobs, &context)
        );
        assert!(exists(&one) != exists(&other), "{one:?} {other:?}");
        let (held, loser) = if one.is_ok() {
            (adas, bob)
        } else {
            (bobs, ada)
        };
        assert_eq!(loser.read_lock(&context).await.unwrap(), Some(held));
    }
}

#[tokio::test]
async fn a_lock_that_lapsed_is_taken_over_by_one_of_two() {
    let (fake, ada, bob, context) = start(Duration::ZERO).await;
    let stale = lock("eve@gone 0", -5);
    provider(&fake).place_lock(&stale, &context).await.unwrap();
    let (adas, bobs) = (lock("ada@laptop 1", 60), lock("bob@ci 2", 60));
    assert_eq!(ada.read_lock(&context).await.unwrap(), Some(stale.clone()));
    assert_eq!(bob.read_lock(&context).await.unwrap(), Some(stale.clone()));
    let (one, other) = tokio::join!(
        ada.replace_lock(&stale, Some(&adas), &context),
        bob.replace_lock(&stale, Some(&bobs), &context)
    );
    assert!(exists(&one) != exists(&other), "{one:?} {other:?}");
    let held = if one.is_ok() { adas } else { bobs };
    assert_eq!(bob.read_lock(&context).await.unwrap(), Some(held));
    assert_eq!(fake.world().zone.records.len(), 1);
}

#[tokio::test]
async fn a_lock_is_renewed_and_given_back_before_it_is_listed() {
    let (fake, ada, bob, context) = start(Duration::from_secs(60)).await;
    let (old, new) = (lock("ada@laptop 1", 60), lock("ada@laptop 1", 80));
    ada.place_lock(&old, &context).await.unwrap();
    ada.replace_lock(&old, Some(&new), &context).await.unwrap();
    assert!(exists(
        &bob.place_lock(&lock("bob@ci 2", 60), &context).await
    ));
    assert!(exists(&ada.replace_lock(&old, None, &context).await));
    ada.replace_lock(&new, None, &context).await.unwrap();
    assert_eq!(fake.world().zone.records, []);
}

#[tokio::test]
async fn a_lock_that_somebody_took_over_is_not_renewed() {
    let (_fake, ada, bob, context) = start(Duration::ZERO).await;
    let (adas, bobs) = (lock("ada@laptop 1", -1), lock("bob@ci 2", 60));
    ada.place_lock(&adas, &context).await.unwrap();
    assert_eq!(bob.read_lock(&context).await.unwrap(), Some(adas.clone()));
    bob.replace_lock(&adas, Some(&bobs), &context)
        .await
        .unwrap();
    let later = lock("ada@laptop 1", 60);
    let renewed = ada.replace_lock(&adas, Some(&later), &context).await;
    assert!(exists(&renewed));
    assert_eq!(ada.read_lock(&context).await.unwrap(), Some(bobs));
}

#[tokio::test]
async fn a_lock_is_no_object_of_the_zone() {
    let (fake, ada, _bob, context) = start(Duration::ZERO).await;
    ada.place_lock(&lock("ada@laptop 1", 60), &context)
        .await
        .unwrap();
    let look = look(&ada, &wanted(routing(&[])), false).await.unwrap();
    assert!(look.listing.objects.is_empty());
    assert_eq!(fake.world().zone.records[0].value, "geodeploy");
}
