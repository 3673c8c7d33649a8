//! One event.

use super::EventId;
use crate::serde_time::Rfc3339;
use secure_score_model::{Category, ControlState, EventKind, Persons, Timestamp};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// What happened to a control, when, by whom and why.
///
/// Its serde form is sent to the webhook. Receivers rely on the names: fields
/// may be added, but not changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// What happened.
    #[serde(rename = "event")]
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
    /// Who set the state: as Graph sends it, until [`shown_to`](Self::shown_to).
    pub by: Option<Arc<str>>,
    /// When the state was set, as Graph sends it.
    #[serde(serialize_with = "as_rfc3339")]
    pub at: Option<Timestamp>,
    /// The comment of that person.
    pub comment: Option<Arc<str>>,
    /// Whether the acceptance is approved; missing where the event concerns
    /// none.
    pub approved: Option<bool>,
    /// The reference of that approval, valid or expired.
    pub reference: Option<Arc<str>>,
    /// How many changes the history lost.
    pub lost: Option<usize>,
    /// When the exporter detected it.
    #[serde(serialize_with = "as_rfc3339")]
    pub seen_at: Timestamp,
    /// Distinguishes events of one kind at one control, without the person.
    #[serde(skip)]
    pub(super) discriminator: String,
}

fn as_rfc3339<S: Serializer>(
    at: &(impl Into<Option<Timestamp>> + Copy),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    (*at).into().map(Rfc3339).serialize(serializer)
}

impl Event {
    /// The event with as much of name and comment as readers may see.
    pub(super) fn shown_to(&self, persons: &Persons) -> Self {
        Self {
            by: persons.name(self.by.as_deref()).map(Arc::from),
            comment: persons.comment(self.comment.as_deref()).map(Arc::from),
            ..self.clone()
        }
    }

    /// The id by which a receiver detects duplicates.
    ///
    /// It is computed from the name as shown. If it contained the real name, a
    /// reader of the id could guess names until one matches.
    pub(super) fn id(&self) -> EventId {
        EventId::of(&[
            self.kind.as_str(),
            &self.tenant,
            &self.control,
            &self.discriminator,
            self.by.as_deref().unwrap_or_default(),
        ])
    }

    /// Whether the state before or after is an accepted risk.
    pub(super) fn concerns_acceptance(&self) -> bool {
        [self.from, self.to].contains(&Some(ControlState::RiskAccepted))
    }
}
