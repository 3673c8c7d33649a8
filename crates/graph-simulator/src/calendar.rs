//! The days of a tenant's reports: which there are, and what they count.

use jiff::Timestamp;
use std::ops::RangeInclusive;

use super::dice::{between, roll};
use super::{catalogue::Entry, day};

/// Of this many controls, one has come to be scored within the kept days.
const NEW_OF: u64 = 24;

/// Of this many controls, one gave another maximum before.
const REVALUED_OF: u64 = 31;

/// Of this many tenants without a name, one lacks days.
const GAPPY_OF: u64 = 4;

/// A tenant's days, counted back from the newest at the start.
///
/// Microsoft's daily run is left out at times, and at times it runs and counts
/// nothing new for a week. Both leave the newest day as it is.
#[derive(Debug)]
pub(super) struct Calendar {
    seed: u64,
    anchor: Timestamp,
    missing: Vec<RangeInclusive<i64>>,
    frozen: Option<RangeInclusive<i64>>,
}

impl Calendar {
    pub(super) fn new(tenant: &str, seed: u64, anchor: Timestamp) -> Self {
        let (missing, frozen) = match tenant {
            "contoso" => (Vec::new(), Some(40..=46)),
            "fabrikam" => (vec![12..=12], None),
            "adatum" => (vec![70..=70], Some(21..=27)),
            "litware" => (vec![33..=35, 64..=64], None),
            "northwind" => (Vec::new(), None),
            _ => (gap(seed), None),
        };
        Self {
            seed,
            anchor,
            missing,
            frozen,
        }
    }

    /// The day of a report's place in the list, newest first.
    pub(super) fn day(&self, place: usize, newest: Timestamp) -> Timestamp {
        let there = (0_usize..).map(|days| day::before(newest, days));
        let mut there = there.filter(|day| !self.is_missing(*day));
        there.nth(place).unwrap_or(newest)
    }

    fn is_missing(&self, day: Timestamp) -> bool {
        let ago = self.ago(day);
        self.missing.iter().any(|days| days.contains(&ago))
    }

    fn ago(&self, day: Timestamp) -> i64 {
        day::distance(day, self.anchor)
    }

    /// The day whose figures a report shows: in a frozen week, always the same.
    pub(super) fn counted(&self, day: Timestamp) -> Timestamp {
        let ago = self.ago(day);
        match &self.frozen {
            Some(week) if week.contains(&ago) => {
                let back = usize::try_from(*week.end() - ago).unwrap_or(0);
                day::before(day, back)
            }
            _ => day,
        }
    }

    /// Whether a control that is scored now was scored on a day.
    pub(super) fn scores(&self, index: usize, day: Timestamp) -> bool {
        let index = index as u64;
        let is_new = roll(self.seed, "new", index).is_multiple_of(NEW_OF);
        let began = between(self.seed, "began", index, 10, 80);
        !is_new || self.ago(day) < began as i64
    }

    /// The most points a control could give on a day.
    pub(super) fn maximum(&self, index: usize, entry: &Entry, day: Timestamp) -> u32 {
        let index = index as u64;
        let revalued = roll(self.seed, "revalued", index).is_multiple_of(REVALUED_OF);
        let since = between(self.seed, "revalued on", index, 15, 75);
        match revalued && self.ago(day) >= since as i64 {
            true => entry.points + 1,
            false => entry.points,
        }
    }
}

fn gap(seed: u64) -> Vec<RangeInclusive<i64>> {
    if !roll(seed, "gap", 0).is_multiple_of(GAPPY_OF) {
        return Vec::new();
    }
    let first = between(seed, "gap", 1, 2, 85) as i64;
    let length = between(seed, "gap", 2, 0, 2) as i64;
    vec![first..=first + length]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(tenant: &str) -> Vec<i64> {
        let newest = Timestamp::from_second(20_000 * 86_400).unwrap();
        let calendar = Calendar::new(tenant, 7, newest);
        let days = (0..90).map(|place| calendar.day(place, newest));
        days.map(|day| day::distance(day, newest)).collect()
    }

    #[test]
    fn a_missing_day_is_no_place_in_the_list() {
        let days = days("litware");
        assert_eq!(days[..3], [0, 1, 2]);
        assert_eq!(days[32..36], [32, 36, 37, 38]);
        assert!(!days.contains(&64));
        assert_eq!(days.len(), 90);
    }

    #[test]
    fn a_frozen_week_counts_one_day_seven_times() {
        let newest = Timestamp::from_second(20_000 * 86_400).unwrap();
        let calendar = Calendar::new("contoso", 7, newest);
        let counted = |ago| day::distance(calendar.counted(day::before(newest, ago)), newest);
        assert_eq!([39, 40, 43, 46, 47].map(counted), [39, 46, 46, 46, 47]);
    }
}
