//! An event as the webhook sends it.

use super::event::rfc3339;
use super::{Event, Identity};
use secure_score_model::{ControlState, EventKind, Persons};
use serde::Serialize;
use std::sync::Arc;

/// One event, written and addressed.
///
/// It is written once, when the event happened: what is sent again is the same
/// to the byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// By what the receiver knows it again.
    pub key: Identity,
    /// For our own log.
    pub kind: EventKind,
    /// For our own log: the tenant's alias.
    pub tenant: Arc<str>,
    /// For our own log: Graph's id of the control.
    pub control: Arc<str>,
    /// The JSON to send.
    pub body: String,
}

/// The names receivers rely on; they may be added to, not changed.
#[derive(Serialize)]
struct Body<'a> {
    id: String,
    event: &'a str,
    tenant: &'a str,
    entra_tenant_id: Option<&'a str>,
    control: &'a str,
    category: &'a str,
    title: &'a str,
    from: Option<&'a str>,
    to: Option<&'a str>,
    by: Option<&'a str>,
    at: Option<String>,
    comment: Option<&'a str>,
    approved: Option<bool>,
    reference: Option<&'a str>,
    lost: Option<usize>,
    seen_at: String,
    exporter: Option<&'a str>,
}

impl Letter {
    /// Writes down an event; `exporter` is the URL of our pages.
    pub fn of(event: &Event, persons: &Persons, exporter: Option<&str>) -> Self {
        let key = event.key(persons);
        let by = persons.name(event.by.as_deref());
        let body = Body {
            id: key.to_string(),
            event: event.kind.as_str(),
            tenant: &event.tenant,
            entra_tenant_id: event.entra_tenant_id.as_deref(),
            control: &event.control,
            category: event.category.as_str(),
            title: &event.title,
            from: event.from.map(ControlState::as_str),
            to: event.to.map(ControlState::as_str),
            by: by.as_deref(),
            at: event.at.map(rfc3339),
            comment: persons.comment(event.comment.as_deref()),
            approved: event.approved,
            reference: event.reference.as_deref(),
            lost: event.lost,
            seen_at: rfc3339(event.seen_at),
            exporter,
        };
        Self {
            key,
            kind: event.kind,
            tenant: Arc::clone(&event.tenant),
            control: Arc::clone(&event.control),
            // Texts, numbers and switches under fixed names always serialise.
            body: serde_json::to_string(&body).unwrap_or_default(),
        }
    }
}
