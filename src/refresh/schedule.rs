//! When the next refresh is due: pure functions of the outcome and the time.

use super::shard::stable_hash;
use crate::backoff::{Backoff, MAX_RETRY_AFTER};
use crate::graph::{GraphError, Retry};
use std::time::Duration;
use tokio::time::Instant;

/// The first delay after a transient failure. A shorter one makes a throttled
/// application throttle itself. It never exceeds the interval.
const FIRST_BACKOFF: Duration = Duration::from_secs(30);

/// Bounds of the delay after a failure that an administrator must fix. A wrong
/// secret sent to a token endpoint every few seconds locks accounts and fills
/// sign-in logs.
const ACTION_REQUIRED: (Duration, Duration) =
    (Duration::from_secs(5 * 60), Duration::from_secs(60 * 60));

/// A delay grows by up to this share, so that tenants that failed together are
/// not retried together.
const JITTER: f64 = 0.1;

/// The longest delay that Microsoft can ask for, with its share of jitter.
pub(super) const MAX_REQUESTED_DELAY: Duration =
    Duration::from_secs(MAX_RETRY_AFTER.as_secs() / 10 * 11);

/// The longest delay that an interval gives without a request of Microsoft, after
/// a success or a failure.
pub(super) fn longest_delay(interval: Duration, up: bool) -> Duration {
    match up {
        true => interval + interval / 2,
        false => with_most_jitter((interval * 2).max(ACTION_REQUIRED.0)),
    }
}

/// The part of a delay that Microsoft asked for. Its jitter belongs to it; a
/// longer delay is the exporter's own.
pub(crate) fn requested_part(delay: Duration, requested: Duration) -> Duration {
    match delay <= with_most_jitter(requested) {
        true => delay,
        false => requested,
    }
}

fn with_most_jitter(delay: Duration) -> Duration {
    delay + delay.mul_f64(JITTER)
}

/// A tenant's position within the interval, 0 to 1, the same in every run.
pub fn phase(alias: &str, api: &str) -> f64 {
    f64::from((stable_hash([alias, api]) >> 32) as u32) / f64::from(u32::MAX)
}

/// When to refresh after a success, counted from the start of the process.
///
/// The first refresh of all tenants runs without delay. Afterwards each tenant
/// keeps its own phase of the interval, so that Graph receives an even stream
/// instead of an hourly burst. The first gap is 0.5 to 1.5 intervals.
pub fn next_slot(elapsed: Duration, interval: Duration, phase: f64) -> Duration {
    let interval = interval.as_secs_f64();
    let earliest = elapsed.as_secs_f64() + interval / 2.0;
    let offset = phase * interval;
    let rounds = ((earliest - offset) / interval).ceil().max(0.0);
    Duration::from_secs_f64(rounds * interval + offset)
}

/// The delay after a refresh, of a loop with this phase.
pub(crate) fn delay_after_refresh(
    outcome: &Result<(), GraphError>,
    failures: u32,
    interval: Duration,
    epoch: Instant,
    phase: f64,
) -> Duration {
    match outcome {
        Ok(()) => {
            let elapsed = epoch.elapsed();
            next_slot(elapsed, interval, phase).saturating_sub(elapsed)
        }
        Err(error) => delay_after_failure(error.retry(), failures, interval, fastrand::f64()),
    }
}

/// The delay after the `failures`-th failure in a row.
///
/// `random` is a random number from 0 to 1.
pub fn delay_after_failure(
    retry: Retry,
    failures: u32,
    interval: Duration,
    random: f64,
) -> Duration {
    let backoff = Backoff {
        first: FIRST_BACKOFF,
        max: interval,
        jitter: 1.0..=1.0 + JITTER,
    };
    let delay = match retry {
        Retry::After(requested) => requested.max(backoff.delay(failures)),
        Retry::Backoff => backoff.delay(failures),
        Retry::Rarely => (interval * 2).clamp(ACTION_REQUIRED.0, ACTION_REQUIRED.1),
    };
    backoff.jittered(delay, random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUARTER: Duration = Duration::from_secs(15 * 60);

    fn seconds(retry: Retry, failures: u32, interval: Duration) -> u64 {
        delay_after_failure(retry, failures, interval, 0.0).as_secs()
    }

    #[test]
    fn the_delay_after_transient_failures_doubles_up_to_the_interval() {
        let delays = [1, 2, 3, 4, 5, 6, 7].map(|n| seconds(Retry::Backoff, n, QUARTER));
        assert_eq!(delays, [30, 60, 120, 240, 480, 900, 900]);
    }

    #[test]
    fn the_delay_is_never_shorter_than_retry_after() {
        let after = |seconds| Retry::After(Duration::from_secs(seconds));
        assert_eq!(seconds(after(200), 1, QUARTER), 200);
        assert_eq!(seconds(after(0), 1, QUARTER), FIRST_BACKOFF.as_secs());
    }

    #[test]
    fn a_wrong_secret_is_retried_after_two_intervals_within_bounds() {
        for (interval, expected) in [(10, 300), (1_200, 2_400), (7_200, 3_600)] {
            let interval = Duration::from_secs(interval);
            assert_eq!(seconds(Retry::Rarely, 1, interval), expected);
        }
    }

    #[test]
    fn a_phase_is_the_same_in_every_release() {
        let phase = phase("contoso", "profiles");
        assert!((phase - 0.326_505).abs() < 0.000_001, "{phase}");
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
        fn every_delay_is_within_its_bounds(failures in 0_u32..100, random in 0.0_f64..1.0) {
            let delay = delay_after_failure(Retry::Backoff, failures, QUARTER, random);
            prop_assert!(delay <= QUARTER.mul_f64(1.0 + JITTER));
            prop_assert!(delay >= FIRST_BACKOFF);
        }
    }
}
