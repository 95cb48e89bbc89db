//! Word to systemd (sd_notify(3)): ready, draining, alive. Without systemd nothing is sent.

use sd_notify::NotifyState;

/// The server listens and answers.
pub(super) fn ready() {
    send(&[NotifyState::Ready, NotifyState::Status("serving")]);
}

/// The server accepts no more and lets `streams` open streams finish.
pub(super) fn draining(streams: u64) {
    let status = format!("draining, {streams} streams open");
    send(&[NotifyState::Stopping, NotifyState::Status(&status)]);
}

/// Tells the watchdog, where the unit has one, that the runtime still runs tasks.
pub(super) async fn watch() {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) else {
        return;
    };
    let mut beat = tokio::time::interval(limit / 2);
    loop {
        beat.tick().await;
        send(&[NotifyState::Watchdog]);
    }
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd could not be told the server's state");
    }
}
