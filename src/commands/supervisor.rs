//! What systemd is told, where it is the one that started us.
//!
//! A unit of `Type=notify` counts as started when we listen, one of
//! `Type=notify-reload` as reloaded when the configuration was read, and one
//! with `WatchdogSec=` is started again when we fall silent. Without a socket
//! in the environment nothing is said.

use sd_notify::NotifyState;
use std::time::Duration;

/// Signs of life in the time after which we would be taken for dead.
const SIGNS: u32 = 3;

/// We listen and refresh.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is being read again; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "no monotonic clock"),
    }
}

/// We answer what is under way, and end.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Gives signs of life for as long as tasks are run at all, if any are wanted.
///
/// They say nothing of Graph: starting us anew does not repair Microsoft.
pub(super) async fn signs_of_life() {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut signs = tokio::time::interval((patience / SIGNS).max(Duration::from_millis(1)));
    loop {
        signs.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}
