//! The time that a backfill covers, and its steps.

use crate::cli::Backfill;
use secure_score_model::Timestamp;
use std::iter::StepBy;
use std::ops::Range;

/// Seconds of a day.
pub(super) const DAY: i64 = 24 * 60 * 60;

/// Prometheus has not yet written what it scraped in the last two to three hours.
/// At a restart it takes the end of the newest block for the end of what is stored,
/// and drops what it scraped before. A block that ends earlier changes nothing.
const UNWRITTEN: i64 = 3 * 60 * 60;

/// The length of the blocks of these hours: Prometheus' own. One that is merged with
/// Prometheus' block of the same hours ends where that one ends.
const RECENT_BLOCK: i64 = 2 * 60 * 60;

/// The length of the other blocks: Prometheus' own have two hours times a power of
/// three, and at a retention of half a year this one at most. Ninety days are six.
const BLOCK: i64 = 486 * 60 * 60;

/// A time span in seconds since the epoch, and its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// The first second.
    pub(super) from: i64,
    /// The first second after it.
    pub(super) to: i64,
    /// The present second: later dates are errors.
    pub(super) now: i64,
    /// The first second of the hours that Prometheus may not have written yet.
    unwritten: i64,
    /// Seconds from one step to the next.
    pub(super) step: i64,
}

impl Window {
    /// From the midnight (UTC) `--days` ago until now, or until an earlier `--until`.
    /// Other samples than those of blocks end three hours ago.
    pub(super) fn new(flags: &Backfill, now: Timestamp) -> Self {
        let now = now.nanos().div_euclid(1_000_000_000);
        let written = now - UNWRITTEN;
        let end = if flags.writes_blocks() { now } else { written };
        Self {
            from: midnight(now) - i64::from(flags.days) * DAY,
            now,
            unwritten: written - written.rem_euclid(RECENT_BLOCK),
            to: flags.until.map_or(end, |until| end.min(second_from(until))),
            step: i64::try_from(flags.step.as_secs())
                .unwrap_or(i64::MAX)
                .max(1),
        }
    }

    /// The window without the hours that Prometheus may not have written yet.
    pub(super) fn without_unwritten(self) -> Self {
        Self {
            to: self.to.min(self.unwritten),
            ..self
        }
    }

    /// Whether Prometheus may not have written the hours of the window yet.
    pub(super) fn is_recent(&self) -> bool {
        self.from >= self.unwritten
    }

    /// The windows of the blocks that hold this one, each from and to a multiple of its
    /// length, as those of Prometheus.
    pub(super) fn blocks(self) -> impl Iterator<Item = Self> {
        let mut rest = self;
        std::iter::from_fn(move || {
            let (length, most) = match rest.is_recent() {
                true => (RECENT_BLOCK, rest.to),
                false => (BLOCK, rest.to.min(rest.unwritten)),
            };
            let to = (rest.from - rest.from.rem_euclid(length) + length).min(most);
            let block = Self { to, ..rest };
            rest.from = to;
            (block.from < to).then_some(block)
        })
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

    #[test]
    fn blocks_of_the_last_hours_are_apart_and_have_two_hours() {
        let hours = |hours: i64| hours * 3_600;
        let window = Window {
            from: hours(480),
            to: hours(975),
            now: hours(975),
            unwritten: hours(972),
            step: 300,
        };
        let block = |from, to, is_recent| (hours(from), hours(to), is_recent);
        let times = |window: Window| {
            let blocks = window.blocks();
            let times = blocks.map(|it| (it.from, it.to, it.is_recent()));
            times.collect::<Vec<_>>()
        };
        let all = [
            block(480, 486, false),
            block(486, 972, false),
            block(972, 974, true),
            block(974, 975, true),
        ];
        assert_eq!(times(window), all);
        assert_eq!(times(window.without_unwritten()), all[..2]);
    }

    proptest! {
        #[test]
        fn the_count_is_the_number_of_steps(
            from in 0_i64..5_000, length in 0_i64..5_000, step in 1_i64..700,
            start in 0_i64..10_000, end in 0_i64..10_000,
        ) {
            let window = Window { from, to: from + length, now: 0, unwritten: 0, step };
            let interval = start..end;
            let steps: Vec<i64> = window.steps(&interval).collect();
            prop_assert_eq!(steps.len() as u64, window.count(&interval));
            prop_assert!(steps.iter().all(|at| at % step == 0
                && interval.contains(at) && (window.from..window.to).contains(at)));
        }
    }
}
