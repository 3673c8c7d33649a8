//! An event of PagerDuty's Events API v2, as Alertmanager sends it.

use crate::subject::Subject;
use serde_json::Value;

/// A page, or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageEvent {
    /// Whether the alert still fires.
    pub(crate) is_trigger: bool,
    /// Equal for every event of one group of alerts.
    pub(crate) key: String,
    pub(crate) severity: String,
    pub(crate) summary: String,
    /// The texts of the alerts.
    pub(crate) text: String,
    pub(crate) subject: Subject,
}

impl PageEvent {
    /// Reads the body of a request; `None` for another kind of event.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let event: Value = serde_json::from_slice(body).ok()?;
        let is_trigger = match event.get("event_action")?.as_str()? {
            "trigger" => true,
            "resolve" => false,
            _ => return None,
        };
        let payload = |key: &str| text(event.get("payload").and_then(|it| it.get(key)));
        let details = event.get("payload").and_then(|it| it.get("custom_details"));
        let detail = |key: &str| text(details.and_then(|it| it.get(key)));
        Some(Self {
            is_trigger,
            key: text(event.get("dedup_key")),
            severity: payload("severity"),
            summary: payload("summary"),
            text: detail("alerts"),
            subject: Subject {
                tenant: detail("tenant"),
                control: detail("control"),
                recommendation: detail("recommendation"),
            },
        })
    }
}

fn text(value: Option<&Value>) -> String {
    let text = value.and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_has_its_texts_and_the_subject_of_its_alerts() {
        let event = json!({
            "routing_key": "r", "dedup_key": "k", "event_action": "trigger",
            "payload": {
                "summary": "A risk is accepted", "severity": "critical",
                "custom_details": {"alerts": "text", "tenant": "contoso", "control": "A"},
            },
        });
        let read = PageEvent::parse(event.to_string().as_bytes()).unwrap();
        assert!(read.is_trigger);
        assert_eq!(read.summary, "A risk is accepted");
        assert_eq!(
            (read.text.as_str(), read.severity.as_str()),
            ("text", "critical")
        );
        assert_eq!(read.subject.tenant, "contoso");
        assert_eq!(read.subject.recommendation, "");
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for body in ["", "[]", "{}", r#"{"event_action": "acknowledge"}"#] {
            assert_eq!(PageEvent::parse(body.as_bytes()), None, "{body}");
        }
    }
}
