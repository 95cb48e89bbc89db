//! What is planned and written, and what is left alone.

use geodeploy::dns::{LIFETIME, Looked, Provider, Target};
use geodeploy::error::ErrorKind;
use geodeploy::plan::Id;

use super::{Backend, Operator, us};

type Look<B> = Looked<<<B as Backend>::Provider as Provider>::Context>;

pub(crate) async fn a_plan_sends_no_call_that_could_write<B: Backend>() {
    let backend = B::start().await;
    backend.seed_foreign(3).await;
    let (before, calls) = (backend.dump().await, backend.mutations());
    let looked: Look<B> = Operator::new(backend.provider()).look().await;
    assert!(
        looked.reconciled.plan.counts().0 >= 6,
        "{:?}",
        looked.reconciled
    );
    let text = looked.reconciled.plan.render(Default::default());
    for name in ["us.yourapp.com A", "203.0.113.10", "2001:db8:2::20"] {
        assert!(text.contains(name), "{name} in {text}");
    }
    assert_eq!(backend.mutations(), calls);
    assert_eq!(backend.dump().await, before);
}

pub(crate) async fn a_second_sync_changes_nothing_and_sends_no_call_that_could_write<B: Backend>() {
    let backend = B::start().await;
    backend.seed_foreign(3).await;
    let changes = Operator::new(backend.provider()).sync().await.unwrap();
    assert!(changes >= 6, "{changes}");
    backend.assert_invariants().await;
    let (after, calls) = (backend.dump().await, backend.mutations());
    let second = Operator::new(backend.provider());
    assert!(second.look().await.reconciled.is_empty());
    assert_eq!(second.sync().await, Ok(0));
    assert_eq!(backend.mutations(), calls);
    assert_eq!(backend.dump().await, after);
}

pub(crate) async fn fifty_foreign_objects_stay_byte_for_byte<B: Backend>() {
    let backend = B::start().await;
    backend.seed_foreign(50).await;
    let before = backend.foreign().await;
    Operator::new(backend.provider()).sync().await.unwrap();
    assert_eq!(backend.foreign().await, before);
    // Nor do they go where names of ours do.
    let mut smaller = Operator::new(backend.provider()).deleting("cn-server.yourapp.com");
    smaller.wanted.hosts.pop();
    smaller.sync().await.unwrap();
    assert_eq!(backend.foreign().await, before);
}

pub(crate) async fn what_is_ours_goes_only_when_it_is_named<B: Backend>() {
    let backend = B::start().await;
    Operator::new(backend.provider()).sync().await.unwrap();
    let (before, calls) = (backend.dump().await, backend.mutations());
    let mut silent = Operator::new(backend.provider());
    silent.wanted.hosts.pop();
    let error = silent.sync().await.unwrap_err();
    assert!(
        error.hints[0].contains("--delete cn-server.yourapp.com"),
        "{error:?}"
    );
    assert_eq!((backend.dump().await, backend.mutations()), (before, calls));

    let mut naming = Operator::new(backend.provider()).deleting("cn-server.yourapp.com");
    naming.wanted.hosts.pop();
    naming.sync().await.unwrap();
    assert!(naming.look().await.reconciled.is_empty());
}

pub(crate) async fn a_foreign_record_in_the_way_stops_with_its_id_until_it_is_adopted_by_name<
    B: Backend,
>() {
    let backend = B::start().await;
    let handle = backend.seed_conflict().await;
    let (before, calls) = (backend.dump().await, backend.mutations());
    let operator = Operator::new(backend.provider()).adopting("cn.yourapp.com");
    let looked: Look<B> = operator.look().await;
    assert_eq!(looked.reconciled.conflicts[0].handle, handle);
    let error = operator.sync().await.unwrap_err();
    let text = format!("{error:?}");
    for part in [&*handle, "192.0.2.99", "--adopt us.yourapp.com"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!((backend.dump().await, backend.mutations()), (before, calls));

    let adopting = Operator::new(backend.provider()).adopting("us.yourapp.com");
    adopting.sync().await.unwrap();
    assert_eq!(Operator::new(backend.provider()).sync().await, Ok(0));
}

pub(crate) async fn a_zone_that_moved_since_the_plan_was_shown_is_left_alone<B: Backend>() {
    let backend = B::start().await;
    let operator = Operator::new(backend.provider());
    let shown = operator.look().await;
    backend.seed_conflict().await;
    let before = backend.dump().await;
    let outcome = operator
        .carry_out(Target::Inventory, &shown, LIFETIME)
        .await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stale, "{error:?}");
    assert!(error.causes[0].contains("us.yourapp.com A"), "{error:?}");
    assert_eq!(backend.dump().await, before);
    assert!(operator.snapshots.lock().unwrap().is_empty());
}

pub(crate) async fn a_drift_is_seen_and_mended<B: Backend>() {
    let backend = B::start().await;
    Operator::new(backend.provider()).sync().await.unwrap();
    backend.meddle().await;
    let operator = Operator::new(backend.provider());
    let looked: Look<B> = operator.look().await;
    let changes = looked.reconciled.plan.changes.iter();
    let changed: Vec<&Id> = changes.map(|change| &change.id).collect();
    assert_eq!(changed, [&us()]);
    assert_eq!(operator.sync().await, Ok(1));
    assert!(operator.look().await.reconciled.is_empty());
}
