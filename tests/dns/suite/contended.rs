//! Runs that die, and runs that meet.

use geodeploy::dns::{LIFETIME, Lease, Provider, Target, Term};
use geodeploy::error::ErrorKind;
use jiff::Timestamp;

use super::{Backend, Operator};

pub(crate) async fn a_run_killed_at_any_call_is_made_good_by_the_next<B: Backend>() {
    for carried_out in [false, true] {
        for call in 1.. {
            assert!(call < 200, "a run has no end");
            let backend = B::start().await;
            backend.seed_foreign(2).await;
            let foreign = backend.foreign().await;
            let run = Operator::new(backend.provider());
            let death = backend.death(call, carried_out);
            let survived = tokio::select! {
                biased;
                () = death => false,
                done = run.sync() => { done.unwrap(); true }
            };
            drop(run);
            if survived {
                break;
            }
            backend.assert_invariants().await;
            let again = Operator::new(backend.provider()).later();
            let what = format!("killed at call {call}, carried out: {carried_out}");
            let done = again.sync().await;
            assert!(done.is_ok(), "{what}: {done:?}");
            assert!(again.look().await.reconciled.is_empty(), "{what}");
            assert_eq!(backend.foreign().await, foreign, "{what}");
            backend.assert_invariants().await;
        }
    }
}

pub(crate) async fn a_zone_that_somebody_holds_is_refused_with_the_holder_until_the_lock_lapses<
    B: Backend,
>() {
    let backend = B::start().await;
    let provider = backend.provider();
    let held = Operator::new(backend.provider()).look().await;
    let term = Term {
        holder: "grace@desk 1",
        clock: &Timestamp::now,
        lifetime: LIFETIME,
    };
    let lease = Lease::take(&provider, &held.listing.context, term).await;
    let before = backend.dump().await;
    let error = Operator::new(backend.provider()).sync().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::LeaseHeld, "{error:?}");
    assert!(error.what.contains("grace@desk 1"), "{error:?}");
    assert_eq!(backend.dump().await, before);
    // Not given back: as a killed run leaves it.
    drop(lease);
    let later = Operator::new(backend.provider()).later();
    later.sync().await.unwrap();
    assert!(later.look().await.reconciled.is_empty());
    // And given back by the one that took it over.
    assert_eq!(Operator::new(backend.provider()).sync().await, Ok(0));
    let context = later.look().await.listing.context;
    assert_eq!(provider.read_lock(&context).await, Ok(None));
}

pub(crate) async fn of_two_syncs_at_once_one_wins<B: Backend>() {
    let backend = B::start().await;
    let one = Operator::new(backend.provider());
    let mut other = Operator::new(backend.provider());
    other.ahead = 1;
    let (shown, also) = (one.look().await, other.look().await);
    let (first, second) = tokio::join!(
        one.carry_out(Target::Inventory, &shown, LIFETIME),
        other.carry_out(Target::Inventory, &also, LIFETIME)
    );
    let (won, lost) = match (first, second) {
        (Ok(won), lost) => (won, lost),
        (lost, won) => (won.unwrap(), lost),
    };
    assert!(won >= 6);
    // The later one waits for nobody; where it comes when the first has done, the zone has moved.
    let lost = lost.unwrap_err();
    assert!(
        matches!(lost.kind, ErrorKind::LeaseHeld | ErrorKind::Stale),
        "{lost:?}"
    );
    assert_eq!(Operator::new(backend.provider()).sync().await, Ok(0));
}
