//! How many requests are served at once.

use crate::http_types::{Response, response};
use crate::text::count;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The default, as in other exporters. Two Prometheus servers and some people
/// need a handful.
pub const MAX_REQUESTS: NonZeroUsize = NonZeroUsize::new(40).unwrap();

/// How long a connection that closes may take to return its permits.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

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

    /// A permit, or the response that rejects the request. Where there is none,
    /// `close_stalled` closes connections that hold some without reading, and says
    /// whether there are any.
    pub(super) async fn acquire(
        &self,
        close_stalled: impl FnOnce() -> bool,
    ) -> Result<OwnedSemaphorePermit, Box<Response>> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let freed = Arc::clone(&self.permits).acquire_owned();
        if close_stalled()
            && let Ok(Ok(permit)) = timeout(CLOSE_TIMEOUT, freed).await
        {
            return Ok(permit);
        }
        let max = self.max;
        tracing::debug!(max, "request rejected: too many at once");
        Err(Box::new(response::busy(format!(
            "busy with {}, the maximum set by --web.max-requests\n",
            count(max, "request")
        ))))
    }
}
