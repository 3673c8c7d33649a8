//! The stretch of time that is written, and the moments in it.

use crate::cli::Backfill;
use secure_score_model::Timestamp;
use std::ops::Range;

/// Seconds of a day.
pub(super) const DAY: i64 = 24 * 60 * 60;

/// Prometheus writes a block of its own for the last two to three hours. A
/// foreign block over these would be the first one to be read, and lie.
const UNTOUCHED: i64 = 3 * 60 * 60;

/// The stretch of time, seconds since the epoch, and its grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// The first second.
    pub(super) from: i64,
    /// The first second that is not in it any more.
    pub(super) to: i64,
    step: i64,
}

impl Window {
    /// From the midnight (UTC) so many days ago until three hours ago, or
    /// until an earlier moment that somebody gave.
    pub(super) fn new(flags: &Backfill, now: Timestamp) -> Self {
        let now = now.nanos().div_euclid(1_000_000_000);
        let end = now - UNTOUCHED;
        Self {
            from: midnight(now) - i64::from(flags.days) * DAY,
            to: flags.until.map_or(end, |until| end.min(second_from(until))),
            step: i64::try_from(flags.step.as_secs())
                .unwrap_or(i64::MAX)
                .max(1),
        }
    }

    /// The moments of the grid in a stretch. The grid hangs on the epoch, so
    /// that another run meets the same moments.
    pub(super) fn moments(&self, stretch: &Range<i64>) -> impl Iterator<Item = i64> + use<> {
        let step = self.step;
        let first = stretch.start.max(self.from);
        let first = first + (-first).rem_euclid(step);
        let end = stretch.end.min(self.to);
        std::iter::successors(Some(first), move |at| Some(at + step))
            .take_while(move |at| *at < end)
    }

    /// How many there are.
    pub(super) fn count(&self, stretch: &Range<i64>) -> u64 {
        let first = stretch.start.max(self.from);
        let first = first + (-first).rem_euclid(self.step);
        let end = stretch.end.min(self.to);
        u64::try_from((end - first + self.step - 1).div_euclid(self.step)).unwrap_or(0)
    }

    /// Seconds from one moment to the next.
    pub(super) fn step(&self) -> i64 {
        self.step
    }

    /// The moment of the grid at or before a second.
    pub(super) fn moment_before(&self, second: i64) -> i64 {
        second - second.rem_euclid(self.step)
    }
}

/// The midnight a second is after.
pub(super) fn midnight(second: i64) -> i64 {
    second - second.rem_euclid(DAY)
}

/// The first whole second that is not before a moment.
pub(super) fn second_from(at: Timestamp) -> i64 {
    -((-at.nanos()).div_euclid(1_000_000_000))
}

/// A day as people write it.
pub(super) fn date(day: i64) -> String {
    let day = jiff::Timestamp::from_second(day).unwrap_or_default();
    day.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_moment_between_two_seconds_counts_from_the_later() {
        assert_eq!(second_from(Timestamp::from_nanos(1_000_000_000)), 1);
        assert_eq!(second_from(Timestamp::from_nanos(1_000_000_001)), 2);
    }

    proptest! {
        #[test]
        fn the_count_is_that_of_the_moments(
            from in 0_i64..5_000, length in 0_i64..5_000, step in 1_i64..700,
            start in 0_i64..10_000, end in 0_i64..10_000,
        ) {
            let window = Window { from, to: from + length, step };
            let stretch = start..end;
            let moments: Vec<i64> = window.moments(&stretch).collect();
            prop_assert_eq!(moments.len() as u64, window.count(&stretch));
            prop_assert!(moments.iter().all(|at| at % step == 0
                && stretch.contains(at) && (window.from..window.to).contains(at)));
        }
    }
}
