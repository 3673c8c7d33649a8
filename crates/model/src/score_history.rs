//! The scores of a tenant over the days.

use crate::{Points, Report, Timestamp};
use serde::{Deserialize, Serialize};

/// Thirteen months, so that a day can be compared with the same one a year ago.
/// Graph keeps ninety days.
const MAX_DAYS: usize = 400;

/// The score of one day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "(Timestamp, Points, Points)")]
pub struct DailyScore {
    /// The day for which Microsoft computed it.
    pub as_of: Timestamp,
    /// Points reached that day.
    pub score: Points,
    /// Points possible that day, greater than zero.
    pub max_score: Points,
}

impl DailyScore {
    /// The score of a report that has a day and a maximum.
    pub fn of(report: &Report) -> Option<Self> {
        Some(Self {
            as_of: report.as_of?,
            score: report.current_score?,
            max_score: report.max_score.filter(|max| max.get() > 0.0)?,
        })
    }

    /// The score as a share of the maximum, 0 to 1.
    ///
    /// Days are compared by share: Microsoft adds and removes controls, and
    /// the points change with them.
    pub fn share(&self) -> f64 {
        self.score.get() / self.max_score.get()
    }

    fn day(&self) -> i64 {
        self.as_of.day()
    }
}

impl From<DailyScore> for (Timestamp, Points, Points) {
    fn from(it: DailyScore) -> Self {
        (it.as_of, it.score, it.max_score)
    }
}

/// The scores of the last days, one a day.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ScoreHistory {
    /// From the oldest to the newest.
    days: Vec<DailyScore>,
    /// Whether Graph was asked for the days before the newest one.
    #[serde(rename = "read")]
    is_read: bool,
}

impl ScoreHistory {
    /// The days with a score, from the oldest to the newest.
    pub fn days(&self) -> &[DailyScore] {
        &self.days
    }

    /// Whether Graph may have days that are not here.
    pub fn lacks_days(&self) -> bool {
        !self.is_read && !self.days.is_empty()
    }

    /// The last score of a day before that of this time.
    pub fn before(&self, at: Timestamp) -> Option<DailyScore> {
        let earlier = |it: &&DailyScore| it.day() < at.day();
        self.days.iter().rev().find(earlier).copied()
    }

    /// Adds the newest score, which may be a correction of its day. Later ones
    /// were withdrawn by Microsoft. A day that is skipped may be at Graph.
    pub fn add_newest(&mut self, score: DailyScore) {
        let is_correction = self.days.iter().any(|it| it.day() == score.day());
        self.days.retain(|it| it.day() < score.day());
        let last = self.days.last();
        let is_next = last.is_some_and(|last| score.day() - last.day() <= 1);
        self.is_read &= is_correction || is_next;
        self.days.push(score);
        self.drop_oldest();
    }

    /// Adds what Graph has of the days before the newest one, in any order. Of
    /// two scores of one day the later is the correction.
    pub fn add_past(&mut self, past: impl IntoIterator<Item = DailyScore>, is_complete: bool) {
        let Some(newest) = self.days.last().copied() else {
            return;
        };
        let earlier = past.into_iter().filter(|it| it.day() < newest.day());
        self.days.extend(earlier);
        self.days.sort_by_key(|it| it.as_of);
        self.days.reverse();
        self.days.dedup_by_key(|it| it.day());
        self.days.reverse();
        self.is_read |= is_complete;
        self.drop_oldest();
    }

    /// Drops what cannot be of its day yet, by this machine's clock.
    pub fn retain_days(&mut self, is_valid: impl Fn(Timestamp) -> bool) {
        self.days.retain(|it| is_valid(it.as_of));
    }

    fn drop_oldest(&mut self) {
        let excess = self.days.len().saturating_sub(MAX_DAYS);
        self.days.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn report(max: f64) -> Report {
        Report {
            as_of: Some(Timestamp::of_day(1)),
            current_score: Points::new(3.0),
            max_score: Points::new(max),
            ..Report::new("t")
        }
    }

    fn of_day(day: i64, score: f64) -> DailyScore {
        DailyScore {
            as_of: Timestamp::of_day(day),
            score: Points::new(score).unwrap(),
            max_score: Points::new(100.0).unwrap(),
        }
    }

    #[test]
    fn a_share_needs_a_day_and_a_maximum() {
        let score = DailyScore::of(&report(4.0)).unwrap();
        assert_eq!(score.share(), 0.75);
        assert_eq!(DailyScore::of(&report(0.0)), None);
        let undated = Report {
            as_of: None,
            ..report(4.0)
        };
        assert_eq!(DailyScore::of(&undated), None);
    }

    #[test]
    fn it_is_stored_as_a_list_of_three_numbers() {
        let score = DailyScore::of(&report(4.0)).unwrap();
        let json = serde_json::to_string(&score).unwrap();
        assert_eq!(json, "[86400000000000,3.0,4.0]");
        assert_eq!(serde_json::from_str::<DailyScore>(&json).unwrap(), score);
    }

    #[test]
    fn a_correction_replaces_its_day_and_a_withdrawn_day_is_gone() {
        let mut history = ScoreHistory::default();
        assert!(!history.lacks_days());
        history.add_newest(of_day(10, 50.0));
        assert!(history.lacks_days());
        history.add_past([of_day(8, 40.0), of_day(12, 1.0), of_day(9, 45.0)], true);
        assert!(!history.lacks_days());
        history.add_newest(of_day(10, 51.0));
        assert_eq!(
            history.days(),
            [of_day(8, 40.0), of_day(9, 45.0), of_day(10, 51.0)]
        );
        history.add_newest(of_day(9, 44.0));
        assert_eq!(history.days(), [of_day(8, 40.0), of_day(9, 44.0)]);
        assert_eq!(history.before(of_day(9, 0.0).as_of), Some(of_day(8, 40.0)));
        assert_eq!(history.before(of_day(8, 0.0).as_of), None);
        let mut alone = ScoreHistory::default();
        alone.add_newest(of_day(10, 50.0));
        alone.add_past([], true);
        alone.add_newest(of_day(10, 51.0));
        assert!(!alone.lacks_days(), "a correction leaves no gap");
    }

    #[test]
    fn a_gap_is_read_again() {
        let mut history = ScoreHistory::default();
        history.add_newest(of_day(10, 50.0));
        history.add_past([of_day(9, 45.0)], true);
        history.add_newest(of_day(11, 50.0));
        assert!(!history.lacks_days());
        history.add_newest(of_day(14, 50.0));
        assert!(history.lacks_days());
        history.add_past([of_day(12, 49.0)], false);
        assert!(history.lacks_days());
        let days: Vec<i64> = history.days().iter().map(DailyScore::day).collect();
        assert_eq!(days, [9, 10, 11, 12, 14]);
    }

    proptest! {
        #[test]
        fn there_is_one_score_a_day_in_order(
            newest in 500i64..600,
            past in proptest::collection::vec((0i64..700, 0f64..100.0), 0..600),
        ) {
            let mut history = ScoreHistory::default();
            history.add_newest(of_day(newest, 1.0));
            history.add_past(past.iter().map(|(day, score)| of_day(*day, *score)), true);
            let days: Vec<i64> = history.days().iter().map(DailyScore::day).collect();
            prop_assert!(days.windows(2).all(|it| it[0] < it[1]));
            prop_assert_eq!(days.last(), Some(&newest));
            prop_assert!(days.len() <= MAX_DAYS);
            let expected: std::collections::BTreeSet<i64> =
                past.iter().map(|(day, _)| *day).filter(|it| *it < newest).collect();
            prop_assert_eq!(days.len(), (expected.len() + 1).min(MAX_DAYS));
        }
    }
}
