//! Limits the requests to Graph.

use crate::backoff::MAX_RETRY_AFTER;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Graph allows 150 requests a minute per application and tenant. Other
/// programs with the same application need some of them.
const REQUESTS_PER_MINUTE: usize = 100;
const MINUTE: Duration = Duration::from_secs(60);

/// The limits of one tenant, for the life of the process. Both lists share them,
/// because Graph counts the requests for both.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    delayed_until: Option<Instant>,
    recent: VecDeque<Instant>,
}

impl Throttle {
    /// Allows no request before a delay is over.
    pub(super) fn delay(&mut self, now: Instant, delay: Duration) {
        let until = now + delay.min(MAX_RETRY_AFTER);
        self.delayed_until = self.delayed_until.max(Some(until));
    }

    /// Whether it limits no request now.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.delayed_until.is_none_or(|until| until <= now)
            && self.recent.back().is_none_or(|at| now - *at >= MINUTE)
    }

    /// Counts a request, or returns how long to wait for it.
    pub(super) fn acquire(&mut self, now: Instant) -> Result<(), Duration> {
        if let Some(until) = self.delayed_until.filter(|until| *until > now) {
            return Err(until - now);
        }
        while self.recent.front().is_some_and(|at| now - *at >= MINUTE) {
            self.recent.pop_front();
        }
        match self.recent.front() {
            Some(oldest) if self.recent.len() >= REQUESTS_PER_MINUTE => {
                Err(MINUTE - (now - *oldest))
            }
            _ => {
                self.recent.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_delay_applies() {
        let mut throttle = Throttle::default();
        let start = Instant::now();
        throttle.delay(start, Duration::from_secs(20));
        throttle.delay(start, Duration::from_secs(5));
        assert_eq!(throttle.acquire(start), Err(Duration::from_secs(20)));
        let end = start + Duration::from_secs(20);
        assert!(!throttle.is_over(start) && throttle.is_over(end));
        assert_eq!(throttle.acquire(end), Ok(()));
        assert!(!throttle.is_over(end) && throttle.is_over(end + MINUTE));
    }

    #[test]
    fn no_minute_has_more_requests_than_allowed() {
        let mut throttle = Throttle::default();
        let start = Instant::now();
        let requests = (0..10_000)
            .map(|tick| start + Duration::from_millis(tick * 10))
            .filter(|now| throttle.acquire(*now).is_ok())
            .count();
        let expected = 2 * REQUESTS_PER_MINUTE;
        assert_eq!(requests, expected, "100 s are two minutes' worth");
    }
}
