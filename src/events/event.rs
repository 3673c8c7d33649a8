//! One thing that happened to a control.

use super::Identity;
use secure_score_model::{Category, ControlState, EventKind, Persons, Timestamp};
use std::sync::Arc;

/// What happened, where, by whom and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What kind of thing.
    pub kind: EventKind,
    /// The tenant, by its alias.
    pub tenant: Arc<str>,
    /// The tenant's GUID, once it is known.
    pub entra_tenant_id: Option<Arc<str>>,
    /// Graph's id of the control.
    pub control: Arc<str>,
    /// The area the control counts in.
    pub category: Category,
    /// What the portal calls the control.
    pub title: Arc<str>,
    /// The state before; missing where nobody saw it.
    pub from: Option<ControlState>,
    /// The state after; missing where the control is gone.
    pub to: Option<ControlState>,
    /// Who set the state, as Graph says it: never told but through
    /// [`Persons`].
    pub by: Option<Arc<str>>,
    /// When the state was set, as Graph says it.
    pub at: Option<Timestamp>,
    /// Why, in the words of who set it; told as `by` is.
    pub comment: Option<Arc<str>>,
    /// Whether the configuration approves the acceptance this is about, when
    /// it is told; missing where it is about none.
    pub approved: Option<bool>,
    /// Where that approval is recorded, also when it has expired.
    pub reference: Option<Arc<str>>,
    /// How many changes are gone from the history.
    pub lost: Option<usize>,
    /// When we saw it.
    pub seen_at: Timestamp,
    /// What tells it from others of its kind at its control, without the
    /// person.
    pub(super) trace: String,
}

impl Event {
    /// By what a receiver knows it again.
    ///
    /// Made of the person as shown, not as known: who holds the key of an
    /// event without a name could otherwise try names until one fits.
    pub fn key(&self, persons: &Persons) -> Identity {
        let by = persons.name(self.by.as_deref()).unwrap_or_default();
        Identity::of(&[
            self.kind.as_str(),
            &self.tenant,
            &self.control,
            &self.trace,
            &by,
        ])
    }

    /// Whether somebody should look at it: it has to do with an accepted risk,
    /// or with a history that does not say what it said before.
    pub fn is_grave(&self) -> bool {
        let accepted = Some(ControlState::RiskAccepted);
        self.kind != EventKind::StateChanged || self.from == accepted || self.to == accepted
    }
}

/// A time as RFC 3339 in UTC, with every digit Graph gave.
pub(super) fn rfc3339(at: Timestamp) -> String {
    // 64 bits of nanoseconds end long before the calendar does.
    jiff::Timestamp::from_nanosecond(i128::from(at.nanos()))
        .unwrap_or_default()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_graphs_seven_digits() {
        let at = Timestamp::from_nanos(1_795_421_700_123_456_700);
        assert_eq!(rfc3339(at), "2026-11-23T08:15:00.1234567Z");
        assert_eq!(rfc3339(Timestamp::from_seconds(0)), "1970-01-01T00:00:00Z");
    }
}
