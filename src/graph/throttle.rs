//! Asking Graph no more often than it allows.

use crate::retry_after::MAX_RETRY_AFTER;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Graph allows 150 requests a minute per application and tenant; other
/// programs of the same application need some of them.
const REQUESTS_PER_MINUTE: usize = 100;
const MINUTE: Duration = Duration::from_secs(60);

/// One tenant's pace, shared by its two lists: the limit is Graph's, and it
/// counts both.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    held_until: Option<Instant>,
    recent: VecDeque<Instant>,
}

impl Throttle {
    /// Takes note that Graph asked for a pause.
    pub(super) fn hold(&mut self, now: Instant, wait: Duration) {
        let until = now + wait.min(MAX_RETRY_AFTER);
        self.held_until = self.held_until.max(Some(until));
    }

    /// Claims a request now, or tells how long to wait.
    pub(super) fn claim(&mut self, now: Instant) -> Result<(), Duration> {
        if let Some(until) = self.held_until.filter(|until| *until > now) {
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
    fn a_pause_holds_both_lists_until_it_is_over() {
        let mut throttle = Throttle::default();
        let start = Instant::now();
        throttle.hold(start, Duration::from_secs(20));
        throttle.hold(start, Duration::from_secs(5));
        assert_eq!(throttle.claim(start), Err(Duration::from_secs(20)));
        assert_eq!(throttle.claim(start + Duration::from_secs(20)), Ok(()));
    }

    #[test]
    fn no_minute_sees_more_requests_than_allowed() {
        let mut throttle = Throttle::default();
        let start = Instant::now();
        let claimed = (0..10_000)
            .map(|tick| start + Duration::from_millis(tick * 10))
            .filter(|now| throttle.claim(*now).is_ok())
            .count();
        assert_eq!(
            claimed,
            2 * REQUESTS_PER_MINUTE,
            "100 s hold two minutes' worth"
        );
    }
}
