//! One event, its id, and its form for the webhook.

use crate::serde_time::Rfc3339;
use aws_lc_rs::digest::{SHA256, digest};
use secure_score_model::{
    Category, ControlState, EventKind, Persons, Place, RecommendationStatus, Timestamp,
};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The state of a control, or the status of a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum EventState {
    /// Of a control.
    Control(ControlState),
    /// Of a recommendation of Entra.
    Recommendation(RecommendationStatus),
}

impl From<ControlState> for EventState {
    fn from(state: ControlState) -> Self {
        Self::Control(state)
    }
}

impl From<RecommendationStatus> for EventState {
    fn from(status: RecommendationStatus) -> Self {
        Self::Recommendation(status)
    }
}

impl EventState {
    /// The word in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Control(state) => state.as_str(),
            Self::Recommendation(status) => status.as_str(),
        }
    }

    /// Whether the risk is accepted in it, or the recommendation set aside.
    fn is_acceptance(self) -> bool {
        match self {
            Self::Control(state) => state == ControlState::RiskAccepted,
            Self::Recommendation(status) => status.sets_aside() == Some(true),
        }
    }
}

/// What happened to a control or a recommendation, when, by whom and why.
///
/// Its serde form is sent to the webhook. Receivers rely on the names: fields
/// may be added, but not changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// What happened.
    #[serde(rename = "event")]
    pub kind: EventKind,
    /// Where it happened.
    #[serde(rename = "where")]
    pub place: Place,
    /// The tenant's alias.
    pub tenant: Arc<str>,
    /// The tenant's GUID, once known.
    pub entra_tenant_id: Option<Arc<str>>,
    /// Graph's id of the control; the recommendation's name, where no control of
    /// Secure Score has that name.
    pub control: Arc<str>,
    /// The recommendation's name, where it happened in Entra.
    pub recommendation: Option<Arc<str>>,
    /// The area in which the control counts.
    pub category: Category,
    /// The control's title in the portal.
    pub title: Arc<str>,
    /// The state before, where known.
    pub from: Option<EventState>,
    /// The state after; missing where the control left the catalogue.
    pub to: Option<EventState>,
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
    /// Until when a recommendation is postponed.
    #[serde(serialize_with = "as_rfc3339")]
    pub postponed_until: Option<Timestamp>,
    /// When the exporter detected it.
    #[serde(serialize_with = "as_rfc3339")]
    pub seen_at: Timestamp,
    /// Distinguishes events of one kind at one control, without the person.
    #[serde(skip)]
    pub(super) discriminator: String,
}

pub(super) fn as_rfc3339<S: Serializer>(
    at: &(impl Into<Option<Timestamp>> + Copy),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    (*at).into().map(Rfc3339).serialize(serializer)
}

impl Event {
    /// The event with as much of name and comment as readers may see.
    pub(super) fn shown_to(&self, persons: &Persons) -> ShownEvent {
        ShownEvent(Self {
            by: persons.name(self.by.as_deref()).map(Arc::from),
            comment: persons.comment(self.comment.as_deref()).map(Arc::from),
            ..self.clone()
        })
    }

    /// Whether the state before or after is an accepted risk, or sets a
    /// recommendation aside.
    pub(super) fn concerns_acceptance(&self) -> bool {
        let mut states = [self.from, self.to].into_iter().flatten();
        states.any(EventState::is_acceptance)
    }
}

/// An event with as much of name and comment as readers may see. Only this form
/// is logged and sent.
pub(super) struct ShownEvent(Event);

impl Deref for ShownEvent {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.0
    }
}

impl ShownEvent {
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
}

/// The id of an event, or of a change in a history.
///
/// It depends on the event alone, so that a restart, a retry and a second
/// replica compute the same id. 128 bits of a hash make a collision of two
/// events practically impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct EventId(u128);

impl EventId {
    /// The id of a list of parts. Each part is hashed with its length, so that
    /// no two lists give the same input.
    pub(super) fn of(parts: &[&str]) -> Self {
        let mut framed = Vec::new();
        for part in parts {
            framed.extend_from_slice(&(part.len() as u64).to_le_bytes());
            framed.extend_from_slice(part.as_bytes());
        }
        let hash = digest(&SHA256, &framed);
        let bytes = hash.as_ref().first_chunk().copied().unwrap_or_default();
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl TryFrom<String> for EventId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let well_formed = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u128::from_str_radix(&text, 16).ok();
        let number = number.filter(|_| well_formed);
        number.map(Self).ok_or("not 32 hexadecimal digits")
    }
}

/// One event as JSON, with what the log needs about it.
///
/// It is rendered once, when the event is detected, so that every retry sends
/// the same bytes.
///
/// Its serde form is stored with `--state.dir`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookPayload {
    /// The id by which the receiver detects duplicates.
    pub id: EventId,
    /// For the log: what happened.
    pub kind: EventKind,
    /// For the log: the tenant's alias.
    pub tenant: Arc<str>,
    /// For the log: Graph's id of the control.
    pub control: Arc<str>,
    /// When the exporter detected it; retries end some time after it.
    pub seen_at: Timestamp,
    /// The JSON.
    pub body: String,
}

/// Receivers rely on these names.
#[derive(Serialize)]
struct Body<'a> {
    id: EventId,
    #[serde(flatten)]
    event: &'a Event,
    exporter: Option<&'a str>,
}

impl WebhookPayload {
    /// Renders an event as shown; `exporter` is the external URL of the pages.
    pub(super) fn new(event: &ShownEvent, exporter: Option<&str>) -> Self {
        let id = event.id();
        let body = Body {
            id,
            event,
            exporter,
        };
        Self {
            id,
            kind: event.kind,
            tenant: Arc::clone(&event.tenant),
            control: Arc::clone(&event.control),
            seen_at: event.seen_at,
            // Serializing strings, numbers and booleans cannot fail.
            body: serde_json::to_string(&body).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_parsed_from_its_text() {
        let id = EventId::of(&["a", "b"]);
        assert_eq!(EventId::try_from(id.to_string()), Ok(id));
        for invalid in ["", "12", "+0000000000000000000000000000000", "zz"] {
            assert!(EventId::try_from(invalid.to_owned()).is_err(), "{invalid}");
        }
    }

    #[test]
    fn the_border_between_two_parts_matters() {
        assert_ne!(EventId::of(&["ab", "c"]), EventId::of(&["a", "bc"]));
        assert_ne!(EventId::of(&["a"]), EventId::of(&["a", ""]));
    }

    /// Receivers store ids, so they must not change between versions.
    #[test]
    fn an_id_is_the_same_in_every_version() {
        let id = EventId::of(&["state_changed", "contoso", "AdminMFAV2"]);
        assert_eq!(id.to_string(), "94a0ace1d305cb362671bdb28a7e7394");
    }
}
