//! When to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Ends when the process is asked to: SIGTERM by a service manager, SIGINT by
/// a person at a terminal. It listens from the call on, polled or not.
pub(super) fn requested() -> impl Future<Output = &'static str> {
    let terminate = signal(SignalKind::terminate());
    let interrupt = signal(SignalKind::interrupt());
    async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else {
            // Without handlers the signals end the process by themselves.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    }
}
