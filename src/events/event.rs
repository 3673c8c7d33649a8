//! One event.

use super::EventId;
use secure_score_model::{Category, ControlState, EventKind, Persons, Timestamp};
use std::sync::Arc;

/// What happened to a control, when, by whom and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The tenant's alias.
    pub tenant: Arc<str>,
    /// The tenant's GUID, once known.
    pub entra_tenant_id: Option<Arc<str>>,
    /// Graph's id of the control.
    pub control: Arc<str>,
    /// The area in which the control counts.
    pub category: Category,
    /// The control's title in the portal.
    pub title: Arc<str>,
    /// The state before, where known.
    pub from: Option<ControlState>,
    /// The state after; missing where the control left the catalogue.
    pub to: Option<ControlState>,
    /// Who set the state, as Graph sends it; shown through [`Persons`] only.
    pub by: Option<Arc<str>>,
    /// When the state was set, as Graph sends it.
    pub at: Option<Timestamp>,
    /// The comment of that person; shown through [`Persons`] only.
    pub comment: Option<Arc<str>>,
    /// Whether the acceptance is approved; missing where the event concerns
    /// none.
    pub approved: Option<bool>,
    /// The reference of that approval, valid or expired.
    pub reference: Option<Arc<str>>,
    /// How many changes the history lost.
    pub lost: Option<usize>,
    /// When the exporter detected it.
    pub seen_at: Timestamp,
    /// Distinguishes events of one kind at one control, without the person.
    pub(super) discriminator: String,
}

impl Event {
    /// The id by which a receiver detects duplicates.
    ///
    /// It is computed from the name as shown. If it contained the real name, a
    /// reader of the id could guess names until one matches.
    pub fn id(&self, persons: &Persons) -> EventId {
        let by = persons.name(self.by.as_deref()).unwrap_or_default();
        EventId::of(&[
            self.kind.as_str(),
            &self.tenant,
            &self.control,
            &self.discriminator,
            &by,
        ])
    }

    /// Whether it concerns an accepted risk or a sign of tampering.
    pub fn is_warning(&self) -> bool {
        let accepted = Some(ControlState::RiskAccepted);
        self.kind != EventKind::StateChanged || self.from == accepted || self.to == accepted
    }
}
