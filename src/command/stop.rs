//! When to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Ends when the process is asked to: SIGTERM by a service manager, SIGINT by
/// a person at a terminal.
pub(super) async fn requested() -> &'static str {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
