//! Faults that corrupt Entra's recommendations and the days of the Identity Secure Score.

use serde_json::{Value, json};

use crate::fault::FaultKind;
use crate::odd_values::{FOREIGN_TENANT, UNKNOWN_VALUE, add_odd_element, set, set_odd_field};

/// Corrupts recommendations.
pub(crate) fn corrupt(elements: &mut Vec<Value>, kind: &FaultKind) {
    match kind {
        FaultKind::WrongTenant => {
            for element in elements {
                rename(element, |_, name| format!("{FOREIGN_TENANT}_{name}"));
            }
        }
        FaultKind::UpperCaseTenant => {
            for element in elements {
                rename(element, |tenant, name| {
                    format!("{}_{name}", tenant.to_ascii_uppercase())
                });
            }
        }
        FaultKind::BareId => {
            for element in elements {
                rename(element, |_, name| name.to_owned());
            }
        }
        FaultKind::UnknownValues => {
            if let Some(first) = elements.first_mut() {
                set_unknown_values(first);
            }
        }
        FaultKind::DuplicateType => set_duplicate_type(elements),
        FaultKind::MinusOne => {
            if let Some(first) = elements.iter_mut().find(is_scored) {
                set(first, "currentScore", json!(-1));
                set(first, "maxScore", json!(-1));
            }
        }
        FaultKind::OddField(odd) => {
            if let Some(first) = elements.iter_mut().find(is_scored) {
                set_odd_field(first, ("currentScore", "displayName"), *odd);
            }
        }
        _ => {
            let wrong_types = json!({
                "id": 7, "recommendationType": ["none"], "status": 7, "category": ["none"],
                "displayName": {}, "currentScore": "some", "maxScore": "many",
                "lastModifiedDateTime": 7, "impactedResources": "none",
            });
            add_odd_element(elements, kind, wrong_types);
        }
    }
}

/// Corrupts days of the Identity Secure Score.
pub(crate) fn corrupt_days(elements: &mut Vec<Value>, kind: &FaultKind) {
    match kind {
        FaultKind::MinusOne => {
            for element in elements {
                set(element, "tenantScore", json!(-1));
                set(element, "tenantMaxScore", json!(-1));
            }
        }
        FaultKind::OddField(odd) => {
            if let Some(first) = elements.first_mut() {
                set_odd_field(first, ("tenantScore", "createDateTime"), *odd);
            }
        }
        _ => {
            let wrong_types = json!({
                "tenantScore": "some", "tenantMaxScore": ["many"], "createDateTime": 7,
            });
            add_odd_element(elements, kind, wrong_types);
        }
    }
}

/// Changes an id, given its two parts: the tenant's GUID, and what is behind it.
fn rename(element: &mut Value, id: impl Fn(&str, &str) -> String) {
    let old = element.get("id").and_then(Value::as_str);
    let parts = old.and_then(|old| old.split_once('_'));
    if let Some(new) = parts.map(|(tenant, name)| id(tenant, name)) {
        set(element, "id", json!(new));
    }
}

fn set_unknown_values(element: &mut Value) {
    for key in [
        "status",
        "category",
        "recommendationType",
        "priority",
        "impactType",
        "requiredLicenses",
    ] {
        set(element, key, json!(UNKNOWN_VALUE));
    }
}

/// Gives the second element the type of the first.
fn set_duplicate_type(elements: &mut [Value]) {
    let [first, second, ..] = elements else {
        return;
    };
    if let Some(kind) = first.get("recommendationType") {
        set(second, "recommendationType", kind.clone());
    }
}

fn is_scored(element: &&mut Value) -> bool {
    element.get("currentScore").is_some()
}
