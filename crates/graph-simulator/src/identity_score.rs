//! One element of `tenantSecureScores`: the Identity Secure Score of one day.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::generated_tenant::GeneratedTenant;
use crate::recommendation_catalogue::ENTRIES;
use crate::report_calendar::newest_day;
use crate::status_change::to_text;

impl GeneratedTenant {
    /// Graph's JSON of the score at an index, newest first: a day each, without gaps.
    pub(crate) fn identity_score(&self, index: usize, now: Timestamp) -> Value {
        let age = SignedDuration::from_hours(index as i64 * 24);
        let newest = newest_day(now);
        let day = newest.saturating_sub(age).unwrap_or(newest);
        let points = ENTRIES
            .iter()
            .filter_map(|entry| self.points(entry, day, index == 0));
        let (score, maximum) =
            points.fold((0, 0), |sum, points| (sum.0 + points.0, sum.1 + points.1));
        let set = self.identity_score.filter(|_| index == 0);
        let (score, maximum) = set.unwrap_or((rounded(score), rounded(maximum)));
        json!({
            "tenantScore": score,
            "tenantMaxScore": maximum,
            "createDateTime": to_text(day),
        })
    }
}

/// Ten-thousandths of a point as whole points.
fn rounded(ten_thousandths: u64) -> u64 {
    (ten_thousandths + 5_000) / 10_000
}
