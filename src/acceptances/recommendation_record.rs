//! A recommendation of Entra in documents for other programs.

use super::recommendation_changes;
use super::record::{ApprovalRecord, ChangeRecord};
use crate::serde_time::Rfc3339;
use secure_score_model::{Persons, Points, Recommendation, RecommendationStatus, Timestamp};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// One recommendation of a tenant with its status and its points.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RecommendationRecord<'a> {
    /// Its name within the tenant (Graph: `recommendationType`).
    pub(crate) recommendation: &'a str,
    /// Its title in the portal.
    pub(crate) title: &'a str,
    pub(crate) recommendation_category: &'static str,
    pub(crate) status: &'static str,
    /// Since when it has this status, where that is known.
    pub(crate) status_since: Option<Rfc3339>,
    /// Whether Graph says so; otherwise it has it since then or earlier.
    pub(crate) status_since_exact: Option<bool>,
    /// Who set it, as far as shown.
    pub(crate) set_by: Option<Cow<'a, str>>,
    pub(crate) postponed_until: Option<Rfc3339>,
    /// Whether it is accepted as a risk, dismissed or postponed now; null where
    /// the status is unknown.
    pub(crate) set_aside: Option<bool>,
    /// Whether an unexpired decision covers that; likewise.
    pub(crate) approved: Option<bool>,
    /// The decision that covers it, valid or expired.
    pub(crate) approval: ApprovalRecord<'a>,
    /// Points reached, where it counts in the Identity Secure Score.
    pub(crate) score: Option<f64>,
    pub(crate) max_score: Option<f64>,
    pub(crate) points_to_gain: Option<f64>,
    pub(crate) watched: bool,
    /// The control of Secure Score that is the same.
    pub(crate) control: Option<&'a str>,
    pub(crate) control_state: Option<&'static str>,
    /// Whether it is accepted in one place and open in the other.
    pub(crate) disagrees: Option<bool>,
    pub(crate) priority: &'static str,
    /// What it changes, in Microsoft's words.
    pub(crate) impact_type: &'a str,
    /// The licence that it requires, in Microsoft's words.
    pub(crate) license: &'a str,
    /// How many resources that it concerns are in each status, where they are
    /// read.
    pub(crate) impacted_resources: Option<&'a BTreeMap<RecommendationStatus, u64>>,
    /// Every status that the exporter saw, oldest first.
    pub(crate) history: Vec<ChangeRecord<'a>>,
}

impl<'a> RecommendationRecord<'a> {
    /// A recommendation at a time, with names as far as shown.
    pub(crate) fn new(it: &'a Recommendation, persons: &Persons, now: Timestamp) -> Self {
        let (entry, changed) = (&it.entry, it.changed());
        let set_aside = entry.status.sets_aside();
        let approval = it.approval(now);
        let record = ApprovalRecord::new(approval, persons);
        Self {
            recommendation: &entry.name,
            title: &entry.title,
            recommendation_category: entry.category.as_str(),
            status: entry.status.as_str(),
            status_since: changed.map(|it| Rfc3339(it.at)),
            status_since_exact: changed.map(|it| it.is_exact),
            set_by: persons.name(changed.and_then(|it| it.by.as_deref())),
            postponed_until: entry.postponed_until.map(Rfc3339),
            set_aside,
            approved: set_aside.map(|is| is && approval.is_approved()),
            approval: ApprovalRecord {
                status: record.status.filter(|_| set_aside.is_some()),
                ..record
            },
            score: entry.score.map(Points::get),
            max_score: entry.max_score.map(Points::get),
            points_to_gain: entry.points_to_gain().map(Points::get),
            watched: it.watched,
            control: it.control.as_deref(),
            control_state: it.control_state.map(|it| it.as_str()),
            disagrees: it.disagrees(),
            priority: entry.priority.as_str(),
            impact_type: &entry.impact_type,
            license: &entry.license,
            impacted_resources: entry.impacted_resources.as_ref(),
            history: ChangeRecord::all(&recommendation_changes(it), persons),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::RecommendationEntry;

    #[test]
    fn of_an_unknown_status_nothing_is_known() {
        let of = |status| {
            let recommendation = Recommendation::new(RecommendationEntry {
                status,
                ..RecommendationEntry::new("A")
            });
            let now = Timestamp::from_seconds(100);
            let record = RecommendationRecord::new(&recommendation, &Persons::Plain, now);
            (record.set_aside, record.approved, record.approval.status)
        };
        let (yes, no) = (Some(true), Some(false));
        let missing = Some("missing");
        assert_eq!(of(RecommendationStatus::Postponed), (yes, no, missing));
        assert_eq!(of(RecommendationStatus::Planned), (no, no, missing));
        assert_eq!(of(RecommendationStatus::Unknown), (None, None, None));
    }
}
