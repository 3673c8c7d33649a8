//! Responses that are being sent, and the one that takes too long.
//!
//! A TCP stream that is not read times out when it is written to. An HTTP/2
//! stream whose client never opens the flow-control window is never written to,
//! and would keep its response and its concurrency permit without end.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The responses of one connection that are ready and not completely sent.
#[derive(Debug, Default)]
pub(super) struct PendingResponses {
    since: Mutex<BTreeMap<u64, Instant>>,
    begun: Notify,
}

/// A response being sent; dropped when it is sent.
#[derive(Debug)]
pub(super) struct ResponseGuard {
    pending: Arc<PendingResponses>,
    id: u64,
}

impl PendingResponses {
    /// A response is ready.
    pub(super) fn begin(self: &Arc<Self>) -> ResponseGuard {
        let mut since = self.since.lock();
        let id = since.last_key_value().map_or(0, |(id, _)| id + 1);
        since.insert(id, Instant::now());
        self.begun.notify_one();
        ResponseGuard {
            pending: Arc::clone(self),
            id,
        }
    }

    /// Ends when a response has been pending for longer than this.
    pub(super) async fn overdue(&self, timeout: Duration) {
        loop {
            let oldest = self.since.lock().values().min().copied();
            match oldest {
                None => self.begun.notified().await,
                Some(since) if since.elapsed() >= timeout => return,
                Some(since) => sleep_until(since + timeout).await,
            }
        }
    }
}

impl Drop for ResponseGuard {
    fn drop(&mut self) {
        self.pending.since.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn overdue_after(pending: &PendingResponses) -> u64 {
        let start = Instant::now();
        pending.overdue(TIMEOUT).await;
        start.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_response_counts_however_many_follow() {
        let pending = Arc::new(PendingResponses::default());
        let _stuck = pending.begin();
        let others = Arc::clone(&pending);
        let quick = tokio::spawn(async move {
            loop {
                let response = others.begin();
                tokio::time::sleep(Duration::from_secs(1)).await;
                drop(response);
            }
        });
        assert_eq!(overdue_after(&pending).await, TIMEOUT.as_secs());
        quick.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn completed_responses_are_never_overdue() {
        let pending = Arc::new(PendingResponses::default());
        let watched = Arc::clone(&pending);
        let watch = tokio::spawn(async move { watched.overdue(TIMEOUT).await });
        for _ in 0..10 {
            let response = pending.begin();
            tokio::time::sleep(TIMEOUT / 2).await;
            drop(response);
            tokio::time::sleep(TIMEOUT * 2).await;
        }
        assert!(!watch.is_finished());
        let _stuck = pending.begin();
        tokio::time::sleep(TIMEOUT + Duration::from_secs(1)).await;
        assert!(watch.is_finished());
    }
}
