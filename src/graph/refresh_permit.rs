//! Limits concurrent refreshes.

use parking_lot::Mutex;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A refresh that waits longer than this releases its permit meanwhile.
const MAX_HELD_WAIT: Duration = Duration::from_secs(1);

/// The permits of all refreshes, `refresh.concurrency` of them. Clones share
/// them.
///
/// There is one set for the life of the process: with one for each
/// configuration, a reload would allow as many refreshes again.
#[derive(Debug, Clone)]
pub struct RefreshPermits(Arc<Permits>);

#[derive(Debug)]
struct Permits {
    free: Semaphore,
    size: Mutex<Size>,
}

#[derive(Debug)]
struct Size {
    limit: usize,
    /// Permits in use beyond the limit, after it was lowered. So many are not
    /// free again when they are returned.
    surplus: usize,
}

impl RefreshPermits {
    /// A set of `concurrency` permits.
    pub fn new(concurrency: NonZeroUsize) -> Self {
        Self(Arc::new(Permits {
            free: Semaphore::new(concurrency.get()),
            size: Mutex::new(Size {
                limit: concurrency.get(),
                surplus: 0,
            }),
        }))
    }

    /// Changes their number. Refreshes that run go on.
    pub fn resize(&self, concurrency: NonZeroUsize) {
        let mut size = self.0.size.lock();
        let (before, after) = (size.limit, concurrency.get());
        size.limit = after;
        if after > before {
            let more = after - before;
            let kept = more.min(size.surplus);
            size.surplus -= kept;
            self.0.free.add_permits(more - kept);
        } else {
            let fewer = before - after;
            size.surplus += fewer - self.0.free.forget_permits(fewer);
        }
    }

    /// Waits for a permit.
    pub async fn take(&self) -> RefreshPermit {
        RefreshPermit {
            held: Some(self.hold().await),
            permits: self.clone(),
        }
    }

    async fn hold(&self) -> HeldPermit {
        // The semaphore is never closed.
        if let Ok(permit) = self.0.free.acquire().await {
            permit.forget();
        }
        HeldPermit(Arc::clone(&self.0))
    }
}

/// The permit of one refresh.
///
/// Each running refresh needs a page of memory and a connection. A refresh that
/// waits for Graph releases its permit, so that eight throttled tenants do not
/// block the ninth.
#[derive(Debug)]
pub struct RefreshPermit {
    permits: RefreshPermits,
    held: Option<HeldPermit>,
}

impl RefreshPermit {
    /// Sleeps, without the permit if it takes long.
    pub(super) async fn sleep(&mut self, delay: Duration) {
        if delay <= MAX_HELD_WAIT {
            tokio::time::sleep(delay).await;
            return;
        }
        self.without_permit(tokio::time::sleep(delay)).await;
    }

    /// Waits for one of a tenant's requests, without the permit if there is none
    /// at once.
    pub(super) async fn wait_for_slot(
        &mut self,
        slots: &Arc<Semaphore>,
    ) -> Option<OwnedSemaphorePermit> {
        if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
            return Some(slot);
        }
        let slot = Arc::clone(slots).acquire_owned();
        self.without_permit(slot).await.ok()
    }

    async fn without_permit<T>(&mut self, wait: impl Future<Output = T>) -> T {
        self.held = None;
        let waited = wait.await;
        self.held = Some(self.permits.hold().await);
        waited
    }
}

/// A permit that is returned when it is dropped.
#[derive(Debug)]
struct HeldPermit(Arc<Permits>);

impl Drop for HeldPermit {
    fn drop(&mut self) {
        let mut size = self.0.size.lock();
        match size.surplus {
            0 => self.0.free.add_permits(1),
            _ => size.surplus -= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).unwrap()
    }

    fn free(permits: &RefreshPermits) -> usize {
        permits.0.free.available_permits()
    }

    #[tokio::test]
    async fn a_lower_limit_counts_the_permits_in_use() {
        let permits = RefreshPermits::new(number(4));
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(permits.take().await);
        }
        permits.resize(number(1));
        assert_eq!(free(&permits), 0);
        held.pop();
        held.pop();
        assert_eq!(free(&permits), 0, "one of one is in use");
        held.pop();
        assert_eq!(free(&permits), 1);
    }

    #[tokio::test]
    async fn a_higher_limit_keeps_permits_that_would_be_withdrawn() {
        let permits = RefreshPermits::new(number(3));
        let held = [permits.take().await, permits.take().await];
        permits.resize(number(1));
        permits.resize(number(4));
        assert_eq!(free(&permits), 2);
        drop(held);
        assert_eq!(free(&permits), 4);
    }

    #[tokio::test]
    async fn an_aborted_refresh_returns_its_permit() {
        let permits = RefreshPermits::new(number(1));
        let held = permits.take().await;
        let waiting = tokio::spawn({
            let permits = permits.clone();
            async move { permits.take().await }
        });
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.is_err());
        drop(held);
        assert_eq!(free(&permits), 1);
    }
}
