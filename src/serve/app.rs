//! What the handlers share.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::auth::Authenticator;
use super::config::{Config, Timings};
use super::error_start::StartError;
use super::lifecycle::Lifecycle;
use super::machine::Machine;
use super::metrics::Metrics;
use super::model::Model;
use super::slots::Slots;
use super::store::Store;
use super::store::queue::Queue;

pub(super) struct App {
    pub(super) region: String,
    pub(super) timings: Timings,
    pub(super) slots: Arc<Slots>,
    /// Requests without a stream have a limit of their own, as large as the streams'.
    pub(super) unstreamed: Semaphore,
    pub(super) model: Model,
    pub(super) authenticator: Authenticator,
    pub(super) store: Arc<dyn Store>,
    /// What the store is still to get.
    pub(super) queue: Arc<Queue>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) machine: Machine,
    pub(super) lifecycle: Lifecycle,
}

impl App {
    pub(super) fn new(
        config: &Config,
        store: Arc<dyn Store>,
        lifecycle: Lifecycle,
    ) -> Result<Arc<Self>, StartError> {
        Ok(Arc::new(Self {
            region: config.region.clone(),
            timings: config.timings,
            slots: open_slots(config)?,
            unstreamed: Semaphore::new(config.limits.streams as usize),
            model: Model::new(&config.model, config.timings)?,
            authenticator: Authenticator::new(&config.login)?,
            queue: Arc::new(Queue::new(Arc::clone(&store))),
            store,
            metrics: Arc::default(),
            machine: Machine::new(config.state_directory.clone()),
            lifecycle,
        }))
    }
}

fn open_slots(config: &Config) -> Result<Arc<Slots>, StartError> {
    let failed = |folder: &Path, source| StartError::Slots {
        folder: folder.display().to_string(),
        source,
    };
    match &config.runtime_directory {
        Some(folder) => {
            let folder = folder.join("slots");
            Slots::open(&folder, config.limits).map_err(|source| failed(&folder, source))
        }
        None => Slots::open_private(config.limits)
            .map_err(|source| failed(&std::env::temp_dir(), source)),
    }
}
