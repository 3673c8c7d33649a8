use parking_lot::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// A token bucket (`rate_limit`): it holds `burst` requests, and one is added
/// each interval.
#[derive(Debug)]
pub struct RateLimiter {
    interval: Duration,
    burst: u32,
    bucket: Mutex<Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: u32,
    last_refill: Instant,
}

impl RateLimiter {
    /// A full bucket.
    pub fn new(interval: Duration, burst: u32) -> Self {
        let bucket = Bucket {
            tokens: burst,
            last_refill: Instant::now(),
        };
        Self {
            interval,
            burst,
            bucket: Mutex::new(bucket),
        }
    }

    /// Takes one request out of the bucket; false if it is empty.
    pub fn try_acquire(&self) -> bool {
        let mut bucket = self.bucket.lock();
        let now = Instant::now();
        let elapsed = now.duration_since(bucket.last_refill).as_nanos();
        let refill = elapsed / self.interval.as_nanos().max(1);
        let refill = u32::try_from(refill).unwrap_or(u32::MAX);
        if refill > 0 {
            bucket.tokens = bucket.tokens.saturating_add(refill).min(self.burst);
            bucket.last_refill = match self.interval.checked_mul(refill) {
                Some(spent) if bucket.tokens < self.burst => bucket.last_refill + spent,
                _ => now,
            };
        }
        let is_allowed = bucket.tokens > 0;
        bucket.tokens = bucket.tokens.saturating_sub(1);
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_allowed_and_then_one_request_each_interval() {
        let limit = RateLimiter::new(Duration::from_secs(1), 3);
        let allowed = (0..10).filter(|_| limit.try_acquire()).count();
        assert_eq!(allowed, 3);
        tokio::time::advance(Duration::from_millis(1500)).await;
        assert!(limit.try_acquire());
        assert!(!limit.try_acquire());
        tokio::time::advance(Duration::from_millis(500)).await;
        assert!(limit.try_acquire(), "half an interval was not lost");
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!((0..10).filter(|_| limit.try_acquire()).count(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_0_allows_no_request() {
        let limit = RateLimiter::new(Duration::from_secs(1), 0);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(!limit.try_acquire());
    }
}
