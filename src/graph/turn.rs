//! Whose turn it is to keep Graph and the memory busy.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Waits longer than this give up their place to another tenant.
const WAIT_IN_PLACE: Duration = Duration::from_secs(1);

/// One refresh's place among those that run at a time.
///
/// Each place costs a page in memory and a connection, so there are only
/// `refresh.concurrency` of them. A refresh that has to wait for Graph steps
/// aside: eight throttled tenants must not hold up the ninth.
#[derive(Debug)]
pub struct RefreshPermit {
    places: Arc<Semaphore>,
    place: Option<OwnedSemaphorePermit>,
}

impl RefreshPermit {
    /// Waits for a place.
    pub async fn take(places: Arc<Semaphore>) -> Self {
        let place = Arc::clone(&places).acquire_owned().await.ok();
        Self { places, place }
    }

    /// Waits, and lets others go on meanwhile when it is long.
    pub(super) async fn pause(&mut self, wait: Duration) {
        if wait <= WAIT_IN_PLACE {
            tokio::time::sleep(wait).await;
            return;
        }
        self.place = None;
        tokio::time::sleep(wait).await;
        self.place = Arc::clone(&self.places).acquire_owned().await.ok();
    }
}
