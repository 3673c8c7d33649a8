//! SIGINT and SIGTERM to a command that has an unfinished file to remove.

use super::supervisor;
use std::io;
use std::sync::{Arc, OnceLock};

/// Whether a signal has asked the command to end.
#[derive(Debug, Clone, Default)]
pub(super) struct Interruption(Arc<OnceLock<&'static str>>);

impl Interruption {
    /// From now on a signal does not end the process: the command ends itself.
    pub(super) fn listen() -> Self {
        let interruption = Self::default();
        let signal = Arc::clone(&interruption.0);
        let requested = supervisor::stop_requested();
        tokio::spawn(async move {
            let _only_one_is_set = signal.set(requested.await);
        });
        interruption
    }

    /// The name of the signal that has come.
    pub(super) fn signal(&self) -> Option<&'static str> {
        self.0.get().copied()
    }

    /// An error once a signal has come, so that what is written ends.
    pub(super) fn check(&self) -> io::Result<()> {
        match self.signal() {
            Some(signal) => Err(io::Error::other(signal)),
            None => Ok(()),
        }
    }
}
