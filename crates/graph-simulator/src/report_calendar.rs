//! The days of the daily reports.

use std::ops::RangeInclusive;

use jiff::Timestamp;

use crate::catalogue::CatalogueEntry;
use crate::rng::{draw, draw_between};

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// When Microsoft's daily run publishes the report of a day, in seconds after
/// midnight. Before that, the newest report is that of the day before.
const PUBLISHED_AT: i64 = 6 * 60 * 60;

/// One of this many controls became a scored one during the kept days.
const NEWLY_SCORED_INTERVAL: u64 = 24;

/// One of this many controls had another maximum before.
const CHANGED_MAXIMUM_INTERVAL: u64 = 31;

/// One of this many tenants without a fixed name lacks reports.
const MISSING_DAYS_INTERVAL: u64 = 4;

/// The midnight of the newest report.
pub(crate) fn newest_day(now: Timestamp) -> Timestamp {
    let second = now.as_second() - PUBLISHED_AT;
    timestamp(second - second.rem_euclid(DAY_SECONDS))
}

/// The midnight that is `days` before another.
fn days_before(day: Timestamp, days: usize) -> Timestamp {
    timestamp(day.as_second() - days as i64 * DAY_SECONDS)
}

/// The days from one midnight to another.
pub(crate) fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()) / DAY_SECONDS
}

fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

/// The days of one tenant's reports, relative to the newest day at the start.
///
/// Microsoft's daily run skips days, and sometimes repeats one day's figures
/// for a week. Neither affects the newest report here.
#[derive(Debug)]
pub(crate) struct ReportCalendar {
    seed: u64,
    start: Timestamp,
    /// Days without a report, as days before the start.
    missing: Vec<RangeInclusive<i64>>,
    /// The days whose reports repeat the figures of the oldest of them.
    frozen: Option<RangeInclusive<i64>>,
}

impl ReportCalendar {
    pub(crate) fn new(tenant: &str, seed: u64, start: Timestamp) -> Self {
        let (missing, frozen) = match tenant {
            "contoso" => (Vec::new(), Some(40..=46)),
            "fabrikam" => (vec![12..=12], None),
            "adatum" => (vec![70..=70], Some(21..=27)),
            "litware" => (vec![33..=35, 64..=64], None),
            "northwind" => (Vec::new(), None),
            _ => (missing_days(seed), None),
        };
        Self {
            seed,
            start,
            missing,
            frozen,
        }
    }

    /// The day of the report at an index, newest first.
    pub(crate) fn day(&self, index: usize, newest: Timestamp) -> Timestamp {
        (0..)
            .map(|days| days_before(newest, days))
            .filter(|day| !self.is_missing(*day))
            .nth(index)
            .unwrap_or(newest)
    }

    fn is_missing(&self, day: Timestamp) -> bool {
        let age = self.age(day);
        self.missing.iter().any(|days| days.contains(&age))
    }

    /// The midnight of the newest report at the start.
    pub(crate) fn start(&self) -> Timestamp {
        self.start
    }

    /// Days before the start; negative after it.
    pub(crate) fn age(&self, day: Timestamp) -> i64 {
        days_between(day, self.start)
    }

    /// The day whose figures the report of a day shows.
    pub(crate) fn figures_day(&self, day: Timestamp) -> Timestamp {
        let age = self.age(day);
        match &self.frozen {
            Some(days) if days.contains(&age) => {
                days_before(day, usize::try_from(*days.end() - age).unwrap_or(0))
            }
            _ => day,
        }
    }

    /// Whether a control that is scored now was scored on a day.
    pub(crate) fn was_scored(&self, index: usize, day: Timestamp) -> bool {
        let index = index as u64;
        let is_new = draw(self.seed, "new", index).is_multiple_of(NEWLY_SCORED_INTERVAL);
        let first = draw_between(self.seed, "began", index, 10, 80);
        !is_new || self.age(day) < first as i64
    }

    /// The maximum points of a control on a day.
    pub(crate) fn maximum(&self, index: usize, entry: &CatalogueEntry, day: Timestamp) -> u32 {
        let index = index as u64;
        let changed = draw(self.seed, "revalued", index).is_multiple_of(CHANGED_MAXIMUM_INTERVAL);
        let until = draw_between(self.seed, "revalued on", index, 15, 75);
        entry.points + u32::from(changed && self.age(day) >= until as i64)
    }
}

fn missing_days(seed: u64) -> Vec<RangeInclusive<i64>> {
    if !draw(seed, "gap", 0).is_multiple_of(MISSING_DAYS_INTERVAL) {
        return Vec::new();
    }
    let first = draw_between(seed, "gap", 1, 2, 85) as i64;
    let length = draw_between(seed, "gap", 2, 0, 2) as i64;
    vec![first..=first + length]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_newest_report_is_dated_at_midnight_and_published_at_six() {
        let yesterday = at("2026-11-22T00:00:00Z");
        let today = at("2026-11-23T00:00:00Z");
        assert_eq!(newest_day(at("2026-11-23T05:59:59Z")), yesterday);
        assert_eq!(newest_day(at("2026-11-23T06:00:00Z")), today);
        assert_eq!(days_before(today, 1), yesterday);
        assert_eq!(days_between(days_before(today, 2), today), 2);
    }

    #[test]
    fn a_missing_day_has_no_index_in_the_list() {
        let newest = at("2026-11-23T00:00:00Z");
        let calendar = ReportCalendar::new("litware", 7, newest);
        let ages: Vec<i64> = (0..90)
            .map(|index| calendar.age(calendar.day(index, newest)))
            .collect();
        assert_eq!(ages[..3], [0, 1, 2]);
        assert_eq!(ages[32..36], [32, 36, 37, 38]);
        assert!(!ages.contains(&64));
    }

    #[test]
    fn a_frozen_week_repeats_the_figures_of_its_oldest_day() {
        let newest = at("2026-11-23T00:00:00Z");
        let calendar = ReportCalendar::new("contoso", 7, newest);
        let shown = |age| calendar.age(calendar.figures_day(days_before(newest, age)));
        assert_eq!([39, 40, 43, 46, 47].map(shown), [39, 46, 46, 46, 47]);
    }
}
