//! Processor time for single responses.

use std::sync::Arc;
use std::thread::available_parallelism;
use tokio::sync::Semaphore;

/// Runs work that would block the threads that serve requests, one task per
/// processor: more would only take turns, each with its memory.
#[derive(Debug)]
pub(super) struct CpuPool {
    permits: Arc<Semaphore>,
}

impl Default for CpuPool {
    fn default() -> Self {
        let permits = available_parallelism().map_or(1, usize::from);
        Self {
            permits: Arc::new(Semaphore::new(permits)),
        }
    }
}

impl CpuPool {
    /// The result of the work; nothing where the process is ending.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        let task = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        task.await.ok()
    }
}
