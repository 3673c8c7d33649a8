//! The signals that stop the program.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGTERM (a service manager) or SIGINT (Ctrl-C) and returns its
/// name. The handlers are installed by the call, before the first poll.
pub(super) fn requested() -> impl Future<Output = &'static str> {
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
