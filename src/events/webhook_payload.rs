//! An event as the webhook receives it.

use super::{Event, EventId};
use crate::serde_time::Rfc3339;
use secure_score_model::{Category, ControlState, EventKind, Persons};
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

/// Receivers rely on these names: fields may be added, but not changed.
#[derive(Serialize)]
struct PayloadFields<'a> {
    id: EventId,
    event: EventKind,
    tenant: &'a str,
    entra_tenant_id: Option<&'a str>,
    control: &'a str,
    category: Category,
    title: &'a str,
    from: Option<ControlState>,
    to: Option<ControlState>,
    by: Option<&'a str>,
    at: Option<Rfc3339>,
    comment: Option<&'a str>,
    approved: Option<bool>,
    reference: Option<&'a str>,
    lost: Option<usize>,
    seen_at: Rfc3339,
    exporter: Option<&'a str>,
}

impl WebhookPayload {
    /// Renders an event; `exporter` is the external URL of the pages.
    pub fn new(event: &Event, persons: &Persons, exporter: Option<&str>) -> Self {
        let id = event.id(persons);
        let by = persons.name(event.by.as_deref());
        let fields = PayloadFields {
            id,
            event: event.kind,
            tenant: &event.tenant,
            entra_tenant_id: event.entra_tenant_id.as_deref(),
            control: &event.control,
            category: event.category,
            title: &event.title,
            from: event.from,
            to: event.to,
            by: by.as_deref(),
            at: event.at.map(Rfc3339),
            comment: persons.comment(event.comment.as_deref()),
            approved: event.approved,
            reference: event.reference.as_deref(),
            lost: event.lost,
            seen_at: Rfc3339(event.seen_at),
            exporter,
        };
        // Serializing strings, numbers and booleans cannot fail.
        let body = serde_json::to_string(&fields).unwrap_or_default();
        Self {
            id,
            kind: event.kind,
            tenant: Arc::clone(&event.tenant),
            control: Arc::clone(&event.control),
            body,
        }
    }
}
