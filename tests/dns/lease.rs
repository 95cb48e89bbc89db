//! How a zone is held while a run is under way.

use std::time::Duration;

use geodeploy::dns::{Lock, Target};
use geodeploy::error::ErrorKind;
use geodeploy::plan::{Id, Kind};
use jiff::{SignedDuration, Timestamp};

use crate::fake::FakeBackend;
use crate::suite::{Backend, Operator};

/// The shortest lifetime that a lock in whole seconds can have and be renewed in time.
const LIFETIME: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_run_that_takes_longer_than_a_lock_lives_renews_it_and_gives_it_back() {
    let backend = FakeBackend::start().await;
    backend.0.slow(Duration::from_millis(600));
    let operator = Operator::new(backend.provider());
    let shown = operator.look().await;
    let run = operator.carry_out(Target::Inventory, &shown, LIFETIME);
    let other = async {
        tokio::time::sleep(LIFETIME + Duration::from_millis(500)).await;
        Operator::new(backend.provider()).sync().await
    };
    let (run, other) = tokio::join!(run, other);
    assert_eq!(run, Ok(9));
    assert_eq!(other.unwrap_err().kind, ErrorKind::LeaseHeld);
    assert_eq!(backend.0.lock(), None);
}

#[tokio::test]
async fn a_run_whose_zone_was_taken_over_makes_no_further_call() {
    let backend = FakeBackend::start().await;
    backend.0.slow(Duration::from_millis(600));
    let operator = Operator::new(backend.provider());
    let shown = operator.look().await;
    let theirs = Lock {
        holder: "grace@desk 1".to_owned(),
        expires: Timestamp::now() + SignedDuration::from_secs(60),
    };
    let run = operator.carry_out(Target::Inventory, &shown, LIFETIME);
    let thief = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        backend.0.steal(theirs.clone());
    };
    let (run, ()) = tokio::join!(run, thief);
    let error = run.unwrap_err();
    assert_eq!(error.kind, ErrorKind::LeaseHeld, "{error:?}");
    assert!(error.what.starts_with("done: "), "{error:?}");
    assert!(error.causes[0].contains("grace@desk 1"), "{error:?}");
    let last = Id::new(Kind::LoadBalancer, "api.yourapp.com");
    assert!(!backend.0.contains(&last));
    assert_eq!(backend.0.lock(), Some(theirs));
}
