//! The time that a backfill covers, and its steps.

use crate::cli::Backfill;
use secure_score_model::Timestamp;
use std::iter::StepBy;
use std::ops::Range;

/// Seconds of a day.
pub(super) const DAY: i64 = 24 * 60 * 60;

/// Prometheus writes its own block for the last two to three hours. A foreign
/// block for the same hours would be read first and hide those samples.
const UNTOUCHED: i64 = 3 * 60 * 60;

/// A time span in seconds since the epoch, and its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// The first second.
    pub(super) from: i64,
    /// The first second after it.
    pub(super) to: i64,
    /// The present second: later dates are errors.
    pub(super) now: i64,
    /// Seconds from one step to the next.
    pub(super) step: i64,
}

impl Window {
    /// From the midnight (UTC) `--days` ago until three hours ago, or until an
    /// earlier `--until`.
    pub(super) fn new(flags: &Backfill, now: Timestamp) -> Self {
        let now = now.nanos().div_euclid(1_000_000_000);
        let end = now - UNTOUCHED;
        Self {
            from: midnight(now) - i64::from(flags.days) * DAY,
            now,
            to: flags.until.map_or(end, |until| end.min(second_from(until))),
            step: i64::try_from(flags.step.as_secs())
                .unwrap_or(i64::MAX)
                .max(1),
        }
    }

    /// The steps in an interval. Steps are counted from the epoch, so that
    /// another run writes the same ones.
    pub(super) fn steps(&self, interval: &Range<i64>) -> StepBy<Range<i64>> {
        let first = interval.start.max(self.from);
        let first = first + (-first).rem_euclid(self.step);
        let step = usize::try_from(self.step).unwrap_or(usize::MAX);
        (first..interval.end.min(self.to)).step_by(step)
    }

    /// The number of steps in an interval: a range knows its length.
    pub(super) fn count(&self, interval: &Range<i64>) -> u64 {
        self.steps(interval).size_hint().0 as u64
    }

    /// The step at or before a second.
    pub(super) fn step_before(&self, second: i64) -> i64 {
        second - second.rem_euclid(self.step)
    }
}

/// The midnight (UTC) at or before a second.
pub(super) fn midnight(second: i64) -> i64 {
    second - second.rem_euclid(DAY)
}

/// The first whole second that is not before a time.
pub(super) fn second_from(at: Timestamp) -> i64 {
    -((-at.nanos()).div_euclid(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_between_two_seconds_counts_as_the_later() {
        assert_eq!(second_from(Timestamp::from_nanos(1_000_000_000)), 1);
        assert_eq!(second_from(Timestamp::from_nanos(1_000_000_001)), 2);
    }

    proptest! {
        #[test]
        fn the_count_is_the_number_of_steps(
            from in 0_i64..5_000, length in 0_i64..5_000, step in 1_i64..700,
            start in 0_i64..10_000, end in 0_i64..10_000,
        ) {
            let window = Window { from, to: from + length, now: 0, step };
            let interval = start..end;
            let steps: Vec<i64> = window.steps(&interval).collect();
            prop_assert_eq!(steps.len() as u64, window.count(&interval));
            prop_assert!(steps.iter().all(|at| at % step == 0
                && interval.contains(at) && (window.from..window.to).contains(at)));
        }
    }
}
