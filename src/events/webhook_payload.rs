//! An event as the webhook receives it.

use super::{Event, EventId};
use secure_score_model::EventKind;
use serde::Serialize;
use std::sync::Arc;

/// One event as JSON, with what the log needs about it.
///
/// It is rendered once, when the event is detected, so that every retry sends
/// the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookPayload {
    /// The id by which the receiver detects duplicates.
    pub id: EventId,
    /// For the log: what happened.
    pub kind: EventKind,
    /// For the log: the tenant's alias.
    pub tenant: Arc<str>,
    /// For the log: Graph's id of the control.
    pub control: Arc<str>,
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
    pub(super) fn new(event: &Event, exporter: Option<&str>) -> Self {
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
            // Serializing strings, numbers and booleans cannot fail.
            body: serde_json::to_string(&body).unwrap_or_default(),
        }
    }
}
