//! A limit on how much is asked of us.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A bucket that holds `burst` requests, of which one comes back each
/// interval (`rate_limit`).
#[derive(Debug)]
pub struct Flood {
    interval: Duration,
    burst: u32,
    bucket: Mutex<Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: u32,
    /// When the last one came back.
    since: Instant,
}

impl Flood {
    /// A full bucket.
    pub(super) fn new(interval: Duration, burst: u32) -> Self {
        let bucket = Bucket {
            left: burst,
            since: Instant::now(),
        };
        Self {
            interval,
            burst,
            bucket: Mutex::new(bucket),
        }
    }

    /// Whether one more request may be answered.
    pub fn admits(&self) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let passed = now.duration_since(bucket.since).as_nanos();
        let back = passed / self.interval.as_nanos().max(1);
        let back = u32::try_from(back).unwrap_or(u32::MAX);
        if back > 0 {
            bucket.left = bucket.left.saturating_add(back).min(self.burst);
            bucket.since = match self.interval.checked_mul(back) {
                Some(spent) if bucket.left < self.burst => bucket.since + spent,
                _ => now,
            };
        }
        let admits = bucket.left > 0;
        bucket.left = bucket.left.saturating_sub(1);
        admits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_admitted_and_then_one_each_interval() {
        let flood = Flood::new(Duration::from_secs(1), 3);
        let admitted = (0..10).filter(|_| flood.admits()).count();
        assert_eq!(admitted, 3);
        tokio::time::advance(Duration::from_millis(1500)).await;
        assert!(flood.admits());
        assert!(!flood.admits());
        tokio::time::advance(Duration::from_millis(500)).await;
        assert!(flood.admits(), "half an interval was not lost");
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!((0..10).filter(|_| flood.admits()).count(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_without_room_admits_nobody() {
        let flood = Flood::new(Duration::from_secs(1), 0);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(!flood.admits());
    }
}
