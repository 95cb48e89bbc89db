//! What a run ends with where a provider refuses.

use geodeploy::dns::{Target, Task};
use geodeploy::error::{Error, ErrorKind};

use crate::fake::FakeBackend;
use crate::suite::{Backend, Operator, wanted};

#[tokio::test]
async fn a_provider_that_cannot_be_listed_ends_the_run_with_its_own_error_and_nothing_written() {
    for kind in [
        ErrorKind::Unreachable,
        ErrorKind::LoginRefused,
        ErrorKind::Failed,
    ] {
        let backend = FakeBackend::start().await;
        let refusal = Error::new(kind, "fake: 10000 Authentication error, request 7f3a");
        backend.0.refuse(Some(refusal.clone()));
        let provider = backend.provider();
        let task = Task {
            provider: &provider,
            wanted: &wanted(),
            target: Target::Inventory,
            consent: &Default::default(),
        };
        let Err(error) = task.look().await else {
            unreachable!("the provider refuses");
        };
        assert_eq!(error, refusal);
        assert_eq!(backend.mutations(), 0);
    }
}

#[tokio::test]
async fn answers_other_than_the_inventorys_need_a_flag_of_their_own() {
    let backend = FakeBackend::start().await;
    backend.0.degrade("Japan is answered by us");
    let mut operator = Operator::new(backend.provider());
    let error = operator.sync().await.unwrap_err();
    assert_eq!(error.causes, ["Japan is answered by us"]);
    assert!(error.hints[0].contains("--accept-degraded"), "{error:?}");
    assert_eq!(backend.mutations(), 0);
    operator.consent.degraded = true;
    operator.sync().await.unwrap();
}

#[tokio::test]
async fn what_another_project_owns_can_neither_be_adopted_nor_deleted() {
    let backend = FakeBackend::start().await;
    let id = geodeploy::plan::Id::new(geodeploy::plan::Kind::Record, "us.yourapp.com A");
    let attributes = geodeploy::plan::Attributes::new().text("owner", "geodeploy:blog");
    backend.0.put(id, attributes);
    let before = backend.dump().await;
    let operator = Operator::new(backend.provider())
        .adopting("us.yourapp.com")
        .deleting("us.yourapp.com");
    let error = operator.sync().await.unwrap_err();
    assert!(
        error.causes[0].contains("belongs to geodeploy:blog"),
        "{error:?}"
    );
    assert!(!error.hints.iter().any(|hint| hint.contains("--adopt")));
    assert_eq!(backend.dump().await, before);
}
