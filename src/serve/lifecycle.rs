//! The four moments in the life of a server, each a token that many tasks can wait for.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The way to end a server from outside.
#[derive(Clone, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    leave: CancellationToken,
}

impl Shutdown {
    /// One request to end: the first lets streams finish within the bound, the second leaves at once.
    pub fn request(&self) {
        if self.drain.is_cancelled() {
            self.leave.cancel();
        } else {
            self.drain.cancel();
        }
    }

    /// Makes SIGTERM and SIGINT requests to end. Must be called within the runtime.
    ///
    /// # Errors
    ///
    /// When the handlers cannot be installed.
    pub fn on_signals(&self) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            loop {
                let received = tokio::select! {
                    received = terminate.recv() => received,
                    received = interrupt.recv() => received,
                };
                if received.is_none() {
                    break;
                }
                shutdown.request();
            }
        });
        Ok(())
    }
}

/// Where the server is between its start and its end.
#[derive(Clone)]
pub(super) struct Lifecycle {
    shutdown: Shutdown,
    /// Idle connections close and new chats are refused.
    pub(super) closing: CancellationToken,
    /// Open streams end with an error frame.
    pub(super) expired: CancellationToken,
    /// Nothing more is served, not even on the generation's own socket.
    pub(super) ended: CancellationToken,
}

impl Lifecycle {
    pub(super) fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            closing: CancellationToken::new(),
            expired: CancellationToken::new(),
            ended: CancellationToken::new(),
        }
    }

    /// From the first request to end: no connection is accepted any more.
    pub(super) fn draining(&self) -> &CancellationToken {
        &self.shutdown.drain
    }

    /// From the second request to end.
    pub(super) fn leaving(&self) -> &CancellationToken {
        &self.shutdown.leave
    }
}
