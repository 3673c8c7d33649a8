//! A tenant's score of one day.

use super::{Points, Report, Timestamp};

/// A report reduced to what a later one is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PreviousScore {
    /// The day Microsoft computed it for.
    pub as_of: Timestamp,
    /// Points reached that day.
    pub score: Points,
    /// Points possible that day, more than none.
    pub max_score: Points,
}

impl PreviousScore {
    /// The score a report tells of, where it names its day and has a share.
    pub fn of(report: &Report) -> Option<Self> {
        Some(Self {
            as_of: report.as_of?,
            score: report.current_score?,
            max_score: report.max_score.filter(|max| max.get() > 0.0)?,
        })
    }

    /// The score as a share of the maximum, 0 to 1.
    ///
    /// Two days are compared by it: Microsoft adds controls and takes them
    /// away, and the points follow.
    pub fn share(&self) -> f64 {
        self.score.get() / self.max_score.get()
    }
}
