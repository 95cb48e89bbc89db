//! The way back.

use geodeploy::dns::{Found, Listing, Mark, Object, Snapshot};
use geodeploy::error::ErrorKind;
use geodeploy::plan::Verb;

use super::{Backend, Operator, us};

/// What there is, in an order of its own, without the provider's ids.
fn objects<C>(listing: &Listing<C>) -> Vec<(Object, Mark)> {
    let of = |found: &Found| (found.object.clone(), found.mark.clone());
    let mut objects: Vec<(Object, Mark)> = listing.objects.iter().map(of).collect();
    objects.sort_by(|one, other| one.0.id.cmp(&other.0.id));
    objects
}

/// A zone with a foreign `us.yourapp.com A`, and the snapshot of the sync that took it over.
async fn adopted<B: Backend>(backend: &B) -> Snapshot {
    let operator = Operator::new(backend.provider()).adopting("us.yourapp.com");
    operator.sync().await.unwrap();
    let mut snapshots = operator.snapshots.into_inner().unwrap();
    assert_eq!(snapshots.len(), 1);
    snapshots.remove(0)
}

/// An operator who agrees to delete everything that the sync made.
fn thorough<B: Backend>(backend: &B, snapshot: &Snapshot) -> Operator<B::Provider> {
    let created = snapshot.planned.iter();
    let created = created.filter(|change| change.verb() == Verb::Create);
    created.fold(Operator::new(backend.provider()), |operator, change| {
        operator.deleting(&change.id.name)
    })
}

pub(crate) async fn rollback_restores_what_there_was_and_gives_back_what_was_adopted<B: Backend>() {
    let backend = B::start().await;
    backend.seed_conflict().await;
    let before = Operator::new(backend.provider()).look().await;
    let snapshot = adopted(&backend).await;
    let text = snapshot.to_json().unwrap();
    for secret in backend.secrets() {
        assert!(!text.contains(&secret), "a secret in {text}");
    }
    let snapshot = Snapshot::parse(&text, "snapshot").unwrap();

    let refused = Operator::new(backend.provider())
        .back(&snapshot, &snapshot)
        .await;
    assert!(refused.unwrap_err().hints[0].contains("--delete"));
    let operator = thorough(&backend, &snapshot);
    operator.back(&snapshot, &snapshot).await.unwrap();
    let after = Operator::new(backend.provider()).look().await;
    assert_eq!(objects(&after.listing), objects(&before.listing));
    let newest = operator.snapshots.lock().unwrap()[0].clone();
    assert_eq!(operator.back(&snapshot, &newest).await, Ok(0));
}

pub(crate) async fn rollback_refuses_and_names_what_somebody_else_has_changed<B: Backend>() {
    let backend = B::start().await;
    backend.seed_conflict().await;
    let snapshot = adopted(&backend).await;
    backend.meddle().await;
    let (before, calls) = (backend.dump().await, backend.mutations());
    let operator = thorough(&backend, &snapshot);
    let error = operator.back(&snapshot, &snapshot).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stale, "{error:?}");
    assert!(error.what.contains(&us().to_string()), "{error:?}");
    assert_eq!((backend.dump().await, backend.mutations()), (before, calls));
}
