//! Delays between attempts, for every client that retries: exponential ones, and
//! those that a server asks for.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A delay that doubles with each failure in a row, up to a maximum.
///
/// The crate `backon` always lengthens a delay by up to its own length. The
/// callers here need other ranges: a receiver of events must be retried within
/// the maximum, and the schedule of refreshes may drift by a tenth only.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    /// The delay after the first failure.
    pub first: Duration,
    /// The longest delay, before jitter.
    pub max: Duration,
    /// The range of the random factor by which a delay is multiplied, so that
    /// clients that failed together do not return together.
    pub jitter: RangeInclusive<f64>,
}

impl Backoff {
    /// The delay after the `failures`-th failure in a row, counted from 1,
    /// without jitter.
    pub fn delay(&self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(factor).min(self.max)
    }

    /// A delay multiplied by the factor at `position` (0 to 1) of the jitter's
    /// range.
    pub fn jittered(&self, delay: Duration, position: f64) -> Duration {
        let (low, high) = (self.jitter.start(), self.jitter.end());
        delay.mul_f64(low + (high - low) * position)
    }

    /// The delay after the `failures`-th failure in a row, with jitter.
    pub fn random_delay(&self, failures: u32) -> Duration {
        self.jittered(self.delay(failures), fastrand::f64())
    }
}

/// The longest delay that is honoured. A server that asks for a year is asked
/// again after this.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// Parses a `Retry-After` header: seconds, or a date compared with `now`.
pub fn parse_retry_after(header: &str, now: jiff::Timestamp) -> Option<Duration> {
    let header = header.trim();
    let seconds = match header.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(header).ok()?.timestamp();
            u64::try_from(at.as_second() - now.as_second()).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_secs(1),
        max: Duration::from_secs(300),
        jitter: 0.5..=1.0,
    };

    #[test]
    fn delays_double_up_to_the_maximum() {
        let delays = [0, 1, 2, 3, 9, 10, u32::MAX].map(|n| BACKOFF.delay(n).as_secs());
        assert_eq!(delays, [1, 1, 2, 4, 256, 300, 300]);
    }

    #[test]
    fn a_maximum_below_the_first_delay_is_kept() {
        let max = Duration::from_millis(10);
        assert_eq!(Backoff { max, ..BACKOFF }.delay(1), max);
    }

    #[test]
    fn seconds_and_dates_are_parsed() {
        let now: jiff::Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        assert_eq!(
            parse_retry_after(" 17 ", now),
            Some(Duration::from_secs(17))
        );
        assert_eq!(
            parse_retry_after("Mon, 23 Nov 2026 08:01:30 GMT", now),
            Some(Duration::from_secs(90))
        );
        assert_eq!(
            parse_retry_after("Mon, 23 Nov 2026 07:00:00 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(parse_retry_after("99999999999", now), Some(MAX_RETRY_AFTER));
        for invalid in ["", "soon", "-5", "1.5"] {
            assert_eq!(parse_retry_after(invalid, now), None, "{invalid}");
        }
    }

    proptest! {
        #[test]
        fn jitter_stays_within_its_range(failures in 0_u32..100, position in 0.0_f64..=1.0) {
            let delay = BACKOFF.delay(failures);
            for jittered in [BACKOFF.jittered(delay, position), BACKOFF.random_delay(failures)] {
                prop_assert!(jittered >= delay / 2 && jittered <= delay, "{jittered:?} of {delay:?}");
            }
        }
    }
}
