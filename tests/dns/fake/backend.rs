//! The fake behind the suite.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use geodeploy::plan::{Attributes, Id, Kind};

use super::service::pools;
use super::{Fake, Service};
use crate::suite::Backend;

/// The fake behind the suite.
pub(crate) struct FakeBackend(pub(crate) Arc<Service>);

impl Backend for FakeBackend {
    type Provider = Fake;

    async fn start() -> Self {
        Self(Arc::default())
    }

    fn provider(&self) -> Fake {
        Fake(Arc::clone(&self.0))
    }

    async fn seed_foreign(&self, count: usize) {
        for number in 0..count {
            let name = match number % 3 {
                0 => format!("foreign-{number}.yourapp.com A"),
                1 => format!("foreign-{number}.yourapp.com CNAME"),
                _ => "us.yourapp.com MX".to_owned() + &number.to_string(),
            };
            let attributes = Attributes::new().text("value", number.to_string());
            self.0.put(Id::new(Kind::Record, name), attributes);
        }
    }

    async fn seed_conflict(&self) -> String {
        let attributes = Attributes::new()
            .text("ttl", "300")
            .list("values", vec!["192.0.2.99".to_owned()]);
        let id = Id::new(Kind::Record, "us.yourapp.com A");
        self.0.put(id, attributes)
    }

    async fn meddle(&self) {
        let id = Id::new(Kind::Record, "us.yourapp.com A");
        let mut state = self.0.state();
        let (_, attributes) = state.objects.get_mut(&id).unwrap();
        let changed = std::mem::take(attributes);
        *attributes = changed.list("values", vec!["192.0.2.77".to_owned()]);
    }

    async fn foreign(&self) -> String {
        let state = self.0.state();
        let all = state.objects.iter();
        let foreign = all.filter(|(_, (_, attributes))| attributes.get("owner").is_none());
        format!("{:#?}", foreign.collect::<Vec<_>>())
    }

    async fn dump(&self) -> String {
        let state = self.0.state();
        format!("{:#?} {:#?}", state.objects, state.lock)
    }

    fn mutations(&self) -> usize {
        self.0.mutations.load(Ordering::SeqCst)
    }

    fn death(&self, call: usize, carried_out: bool) -> impl Future<Output = ()> {
        let now = self.0.calls.load(Ordering::SeqCst);
        self.0.state().dies = Some((now + call, carried_out));
        self.0.died.notified()
    }

    async fn assert_invariants(&self) {
        let state = self.0.state();
        let users = state.objects.values();
        for pool in users.flat_map(|(_, attributes)| pools(attributes)) {
            assert!(state.objects.contains_key(&pool), "{pool} is missing");
        }
    }
}
