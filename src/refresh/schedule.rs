//! When the next refresh is due: a pure function of what happened.

use super::spread;
use crate::graph::Retry;
use std::time::Duration;

/// The first wait after a passing failure. Shorter would make a throttled
/// application throttle itself; it never exceeds the interval.
const FIRST_BACKOFF: Duration = Duration::from_secs(30);

/// Bounds of the wait after a failure only a person can mend. Asking a token
/// endpoint with a wrong secret every few seconds locks accounts and fills
/// other people's logs.
const RARELY: (Duration, Duration) = (Duration::from_secs(5 * 60), Duration::from_secs(60 * 60));

/// Waits are lengthened by up to this share, so that tenants that failed
/// together do not come back together.
const JITTER: f64 = 0.1;

/// A tenant's place within the interval, 0 to 1, the same in every run.
pub fn phase(alias: &str, list: &str) -> f64 {
    f64::from((spread::number([alias, list]) >> 32) as u32) / f64::from(u32::MAX)
}

/// When to refresh after a success, counted from the start of the process.
///
/// The first pass over all tenants goes as fast as it can; after it, each
/// tenant keeps to its own phase of the interval, so that Graph sees an even
/// stream instead of a burst an hour. The first gap is half an interval to one
/// and a half.
pub fn next_slot(elapsed: Duration, interval: Duration, phase: f64) -> Duration {
    let earliest = elapsed.as_secs_f64() + interval.as_secs_f64() / 2.0;
    let interval_seconds = interval.as_secs_f64();
    let offset = phase * interval_seconds;
    let rounds = ((earliest - offset) / interval_seconds).ceil().max(0.0);
    Duration::from_secs_f64(rounds * interval_seconds + offset)
}

/// How long to wait after the `failures`-th failure in a row.
///
/// `chance` is a random number from 0 to 1.
pub fn wait_after_failure(
    retry: Retry,
    failures: u32,
    interval: Duration,
    chance: f64,
) -> Duration {
    let backoff = FIRST_BACKOFF
        .min(interval)
        .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)))
        .min(interval);
    let wait = match retry {
        Retry::After(told) => told.max(backoff),
        Retry::Backoff => backoff,
        Retry::Rarely => (interval * 2).clamp(RARELY.0, RARELY.1),
    };
    wait.mul_f64(1.0 + JITTER * chance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUARTER: Duration = Duration::from_secs(15 * 60);

    #[test]
    fn passing_failures_are_retried_ever_more_slowly_up_to_the_interval() {
        let waits: Vec<u64> = (1..8)
            .map(|n| wait_after_failure(Retry::Backoff, n, QUARTER, 0.0).as_secs())
            .collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900]);
    }

    #[test]
    fn what_microsoft_says_is_never_undercut() {
        let told = Duration::from_secs(200);
        assert!(wait_after_failure(Retry::After(told), 1, QUARTER, 0.0) >= told);
        assert!(wait_after_failure(Retry::After(Duration::ZERO), 1, QUARTER, 0.0) >= FIRST_BACKOFF);
    }

    #[test]
    fn a_wrong_secret_is_tried_rarely_even_at_a_short_interval() {
        let wait = wait_after_failure(Retry::Rarely, 1, Duration::from_secs(10), 0.0);
        assert_eq!(wait, RARELY.0);
    }

    proptest! {
        #[test]
        fn the_next_slot_is_half_to_one_and_a_half_intervals_away(
            elapsed in 0_u64..10_000_000,
            interval in 10_u64..100_000,
            phase in 0.0_f64..1.0,
        ) {
            let (elapsed, interval) = (Duration::from_secs(elapsed), Duration::from_secs(interval));
            let gap = next_slot(elapsed, interval, phase).as_secs_f64() - elapsed.as_secs_f64();
            let unit = interval.as_secs_f64();
            prop_assert!(gap >= unit * 0.499 && gap <= unit * 1.501, "gap {gap} of {unit}");
        }

        #[test]
        fn no_wait_exceeds_its_bounds(failures in 0_u32..100, chance in 0.0_f64..1.0) {
            let wait = wait_after_failure(Retry::Backoff, failures, QUARTER, chance);
            prop_assert!(wait <= QUARTER.mul_f64(1.0 + JITTER));
            prop_assert!(wait >= FIRST_BACKOFF);
        }
    }
}
