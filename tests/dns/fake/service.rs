//! The service behind the fake.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use geodeploy::dns::{Handles, Lock};
use geodeploy::error::{Error, ErrorKind};
use geodeploy::plan::{Attributes, Change, Id, Kind, Value};
use tokio::sync::Notify;

/// The service: what is in the zone, and what the test does to it.
#[derive(Default)]
pub(crate) struct Service {
    state: Mutex<State>,
    pub(super) mutations: AtomicUsize,
    pub(super) calls: AtomicUsize,
    pub(super) died: Notify,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) objects: BTreeMap<Id, (String, Attributes)>,
    pub(super) lock: Option<Lock>,
    created: usize,
    /// The number of the call that is not answered, and whether it is carried out.
    pub(super) dies: Option<(usize, bool)>,
    /// How long an `apply` takes.
    pub(super) slow: Duration,
    /// What every call is refused with.
    pub(super) refusal: Option<Error>,
    /// What `desired` says of the plan.
    pub(super) degraded: Vec<String>,
}

impl Service {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// One call: carried out and answered, unless it is the one at which the caller dies.
    pub(super) async fn call<T>(&self, writes: bool, act: impl FnOnce(&mut State) -> T) -> T {
        // The network lets others come in between.
        tokio::task::yield_now().await;
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = {
            let mut state = self.state();
            let dies = state.dies.filter(|(at, _)| *at == number);
            if dies.is_none_or(|(_, carried_out)| carried_out) {
                self.mutations
                    .fetch_add(usize::from(writes), Ordering::SeqCst);
                let answer = act(&mut state);
                dies.is_none().then_some(answer)
            } else {
                None
            }
        };
        match answer {
            Some(answer) => answer,
            None => {
                self.died.notify_one();
                std::future::pending().await
            }
        }
    }

    pub(crate) fn slow(&self, each: Duration) {
        self.state().slow = each;
    }

    pub(crate) fn refuse(&self, error: Option<Error>) {
        self.state().refusal = error;
    }

    pub(crate) fn degrade(&self, sentence: &str) {
        self.state().degraded.push(sentence.to_owned());
    }

    pub(crate) fn steal(&self, lock: Lock) {
        self.state().lock = Some(lock);
    }

    pub(crate) fn lock(&self) -> Option<Lock> {
        self.state().lock.clone()
    }

    pub(crate) fn contains(&self, id: &Id) -> bool {
        self.state().objects.contains_key(id)
    }

    /// Puts an object there as somebody else would.
    pub(crate) fn put(&self, id: Id, attributes: Attributes) -> String {
        self.state().put(id, attributes)
    }
}

impl State {
    fn put(&mut self, id: Id, attributes: Attributes) -> String {
        self.created += 1;
        let handle = format!("fake-{:04}", self.created);
        let entry = self.objects.entry(id);
        let (handle, kept) = entry.or_insert((handle, Attributes::new()));
        *kept = attributes;
        handle.clone()
    }

    pub(super) fn apply(&mut self, change: &Change, handles: &mut Handles) -> Result<(), Error> {
        let refuse = |why: String| Err(Error::new(ErrorKind::Failed, why));
        let there = self
            .objects
            .get(&change.id)
            .map(|(_, attributes)| attributes);
        if there != change.before.as_ref() {
            return refuse(format!("{} is not as the call says", change.id));
        }
        match &change.after {
            Some(after) => {
                let dangling = pools(after)
                    .into_iter()
                    .find(|pool| !self.objects.contains_key(pool));
                if let Some(pool) = dangling {
                    return refuse(format!("{} refers to {pool}, which is missing", change.id));
                }
                let handle = self.put(change.id.clone(), after.clone());
                handles.insert(change.id.clone(), handle);
            }
            None => {
                let users = self.objects.values();
                if users
                    .flat_map(|(_, one)| pools(one))
                    .any(|pool| pool == change.id)
                {
                    return refuse(format!("{} is referred to", change.id));
                }
                self.objects.remove(&change.id);
            }
        }
        Ok(())
    }
}

pub(super) fn pools(attributes: &Attributes) -> Vec<Id> {
    match attributes.get("pools") {
        Some(Value::List(names)) => names.iter().map(|name| Id::new(Kind::Pool, name)).collect(),
        _ => Vec::new(),
    }
}
