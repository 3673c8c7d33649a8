//! A tenant's score of an earlier day.

use crate::{Points, Report, Timestamp};
use serde::{Deserialize, Serialize};

/// The part of a report with which a later report is compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "(Timestamp, Points, Points)")]
pub struct PreviousScore {
    /// The day for which Microsoft computed it.
    pub as_of: Timestamp,
    /// Points reached that day.
    pub score: Points,
    /// Points possible that day, greater than zero.
    pub max_score: Points,
}

impl PreviousScore {
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
}

impl From<PreviousScore> for (Timestamp, Points, Points) {
    fn from(it: PreviousScore) -> Self {
        (it.as_of, it.score, it.max_score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(max: f64) -> Report {
        Report {
            as_of: Some(Timestamp::from_seconds(86_400)),
            current_score: Points::new(3.0),
            max_score: Points::new(max),
            ..Report::new("t")
        }
    }

    #[test]
    fn a_share_needs_a_day_and_a_maximum() {
        let score = PreviousScore::of(&report(4.0)).unwrap();
        assert_eq!(score.share(), 0.75);
        assert_eq!(PreviousScore::of(&report(0.0)), None);
        let undated = Report {
            as_of: None,
            ..report(4.0)
        };
        assert_eq!(PreviousScore::of(&undated), None);
    }

    #[test]
    fn it_is_stored_as_a_list_of_three_numbers() {
        let score = PreviousScore::of(&report(4.0)).unwrap();
        let json = serde_json::to_string(&score).unwrap();
        assert_eq!(json, "[86400000000000,3.0,4.0]");
        assert_eq!(serde_json::from_str::<PreviousScore>(&json).unwrap(), score);
    }
}
