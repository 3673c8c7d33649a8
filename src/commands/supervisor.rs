//! Notifications to systemd, and the signals that stop the program.
//!
//! A unit of `Type=notify` counts as started when the exporter listens, one of
//! `Type=notify-reload` as reloaded when the configuration was read, and one
//! with `WatchdogSec=` is restarted when the notifications stop. Without a
//! socket in the environment nothing is sent.

use sd_notify::NotifyState;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Notifications per watchdog timeout.
const PER_TIMEOUT: u32 = 3;

/// The exporter listens and refreshes.
pub(super) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// The exporter reads its configuration; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "no monotonic clock"),
    }
}

/// The exporter finishes the requests in flight and ends.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Notifies the watchdog, if the unit has one, for as long as the runtime runs
/// tasks. Failures of Graph do not count: a restart would not fix them.
pub(super) async fn watchdog() {
    let Some(timeout) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut ticks = tokio::time::interval((timeout / PER_TIMEOUT).max(Duration::from_millis(1)));
    loop {
        ticks.tick().await;
        notify(&[NotifyState::Watchdog]);
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd cannot be notified");
    }
}

/// Waits for SIGTERM (a service manager) or SIGINT (Ctrl-C) and returns its
/// name. The handlers are installed by the call, before the first poll.
pub(super) fn stop_requested() -> impl Future<Output = &'static str> {
    let terminate = signal(SignalKind::terminate());
    let interrupt = signal(SignalKind::interrupt());
    async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else {
            // Without handlers the signals end the process.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    }
}
