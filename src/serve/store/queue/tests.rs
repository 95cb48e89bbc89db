use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;

use super::{Full, LARGEST, Queue};
use crate::serve::store::{
    AgentSession, Answer, Conversation, DatabaseHealth, Message, Part, Store, StoreError, Write,
    record,
};

/// Fails as often as it is told to, and refuses one user.
#[derive(Default)]
struct Shaky {
    failures: AtomicUsize,
    taken: Mutex<Vec<Write>>,
}

impl Store for Shaky {
    fn health(&self) -> DatabaseHealth {
        DatabaseHealth::Ok
    }

    fn write(&self, batch: Vec<Write>) -> Answer<()> {
        let left = self.failures.load(Ordering::Relaxed);
        let answer = if left > 0 {
            self.failures.store(left - 1, Ordering::Relaxed);
            Err(StoreError::Unavailable("away".to_owned()))
        } else if batch.contains(&user("bad")) {
            Err(StoreError::Refused("too large".to_owned()))
        } else {
            self.taken.lock().unwrap().extend(batch);
            Ok(())
        };
        std::future::ready(answer).boxed()
    }

    fn conversations(
        &self,
        _: &str,
        _: Option<Timestamp>,
        _: NonZeroU32,
    ) -> Answer<Vec<Conversation>> {
        std::future::ready(Ok(Vec::new())).boxed()
    }

    fn messages(&self, _: &str, _: &str, _: Part) -> Answer<Option<Vec<Message>>> {
        std::future::ready(Ok(None)).boxed()
    }

    fn agent_session(&self, _: &str, _: &str, _: Timestamp) -> Answer<Option<AgentSession>> {
        std::future::ready(Ok(None)).boxed()
    }
}

fn user(id: &str) -> Write {
    Write::User {
        id: id.to_owned(),
        seen_at: Timestamp::UNIX_EPOCH,
    }
}

fn flushing(store: &Arc<Shaky>) -> Arc<Queue> {
    let queue = Arc::new(Queue::new(Arc::clone(store) as Arc<dyn Store>));
    let flushed = Arc::clone(&queue);
    tokio::spawn(async move { flushed.flush_for_ever().await });
    queue
}

#[tokio::test]
async fn writes_arrive_in_order_after_the_store_came_back() {
    let store = Arc::new(Shaky::default());
    store.failures.store(2, Ordering::Relaxed);
    let queue = flushing(&store);
    let writes: Vec<_> = (0..250).map(|number| user(&number.to_string())).collect();
    queue.begin(writes.clone()).unwrap();
    assert!(!queue.settled(Duration::from_millis(1)).await);
    assert_eq!(queue.depth(), 250);
    assert!(queue.settled(Duration::from_secs(60)).await);
    assert_eq!(*store.taken.lock().unwrap(), writes);
    assert_eq!(queue.depth(), 0);
}

#[tokio::test]
async fn a_refused_write_is_dropped_alone() {
    let store = Arc::new(Shaky::default());
    let queue = flushing(&store);
    queue
        .begin(vec![user("a"), user("bad"), user("b")])
        .unwrap();
    assert!(queue.settled(Duration::from_secs(5)).await);
    assert_eq!(*store.taken.lock().unwrap(), [user("a"), user("b")]);
    assert_eq!(queue.lost(), 1);
}

#[tokio::test]
async fn a_full_queue_takes_no_new_turn_but_the_end_of_one() {
    let queue = Queue::new(Arc::new(Shaky::default()));
    let message = Message {
        id: "1".to_owned(),
        user: "ann".to_owned(),
        session: "s".to_owned(),
        created_at: record::now(),
        role: "user".to_owned(),
        content: serde_json::Value::String("x".repeat(LARGEST / 20)),
        status: record::Status::Complete,
        finish_reason: None,
        usage: None,
    };
    let mut begun = 0;
    while queue.begin(vec![Write::Message(message.clone())]).is_ok() {
        begun += 1;
    }
    assert_eq!(begun, 17);
    assert_eq!(queue.finish(vec![Write::Message(message.clone())]), Ok(()));
    assert_eq!(queue.finish(vec![Write::Message(message.clone())]), Ok(()));
    assert_eq!(queue.finish(vec![Write::Message(message)]), Err(Full));
}

fn state(session: &str, rev: i64) -> Write {
    let state = AgentSession {
        user: "ann".to_owned(),
        session: session.to_owned(),
        rev,
        state: serde_json::json!({ "step": rev }),
        expires_at: Timestamp::UNIX_EPOCH,
    };
    Write::AgentSession(state, Timestamp::UNIX_EPOCH)
}

#[tokio::test]
async fn of_a_sessions_waiting_agent_states_only_the_newest_is_kept() {
    let store = Arc::new(Shaky::default());
    let queue = Queue::new(Arc::clone(&store) as Arc<dyn Store>);
    for write in [
        state("a", 1),
        user("x"),
        state("b", 1),
        state("a", 3),
        state("a", 2),
    ] {
        queue.begin(vec![write]).unwrap();
    }
    assert_eq!(queue.depth(), 4);
    let flushing = async { queue.flush_for_ever().await };
    tokio::select! {
        () = flushing => {}
        settled = queue.settled(Duration::from_secs(5)) => assert!(settled),
    }
    let expected = [state("a", 3), user("x"), state("b", 1), state("a", 2)];
    assert_eq!(*store.taken.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_state_on_its_way_is_not_exchanged() {
    let store = Arc::new(Shaky::default());
    store.failures.store(1, Ordering::Relaxed);
    let queue = flushing(&store);
    queue.begin(vec![state("a", 1)]).unwrap();
    assert!(!queue.settled(Duration::from_millis(50)).await);
    queue.begin(vec![state("a", 2)]).unwrap();
    assert_eq!(queue.depth(), 2);
    assert!(queue.settled(Duration::from_secs(5)).await);
    assert_eq!(*store.taken.lock().unwrap(), [state("a", 1), state("a", 2)]);
}
