//! What happened to a customer of a partner.

use super::event::{EventId, WebhookPayload, as_rfc3339};
use super::log_event::kind_message;
use secure_score_model::{EventKind, Timestamp};
use serde::Serialize;
use std::sync::Arc;

/// A customer that is watched as a new tenant, or a watched one that left.
///
/// Its serde form is sent to the webhook. Receivers rely on the names: fields
/// may be added, but not changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerEvent {
    /// What happened.
    #[serde(rename = "event")]
    pub kind: EventKind,
    /// The partner's name.
    pub partner: Arc<str>,
    /// The alias of the customer's tenant.
    pub tenant: Arc<str>,
    /// The GUID of the customer's tenant.
    pub entra_tenant_id: Arc<str>,
    /// When the exporter detected it.
    #[serde(serialize_with = "as_rfc3339")]
    pub seen_at: Timestamp,
}

/// Receivers rely on these names.
#[derive(Serialize)]
struct Body<'a> {
    id: EventId,
    #[serde(flatten)]
    event: &'a CustomerEvent,
    exporter: Option<&'a str>,
}

impl CustomerEvent {
    /// The id by which a receiver detects duplicates. A customer that returns and
    /// leaves again does so on another day.
    fn id(&self) -> EventId {
        let day = self.seen_at.day().to_string();
        let parts = [
            self.kind.as_str(),
            &self.partner,
            &self.entra_tenant_id,
            &day,
        ];
        EventId::of(&parts)
    }

    /// Renders it; `exporter` is the external URL of the pages.
    pub(super) fn payload(&self, exporter: Option<&str>) -> WebhookPayload {
        let id = self.id();
        let body = Body {
            id,
            event: self,
            exporter,
        };
        WebhookPayload {
            id,
            kind: self.kind,
            tenant: Arc::clone(&self.tenant),
            control: Arc::default(),
            seen_at: self.seen_at,
            // Serializing strings cannot fail.
            body: serde_json::to_string(&body).unwrap_or_default(),
        }
    }

    /// Writes its line of the log. A tenant that left is a warning: its series end.
    pub(super) fn log(&self) {
        let (event, partner, tenant) = (self.kind.as_str(), &*self.partner, &*self.tenant);
        let (entra_tenant_id, message) = (&*self.entra_tenant_id, kind_message(self.kind));
        match self.kind {
            EventKind::TenantLeft => {
                tracing::warn!(event, partner, tenant, entra_tenant_id, "{message}");
            }
            _ => tracing::info!(event, partner, tenant, entra_tenant_id, "{message}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(seconds: i64) -> CustomerEvent {
        CustomerEvent {
            kind: EventKind::TenantDiscovered,
            partner: "provider".into(),
            tenant: "contoso".into(),
            entra_tenant_id: "aaaaaaaa-1111-4111-8111-111111111111".into(),
            seen_at: Timestamp::from_seconds(seconds),
        }
    }

    #[test]
    fn a_receiver_gets_partner_customer_and_alias() {
        let payload = event(0).payload(Some("https://example.org"));
        let body: Value = serde_json::from_str(&payload.body).unwrap();
        let expected = json!({
            "id": payload.id.to_string(),
            "event": "tenant_discovered",
            "partner": "provider",
            "tenant": "contoso",
            "entra_tenant_id": "aaaaaaaa-1111-4111-8111-111111111111",
            "seen_at": "1970-01-01T00:00:00Z",
            "exporter": "https://example.org",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn two_replicas_have_one_id_on_a_day() {
        assert_eq!(event(10).id(), event(80_000).id());
        assert_ne!(event(10).id(), event(90_000).id());
        let left = CustomerEvent {
            kind: EventKind::TenantLeft,
            ..event(10)
        };
        assert_ne!(left.id(), event(10).id());
    }
}
