//! Being told to end: the test that runs is the last, and the twins go as at any other end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Whether SIGINT or SIGTERM has come.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on; the program itself is no longer ended by them.
    pub(crate) fn listen() -> Self {
        let found = Self::default();
        let told = found.clone();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let [mut interrupted, mut terminated] = {
            let _entered = runtime.enter();
            [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).unwrap())
        };
        std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupted.recv() => {}
                    _ = terminated.recv() => {}
                }
            });
            eprintln!("told to end: the twins are taken down");
            told.0.store(true, Ordering::Relaxed);
        });
        found
    }

    pub(crate) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
