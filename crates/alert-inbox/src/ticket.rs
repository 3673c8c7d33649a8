//! The webhook of Alertmanager, as a ticket system receives it.

use serde_json::Value;

/// A group of alerts as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// The alerts' name, or that of their group.
    pub(crate) title: String,
    /// Whether an alert still fires.
    pub(crate) is_open: bool,
    /// The JSON, indented.
    pub(crate) json: String,
}

impl Ticket {
    /// Reads the body of a request.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let ticket: Value = serde_json::from_slice(body).ok()?;
        let status = ticket.get("status")?.as_str()?;
        let common = |part: &str, key: &str| {
            let text = ticket.get(part)?.get(key)?.as_str()?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        let title = common("commonAnnotations", "summary")
            .or_else(|| common("groupLabels", "alertname"))
            .unwrap_or_else(|| "Alerts".to_owned());
        let tenant = common("commonLabels", "tenant");
        Some(Self {
            title: tenant.map_or(title.clone(), |tenant| format!("{tenant}: {title}")),
            is_open: status == "firing",
            json: serde_json::to_string_pretty(&ticket).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_ticket_is_named_after_its_alerts_and_tenant() {
        let ticket = |common: Value| {
            let body = json!({"status": "firing", "commonLabels": {"tenant": "contoso"},
                "commonAnnotations": common, "groupLabels": {"alertname": "Old"}});
            Ticket::parse(body.to_string().as_bytes()).unwrap()
        };
        assert_eq!(
            ticket(json!({"summary": "Data are old."})).title,
            "contoso: Data are old."
        );
        assert_eq!(ticket(json!({})).title, "contoso: Old");
        assert!(ticket(json!({})).is_open);
        assert_eq!(Ticket::parse(b"{}"), None);
    }
}
