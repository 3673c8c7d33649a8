//! What Graph said of a recommendation when its status was last seen.

use crate::{RecommendationEntry, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What Graph said of a recommendation when its last known status was seen last.
///
/// Graph keeps dates and person of an earlier change: only what it says for the
/// first time is of a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusObservation {
    /// When Graph sent it.
    pub(crate) at: Timestamp,
    /// The last date of the status that Graph sent.
    #[serde(rename = "status_at", default, skip_serializing_if = "Option::is_none")]
    pub(crate) status_modified: Option<Timestamp>,
    /// When the recommendation was last changed, by a person or by Microsoft.
    #[serde(rename = "modified", default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified: Option<Timestamp>,
    /// The person who did that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Arc<str>>,
}

impl StatusObservation {
    /// The observation of an entry in a list that Graph sent at this time.
    pub(crate) fn of(entry: &RecommendationEntry, at: Timestamp, before: Option<&Self>) -> Self {
        let dated_before = before.and_then(|it| it.status_modified);
        Self {
            at,
            status_modified: entry.status_modified.or(dated_before),
            last_modified: entry.last_modified,
            by: entry.last_modified_by.clone(),
        }
    }

    /// Whether Graph dates the status later than it did before.
    pub(crate) fn is_dated_later(&self, status_modified: Timestamp) -> bool {
        self.status_modified.is_none_or(|it| status_modified > it)
    }

    /// Whether the last modification of an entry is none since then: no date or
    /// person of it is of a later change.
    pub(crate) fn has_modification(&self, entry: &RecommendationEntry) -> bool {
        let both = self.last_modified.zip(entry.last_modified);
        both.is_some_and(|(known, now)| {
            now < known || (now == known && self.by == entry.last_modified_by)
        })
    }

    /// When a person changed the recommendation later than Graph said before.
    pub(crate) fn later_change_by_person(&self, entry: &RecommendationEntry) -> Option<Timestamp> {
        let at = entry.modified_by_person()?;
        let is_later = self.last_modified.is_none_or(|it| at > it);
        is_later.then_some(at)
    }

    /// Whether Graph dates an entry as it did then: no person has set its status
    /// since.
    pub(crate) fn is_same(&self, entry: &RecommendationEntry) -> bool {
        let is_modification = entry.last_modified.is_some()
            && self.last_modified == entry.last_modified
            && self.by == entry.last_modified_by;
        let is_status = entry.status_modified.is_some()
            && self.status_modified == entry.status_modified
            && self.later_change_by_person(entry).is_none();
        is_modification || is_status
    }
}
