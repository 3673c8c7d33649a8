//! Work on one answer that its reader waits for.

use std::sync::Arc;
use std::thread::available_parallelism;
use tokio::sync::Semaphore;

/// Threads for what is too long for those that answer everybody, as many at
/// once as there are processors: more would only take turns, each with its
/// memory.
#[derive(Debug)]
pub(super) struct Press {
    places: Arc<Semaphore>,
}

impl Default for Press {
    fn default() -> Self {
        let places = available_parallelism().map_or(1, usize::from);
        Self {
            places: Arc::new(Semaphore::new(places)),
        }
    }
}

impl Press {
    /// Does the work elsewhere; nothing comes of it where the process is
    /// ending.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        done.await.ok()
    }
}
