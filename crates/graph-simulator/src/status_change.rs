//! Changes of a recommendation's status.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Who changes what no person changes.
pub(crate) const SYSTEM: &str = "System";

/// A change of the status of a recommendation, or of one of its impacted resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// Graph's word (`riskAccepted`) or the exporter's (`risk_accepted`); any other is
    /// served unchanged.
    pub status: String,
    /// The display name or the object id of the person; `None` for the service itself.
    pub by: Option<String>,
    /// The end of a postponement.
    pub postpone_until: Option<Timestamp>,
    /// The time of the change, in whole seconds; `None` for now.
    pub at: Option<Timestamp>,
}

impl StatusChange {
    /// A change by the service itself, now.
    pub fn new(status: &str) -> Self {
        Self {
            status: status.to_owned(),
            by: None,
            postpone_until: None,
            at: None,
        }
    }

    /// A change by a person.
    #[must_use]
    pub fn by(mut self, person: &str) -> Self {
        self.by = Some(person.to_owned());
        self
    }

    /// A change until a time.
    #[must_use]
    pub fn until(mut self, end: Timestamp) -> Self {
        self.postpone_until = Some(end);
        self
    }

    /// A change at a time.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// Writes the change into a recommendation or a resource.
    fn write(&self, fields: &mut Map<String, Value>) {
        let at = to_text(self.at.unwrap_or_else(Timestamp::now));
        let by = self.by.as_deref().unwrap_or(SYSTEM);
        for (key, value) in [
            ("status", json!(graph_status(&self.status))),
            ("lastModifiedBy", json!(by)),
            ("lastModifiedDateTime", json!(at)),
            (
                "postponeUntilDateTime",
                json!(self.postpone_until.map(to_text)),
            ),
        ] {
            fields.insert(key.to_owned(), value);
        }
    }
}

/// A change of a recommendation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RecommendationEdit {
    Status(StatusChange),
    /// Of the resource with this id or display name.
    ResourceStatus(String, StatusChange),
    /// The service checks it again and finds nothing new.
    Checked(Timestamp),
    /// Any JSON instead.
    Replaced(Value),
}

impl RecommendationEdit {
    /// Changes Graph's JSON; without effect on what is no recommendation.
    pub(crate) fn apply(&self, element: &mut Value) {
        if let Self::Replaced(value) = self {
            *element = value.clone();
        }
        if let Some(fields) = element.as_object_mut() {
            self.apply_to_fields(fields);
        }
    }

    fn apply_to_fields(&self, fields: &mut Map<String, Value>) {
        match self {
            Self::Status(change) => {
                change.write(fields);
                // Published answers have the time of the status after `acceptRisk` only.
                let accepted_at = fields.get("lastModifiedDateTime").cloned();
                let is_accepted = graph_status(&change.status) == "riskAccepted";
                match accepted_at.filter(|_| is_accepted) {
                    Some(at) => fields.insert("statusModifiedDateTime".to_owned(), at),
                    None => fields.remove("statusModifiedDateTime"),
                };
            }
            Self::ResourceStatus(resource, change) => {
                let resources = fields.get_mut("impactedResources");
                let mut resources = resources.and_then(Value::as_array_mut).into_iter();
                let found = resources.find_map(|all| all.iter_mut().find(|it| is(it, resource)));
                if let Some(fields) = found.and_then(Value::as_object_mut) {
                    change.write(fields);
                }
            }
            Self::Checked(at) => {
                fields.insert("lastModifiedDateTime".to_owned(), json!(to_text(*at)));
            }
            Self::Replaced(_) => {}
        }
    }
}

/// Whether a resource has this id or display name.
pub(crate) fn is(resource: &Value, key: &str) -> bool {
    ["id", "subjectId", "displayName"]
        .iter()
        .any(|name| resource.get(name).and_then(Value::as_str) == Some(key))
}

/// A time as this interface writes it, in whole seconds.
pub(crate) fn to_text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Graph's name of a status given by Graph's or the exporter's name.
fn graph_status(name: &str) -> &str {
    match name {
        "completed_by_system" => "completedBySystem",
        "completed_by_user" => "completedByUser",
        "risk_accepted" => "riskAccepted",
        "third_party" => "thirdParty",
        "alternate_mitigation" => "alternateMitigation",
        "needs_more_action" => "needsMoreAction",
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn edited(edits: &[RecommendationEdit]) -> Value {
        let mut element = json!({
            "status": "active", "lastModifiedBy": SYSTEM,
            "impactedResources": [{"id": "1", "status": "active"}, {"id": "2", "displayName": "Ann"}],
        });
        for edit in edits {
            edit.apply(&mut element);
        }
        element
    }

    #[test]
    fn an_acceptance_alone_has_the_time_of_the_status() {
        let accepted = StatusChange::new("risk_accepted").by("Ann").at(at(7));
        let accepted = RecommendationEdit::Status(accepted);
        let element = edited(std::slice::from_ref(&accepted));
        assert_eq!(element["status"], "riskAccepted");
        assert_eq!(element["lastModifiedBy"], "Ann");
        assert_eq!(element["statusModifiedDateTime"], "1970-01-01T00:00:07Z");
        let postponed = StatusChange::new("postponed").until(at(60)).at(at(8));
        let element = edited(&[accepted, RecommendationEdit::Status(postponed)]);
        assert_eq!(element["postponeUntilDateTime"], "1970-01-01T00:01:00Z");
        assert_eq!(element["lastModifiedBy"], SYSTEM);
        assert!(element.get("statusModifiedDateTime").is_none());
    }

    #[test]
    fn a_check_moves_one_time_only() {
        let mut expected = edited(&[]);
        expected["lastModifiedDateTime"] = json!("1970-01-01T00:00:09Z");
        assert_eq!(edited(&[RecommendationEdit::Checked(at(9))]), expected);
    }

    #[test]
    fn a_resource_changes_alone() {
        let change = StatusChange::new("dismissed");
        let edit = RecommendationEdit::ResourceStatus("Ann".to_owned(), change);
        let element = edited(&[edit]);
        assert_eq!(element["status"], "active");
        assert_eq!(element["impactedResources"][0]["status"], "active");
        assert_eq!(element["impactedResources"][1]["status"], "dismissed");
    }
}
