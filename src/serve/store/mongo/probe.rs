//! The background ping behind the health answer.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mongodb::Database;
use mongodb::bson::doc;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::MongoSettings;
use super::explain;
use crate::serve::store::DatabaseHealth;

/// From one ping to the next.
const INTERVAL: Duration = Duration::from_secs(2);
/// A ping that takes longer has failed. Below the interval, so that pings follow each other.
const WAIT: Duration = Duration::from_millis(1900);
/// How long a server that starts waits for its database: a connection over 180 ms takes some 0.8 s.
const FIRST: Duration = Duration::from_secs(5);
/// How often it looks meanwhile.
const POLL: Duration = Duration::from_millis(20);
/// So many pings in a row must fail.
const FAILURES: u32 = 3;
/// A ping into a connection that has died silently is never answered, and may not be dropped either. Meanwhile others
/// go over other connections; the driver notices within 20 s.
const UNANSWERED: usize = 16;

/// Pings while it lives.
pub(super) struct Probe {
    /// Pings that failed since the last one that did not.
    failures: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

impl Probe {
    /// Begins to ping. Until the first answer the database counts as failing: a server that never reached it must not
    /// be taken for a good one.
    pub(super) fn begin(settings: MongoSettings, database: Arc<OnceLock<Database>>) -> Self {
        let failures = Arc::new(AtomicU32::new(FAILURES));
        let task = tokio::spawn(watch(settings, database, Arc::clone(&failures)));
        Self { failures, task }
    }

    /// Waits for the first ping that is answered, for a while.
    pub(super) async fn first_answer(&self) {
        let answered = async {
            while self.failures.load(Ordering::Relaxed) >= FAILURES {
                tokio::time::sleep(POLL).await;
            }
        };
        if timeout(FIRST, answered).await.is_err() {
            tracing::warn!("database has not answered in {FIRST:?}; serving without it");
        }
    }

    pub(super) fn health(&self) -> DatabaseHealth {
        if self.failures.load(Ordering::Relaxed) < FAILURES {
            DatabaseHealth::Ok
        } else {
            DatabaseHealth::Error
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch(
    settings: MongoSettings,
    database: Arc<OnceLock<Database>>,
    failures: Arc<AtomicU32>,
) {
    let unanswered = Arc::new(Semaphore::new(UNANSWERED));
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match ping(&settings, &database, &unanswered).await {
            Ok(()) => {
                if failures.swap(0, Ordering::Relaxed) >= FAILURES {
                    tracing::info!("database answers");
                }
            }
            Err(why) => {
                let count = failures.load(Ordering::Relaxed).saturating_add(1);
                failures.store(count, Ordering::Relaxed);
                tracing::warn!(why, count, "database does not answer");
            }
        }
    }
}

async fn ping(
    settings: &MongoSettings,
    database: &Arc<OnceLock<Database>>,
    unanswered: &Arc<Semaphore>,
) -> Result<(), String> {
    let Ok(permit) = Arc::clone(unanswered).try_acquire_owned() else {
        return Err(format!("{UNANSWERED} pings are not answered"));
    };
    let (settings, database) = (settings.clone(), Arc::clone(database));
    let ping = tokio::spawn(async move {
        let _permit = permit;
        let connected = match database.get() {
            Some(connected) => connected.clone(),
            None => {
                let connected = settings.connect().await?;
                database.get_or_init(|| connected).clone()
            }
        };
        connected.run_command(doc! { "ping": 1 }).await
    });
    match timeout(WAIT, ping).await {
        Ok(Ok(Ok(_))) => Ok(()),
        Ok(Ok(Err(error))) => Err(explain(&error)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer in {WAIT:?}")),
    }
}
