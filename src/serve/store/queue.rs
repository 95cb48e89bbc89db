//! Writes on their way to the store: in memory, in order, repeated until the store has them.
//!
//! A user never waits for the database. The price is what a killed process (SIGKILL, power cut, out of memory) loses:
//!
//! - While the database answers: what came since the batch under way was taken, so about one round trip's worth, and that
//!   batch itself if it had not arrived. Of an answer that is still being streamed, all of it: it is queued when it ends.
//! - While the database does not answer: everything since it stopped, at most [`LARGEST`] bytes.
//!
//! SIGTERM loses nothing while the database answers: the process ends after the queue is empty, or says how many writes
//! are left. A write is lost in two more cases, each counted by [`Queue::lost`] and logged: an answer that finds the queue
//! full, and what the database will never take.
//!
//! Batches may be repeated as a whole, since each [`Write`] may. So a journal on disk can stand between this queue and
//! the store without a change of [`Store`]: an entry leaves it when its batch was taken.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::{AgentSession, Store, StoreError, Write};

/// The most bytes that may be queued, by [`Write::size`].
pub const LARGEST: usize = 64 << 20;
/// Above this no new conversation turn is taken; those under way use the rest.
const NEARLY_FULL: usize = LARGEST / 10 * 9;
/// The most writes that go to the store at once.
const BATCH: usize = 100;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Writes on their way to a store.
pub struct Queue {
    store: Arc<dyn Store>,
    waiting: Mutex<Waiting>,
    more: Notify,
    /// How many writes the store has had, counted from the beginning.
    done: watch::Sender<u64>,
    lost: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    writes: VecDeque<Write>,
    bytes: usize,
    /// How many of the first are being brought to the store.
    under_way: usize,
    /// How many writes were ever queued.
    total: u64,
}

impl Waiting {
    /// Adds a write. Of a session's agent state only the newest needs to reach the store: it takes the place of the one
    /// that waits, so that saving it often under an outage fills no queue.
    fn add(&mut self, write: Write) {
        self.bytes += write.size();
        if let Write::AgentSession(new, _) = &write
            && let Some(older) = self.older(new)
        {
            let gone = std::mem::replace(older, write);
            self.bytes -= gone.size();
            return;
        }
        self.total += 1;
        self.writes.push_back(write);
    }

    fn older(&mut self, new: &AgentSession) -> Option<&mut Write> {
        let idle = self.writes.range_mut(self.under_way..);
        idle.rev().find(|write| match write {
            Write::AgentSession(state, _) => {
                state.user == new.user && state.session == new.session && state.rev < new.rev
            }
            _ => false,
        })
    }

    /// The writes of the next batch, which stay queued until the store has them.
    fn take_up(&mut self) -> Vec<Write> {
        let batch: Vec<Write> = self.writes.iter().take(BATCH).cloned().collect();
        self.under_way = batch.len();
        batch
    }
}

/// The queue has no room for what a server should not lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Queue {
    /// An empty queue. Nothing reaches the store until [`Queue::flush_for_ever`] runs.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            waiting: Mutex::default(),
            more: Notify::new(),
            done: watch::Sender::new(0),
            lost: AtomicU64::new(0),
        }
    }

    /// Queues the first writes of a turn.
    ///
    /// # Errors
    ///
    /// [`Full`] when nine tenths of the room are taken.
    pub fn begin(&self, writes: Vec<Write>) -> Result<(), Full> {
        self.push(writes, NEARLY_FULL)
    }

    /// Queues the last writes of a turn that was begun.
    ///
    /// # Errors
    ///
    /// [`Full`] when there is no room at all.
    pub fn finish(&self, writes: Vec<Write>) -> Result<(), Full> {
        self.push(writes, LARGEST)
    }

    fn push(&self, writes: Vec<Write>, limit: usize) -> Result<(), Full> {
        let bytes: usize = writes.iter().map(Write::size).sum();
        let mut waiting = self.waiting();
        if waiting.bytes + bytes > limit {
            return Err(Full);
        }
        for write in writes {
            waiting.add(write);
        }
        drop(waiting);
        self.more.notify_one();
        Ok(())
    }

    /// Counts writes that no store will ever have.
    pub fn lose(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
    }

    /// How many writes were lost so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// How many writes the store does not have yet.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.waiting().total - *self.done.borrow()
    }

    /// Whether new turns should be refused, so that those under way find room.
    #[must_use]
    pub fn nearly_full(&self) -> bool {
        self.waiting().bytes > NEARLY_FULL
    }

    /// Waits until the store has everything that is queued now; false if that takes longer than `wait`.
    pub async fn settled(&self, wait: Duration) -> bool {
        let total = self.waiting().total;
        let mut done = self.done.subscribe();
        let all = done.wait_for(|done| *done >= total);
        matches!(tokio::time::timeout(wait, all).await, Ok(Ok(_)))
    }

    /// Brings writes to the store, one batch after the other.
    pub async fn flush_for_ever(&self) {
        loop {
            let batch = self.waiting().take_up();
            if batch.is_empty() {
                self.more.notified().await;
                continue;
            }
            let size = batch.len();
            if let Err(StoreError::Refused(why)) = self.deliver(batch.clone()).await {
                if size > 1 {
                    // One of them is at fault; the others must not be lost with it.
                    for write in batch {
                        self.deliver_or_drop(write).await;
                    }
                } else {
                    self.drop_refused(&why);
                }
            }
            self.remove(size);
        }
    }

    async fn deliver_or_drop(&self, write: Write) {
        if let Err(StoreError::Refused(why)) = self.deliver(vec![write]).await {
            self.drop_refused(&why);
        }
    }

    fn drop_refused(&self, why: &str) {
        self.lose(1);
        tracing::error!(why, "a write was refused and is dropped");
    }

    /// Repeats a batch until the store takes or refuses it.
    async fn deliver(&self, batch: Vec<Write>) -> Result<(), StoreError> {
        let mut wait = FIRST_WAIT;
        loop {
            match self.store.write(batch.clone()).await {
                Err(StoreError::Unavailable(why)) => {
                    tracing::warn!(why, depth = self.depth(), "writes wait for the database");
                }
                settled => return settled,
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn remove(&self, count: usize) {
        let mut waiting = self.waiting();
        let gone: usize = waiting.writes.drain(..count).map(|gone| gone.size()).sum();
        waiting.bytes -= gone;
        waiting.under_way = 0;
        drop(waiting);
        self.done.send_modify(|done| *done += count as u64);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
