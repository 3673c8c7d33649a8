//! Limits concurrent refreshes.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A refresh that waits longer than this releases its permit meanwhile.
const MAX_HELD_WAIT: Duration = Duration::from_secs(1);

/// The permit of one refresh, of which there are `refresh.concurrency`.
///
/// Each running refresh needs a page of memory and a connection. A refresh that
/// waits for Graph releases its permit, so that eight throttled tenants do not
/// block the ninth.
#[derive(Debug)]
pub struct RefreshPermit {
    permits: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl RefreshPermit {
    /// Waits for a permit.
    pub async fn take(permits: Arc<Semaphore>) -> Self {
        let permit = Arc::clone(&permits).acquire_owned().await.ok();
        Self { permits, permit }
    }

    /// Sleeps, without the permit if it takes long.
    pub(super) async fn sleep(&mut self, delay: Duration) {
        if delay <= MAX_HELD_WAIT {
            tokio::time::sleep(delay).await;
            return;
        }
        self.permit = None;
        tokio::time::sleep(delay).await;
        self.permit = Arc::clone(&self.permits).acquire_owned().await.ok();
    }
}
