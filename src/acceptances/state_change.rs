//! One change of a state or status, as pages and documents show it.

use secure_score_model::{Place, RecommendationEntry, StateUpdate, StatusChange, Timestamp};

/// The state of a control or the status of a recommendation, who set it, when
/// and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateChange<'a> {
    /// Where it was set. Entra takes no comments.
    pub place: Place,
    /// The state or status as a label's word.
    pub state: &'static str,
    /// When it was set, where that is known.
    pub at: Option<Timestamp>,
    /// Whether Graph says so. Otherwise it was set at that time or before.
    pub is_exact: bool,
    /// Who set it, as Graph sends it.
    pub by: Option<&'a str>,
    /// The comment of that person.
    pub comment: Option<&'a str>,
    /// To whom the control was assigned with it.
    pub assigned_to: Option<&'a str>,
}

impl<'a> From<&'a StateUpdate> for StateChange<'a> {
    fn from(update: &'a StateUpdate) -> Self {
        Self {
            place: Place::SecureScore,
            state: update.state.as_str(),
            at: update.at,
            // A date in the future is replaced by when the update counts as set.
            is_exact: update.future_date.is_none(),
            by: update.by.as_deref(),
            comment: update.comment.as_deref(),
            assigned_to: update.assigned_to.as_deref(),
        }
    }
}

impl<'a> From<&'a StatusChange> for StateChange<'a> {
    fn from(change: &'a StatusChange) -> Self {
        Self {
            place: Place::Entra,
            state: change.status.as_str(),
            at: Some(change.at),
            is_exact: change.is_exact,
            by: change.by.as_deref(),
            comment: None,
            assigned_to: None,
        }
    }
}

impl<'a> StateChange<'a> {
    /// The present status of a recommendation, by its entry alone.
    pub(super) fn present(entry: &'a RecommendationEntry) -> Self {
        let set = entry.status_set();
        Self {
            place: Place::Entra,
            state: entry.status.as_str(),
            at: set.or(entry.modified_by_person()),
            is_exact: set.is_some(),
            by: entry.last_modified_by.as_deref(),
            comment: None,
            assigned_to: None,
        }
    }
}
