//! The state of a tenant that survives a restart.

use crate::events::Seen;
use secure_score_model::{
    Api, Catalogue, CategoryPins, DailyScore, FutureDates, IdentityScore, Reason,
    RecommendationList, Report, ScoreHistory, StatusHistories, Timestamp, Trouble,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::ops::Not;
use std::sync::Arc;

/// The state of a tenant that survives a restart; its serde form is the state
/// file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SavedTenant {
    /// The tenant's alias.
    pub alias: Arc<str>,
    /// The tenant as configured: cloud and id.
    pub directory: String,
    /// The tenant's GUID, where known.
    #[serde(rename = "id")]
    pub entra_tenant_id: Option<Arc<str>>,
    /// The last catalogue, also when it is too old to be exported.
    pub catalogue: Option<SavedList<Arc<Catalogue>>>,
    /// The last report, likewise.
    pub report: Option<SavedList<Arc<Report>>>,
    /// The last recommendations of Entra, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendations: Option<SavedList<Arc<RecommendationList>>>,
    /// The last Identity Secure Score, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_score: Option<SavedList<Arc<IdentityScore>>>,
    /// The statuses that the recommendations had.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub statuses: Arc<StatusHistories>,
    /// Since when Graph has sent reports older than that one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_since: Option<Timestamp>,
    /// The scores of the last days.
    #[serde(
        rename = "days",
        alias = "earlier",
        default,
        deserialize_with = "score_history"
    )]
    pub score_history: Arc<ScoreHistory>,
    /// The category in which each control was first seen.
    pub pins: Arc<CategoryPins>,
    /// The refreshes of each list of Secure Score.
    pub lists: BTreeMap<Api, SavedRefresh>,
    /// The same of the lists of Entra, apart from the others so that an older
    /// version reads the file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub entra_lists: BTreeMap<Api, SavedRefresh>,
    /// What was seen of its controls, so that each event is emitted once.
    pub seen: Arc<Seen>,
    /// When changes dated in the future were first seen.
    #[serde(
        rename = "future",
        default,
        skip_serializing_if = "FutureDates::is_empty"
    )]
    pub future_dates: Arc<FutureDates>,
}

/// The refreshes of a list when it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRefresh {
    /// Whether the last one had succeeded.
    pub up: bool,
    /// When the last one succeeded.
    #[serde(rename = "last")]
    pub last_success: Option<Timestamp>,
    /// When the next one is due.
    #[serde(rename = "next")]
    pub next_refresh: Timestamp,
    /// When that was decided.
    #[serde(rename = "at", default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// Until when Microsoft asked to wait.
    #[serde(rename = "asked", default, skip_serializing_if = "Option::is_none")]
    pub requested_until: Option<Timestamp>,
    /// How many there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refreshes: u64,
    /// How many of them failed, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<Reason, u64>,
    /// The failure of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// Whether the tenant does not offer the list, so that it is not refreshed.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub not_offered: bool,
}

/// The history, or the one earlier score of files of version 0.1.
fn score_history<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<ScoreHistory>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Saved {
        History(ScoreHistory),
        Earlier(Option<DailyScore>),
    }
    Ok(match Saved::deserialize(from)? {
        Saved::History(history) => history.into(),
        Saved::Earlier(earlier) => {
            let mut history = ScoreHistory::default();
            earlier.into_iter().for_each(|it| history.add_newest(it));
            history.into()
        }
    })
}

fn is_empty(statuses: &Arc<StatusHistories>) -> bool {
    statuses.is_empty()
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// An answer of Graph, and when Graph last confirmed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedList<T> {
    /// When Graph last sent it.
    pub at: Timestamp,
    /// Whether it was complete.
    #[serde(rename = "whole")]
    pub complete: bool,
    /// Whether acceptances of an incomplete answer were added to it.
    #[serde(rename = "evidence", default, skip_serializing_if = "Not::not")]
    pub has_evidence: bool,
    /// The answer.
    pub value: T,
}

impl<T> SavedList<T> {
    /// The same, confirmed now if it was confirmed later: the clock was ahead.
    #[must_use]
    pub fn not_later_than(self, now: Timestamp) -> Self {
        Self {
            at: self.at.min(now),
            ..self
        }
    }
}
