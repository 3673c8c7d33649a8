//! The score over the days of a period.

use super::Period;
use crate::serde_time::Day;
use secure_score_model::{DailyScore, ScoreHistory};
use serde::Serialize;

/// The score of a day.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ScoreOfDay {
    pub(crate) day: Day,
    /// Points reached.
    pub(crate) score: f64,
    /// Points possible.
    pub(crate) max_score: f64,
    /// The score as a share of the maximum, 0 to 1.
    pub(crate) ratio: f64,
}

impl From<&DailyScore> for ScoreOfDay {
    fn from(it: &DailyScore) -> Self {
        Self {
            day: Day::beginning(it.as_of),
            score: it.score.get(),
            max_score: it.max_score.get(),
            ratio: it.share(),
        }
    }
}

/// The known days of the period, from the oldest to the newest.
pub(super) fn days_of<'a>(history: &'a ScoreHistory, period: &Period) -> &'a [DailyScore] {
    let days = history.days();
    let from = days.partition_point(|it| it.as_of < period.from);
    let end = days.partition_point(|it| it.as_of < period.end);
    days.get(from..end).unwrap_or_default()
}
