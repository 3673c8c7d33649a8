//! How many requests are served at once.

use crate::http_types::{Response, response};
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The default, as in other exporters. Two Prometheus servers and some people
/// need a handful.
pub const MAX_REQUESTS: NonZeroUsize = NonZeroUsize::new(40).unwrap();

/// Permits for requests, each held until the response's last byte is written.
///
/// A response may hold one generation of all tenants' lines in memory, so
/// further requests are rejected, not queued: by the time a queued one got a
/// permit, its client would have timed out.
#[derive(Debug, Clone)]
pub(super) struct ConcurrencyLimit {
    max: usize,
    permits: Arc<Semaphore>,
}

impl ConcurrencyLimit {
    /// At most this many, or any number.
    pub(super) fn new(max: Option<NonZeroUsize>) -> Self {
        let max = max.map_or(Semaphore::MAX_PERMITS, NonZeroUsize::get);
        let max = max.min(Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(max));
        Self { max, permits }
    }

    /// A permit, or the response that rejects the request.
    pub(super) fn acquire(&self) -> Result<OwnedSemaphorePermit, Box<Response>> {
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        permit.map_err(|_| {
            let max = self.max;
            tracing::debug!(max, "request rejected: too many at once");
            Box::new(response::busy(format!(
                "{max} requests are being served, the maximum set by --web.max-requests\n"
            )))
        })
    }
}
