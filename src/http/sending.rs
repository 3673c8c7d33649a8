//! Answers on their way, and the one that takes too long.
//!
//! A stream that is not read is noticed by who writes to it. A stream of
//! HTTP/2 whose reader allows no byte is never written to, and would keep its
//! answer, and its place among the requests, for as long as he likes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The answers of one connection that are ready and not yet sent.
#[derive(Debug, Default)]
pub(super) struct Sending {
    since: Mutex<BTreeMap<u64, Instant>>,
    begun: Notify,
}

/// An answer on its way; it has arrived when this is dropped.
#[derive(Debug)]
pub(super) struct Dispatch {
    sending: Arc<Sending>,
    number: u64,
}

impl Sending {
    /// An answer sets out.
    pub(super) fn begin(self: &Arc<Self>) -> Dispatch {
        let mut since = self.since();
        let number = since.last_key_value().map_or(0, |(number, _)| number + 1);
        since.insert(number, Instant::now());
        self.begun.notify_one();
        Dispatch {
            sending: Arc::clone(self),
            number,
        }
    }

    /// Ends when an answer has been on its way for longer than this.
    pub(super) async fn overdue(&self, longest: Duration) {
        loop {
            let oldest = self.since().values().min().copied();
            match oldest {
                None => self.begun.notified().await,
                Some(since) if since.elapsed() >= longest => return,
                Some(since) => sleep_until(since + longest).await,
            }
        }
    }

    fn since(&self) -> MutexGuard<'_, BTreeMap<u64, Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Dispatch {
    fn drop(&mut self) {
        self.sending.since().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(60);

    async fn overdue_after(sending: &Sending) -> u64 {
        let start = Instant::now();
        sending.overdue(LONGEST).await;
        start.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_answer_counts_however_many_follow_it() {
        let sending = Arc::new(Sending::default());
        let _stuck = sending.begin();
        let others = Arc::clone(&sending);
        let busy = tokio::spawn(async move {
            loop {
                let quick = others.begin();
                tokio::time::sleep(Duration::from_secs(1)).await;
                drop(quick);
            }
        });
        assert_eq!(overdue_after(&sending).await, LONGEST.as_secs());
        busy.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_arrive_are_never_overdue() {
        let sending = Arc::new(Sending::default());
        let watched = Arc::clone(&sending);
        let watch = tokio::spawn(async move { watched.overdue(LONGEST).await });
        for _ in 0..10 {
            let dispatch = sending.begin();
            tokio::time::sleep(LONGEST / 2).await;
            drop(dispatch);
            tokio::time::sleep(LONGEST * 2).await;
        }
        assert!(!watch.is_finished());
        let _stuck = sending.begin();
        tokio::time::sleep(LONGEST + Duration::from_secs(1)).await;
        assert!(watch.is_finished());
    }
}
