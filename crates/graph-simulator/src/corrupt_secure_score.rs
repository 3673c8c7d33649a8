//! Faults that corrupt the elements of Secure Score's two lists.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::fault::{FaultKind, OddElement, OddField, OddUpdate, RepeatedElement};
use crate::odd_values::{self, FOREIGN_TENANT, LONE_SURROGATE, UNKNOWN_VALUE, set};
use crate::raw_json::{raw, to_text};

/// How far ahead the dates of [`OddUpdate::FutureDate`] and
/// [`FaultKind::FutureReport`] are.
const FUTURE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Corrupts controls with their states, or daily reports.
pub(crate) fn corrupt(elements: &mut Vec<Value>, is_profiles: bool, kind: &FaultKind) {
    match kind {
        FaultKind::WrongTenant => {
            for element in elements {
                set(element, "azureTenantId", json!(FOREIGN_TENANT));
            }
        }
        FaultKind::UpperCaseTenant => {
            for element in elements {
                let id = element.get("azureTenantId").and_then(Value::as_str);
                if let Some(id) = id.map(str::to_ascii_uppercase) {
                    set(element, "azureTenantId", json!(id));
                }
            }
        }
        FaultKind::UnknownValues => {
            let first = elements.first_mut();
            first.map(if is_profiles {
                set_unknown_profile_values
            } else {
                set_unknown_report_values
            });
        }
        FaultKind::MinusOne if is_profiles => {
            if let Some(first) = elements.first_mut() {
                set(first, "maxScore", json!(-1));
            }
        }
        FaultKind::MinusOne => elements.iter_mut().for_each(set_minus_one),
        FaultKind::OddElement(odd) => {
            if let Some(list) = controls(elements, is_profiles) {
                list.insert(0, odd_element(*odd));
            }
        }
        FaultKind::DuplicateElement => {
            if let Some(list) = controls(elements, is_profiles) {
                list.extend(list.first().cloned());
            }
        }
        FaultKind::OddUpdate(odd) => {
            for newest in elements.iter_mut().filter_map(newest_change) {
                set_odd_update(newest, *odd);
            }
        }
        FaultKind::OddField(odd) => {
            if let Some(first) = controls(elements, is_profiles).and_then(|list| list.first_mut()) {
                set_odd_field(first, is_profiles, *odd);
            }
        }
        FaultKind::NotScored => {
            let scores = controls(elements, is_profiles).into_iter().flatten();
            for (score, value) in scores.zip([json!(true), json!("True")]) {
                set(score, "NotScored", value);
            }
        }
        FaultKind::FutureReport => {
            for report in elements {
                set(report, "createdDateTime", future());
            }
        }
        FaultKind::UnsortedHistory => {
            for updates in elements.iter_mut().filter_map(updates) {
                updates.reverse();
            }
        }
        FaultKind::BareHistory => elements.iter_mut().enumerate().for_each(set_bare_history),
        _ => {}
    }
}

fn future() -> Value {
    let future = Timestamp::now().saturating_add(FUTURE).unwrap_or_default();
    json!(future.to_string())
}

fn array<'a>(element: &'a mut Value, key: &str) -> Option<&'a mut Vec<Value>> {
    element.get_mut(key)?.as_array_mut()
}

fn updates(profile: &mut Value) -> Option<&mut Vec<Value>> {
    array(profile, "controlStateUpdates")
}

/// The list with one element per control: profiles, or the newest report's scores.
fn controls(elements: &mut Vec<Value>, is_profiles: bool) -> Option<&mut Vec<Value>> {
    match is_profiles {
        true => Some(elements),
        false => array(elements.first_mut()?, "controlScores"),
    }
}

fn set_unknown_profile_values(profile: &mut Value) {
    for key in [
        "controlCategory",
        "tier",
        "userImpact",
        "implementationCost",
        "actionType",
        "service",
    ] {
        set(profile, key, json!(UNKNOWN_VALUE));
    }
    let update = json!({
        "assignedTo": null, "comment": null, "state": UNKNOWN_VALUE,
        "updatedBy": "admin", "updatedDateTime": "2026-01-02T03:04:05.6789012Z",
    });
    set(profile, "controlStateUpdates", json!([update]));
}

fn set_unknown_report_values(report: &mut Value) {
    for (list, key) in [
        ("controlScores", "controlCategory"),
        ("averageComparativeScores", "basis"),
    ] {
        if let Some(first) = array(report, list).and_then(|list| list.first_mut()) {
            set(first, key, json!(UNKNOWN_VALUE));
        }
    }
}

/// Microsoft writes -1 for numbers it could not compute, anywhere in a report.
fn set_minus_one(report: &mut Value) {
    let comparisons = array(report, "averageComparativeScores");
    let fields = comparisons
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut);
    for number in fields.flat_map(Map::values_mut).filter(|it| it.is_number()) {
        *number = json!(-1);
    }
    if let Some(first) = array(report, "controlScores").and_then(|scores| scores.first_mut()) {
        set(first, "score", json!(-1));
        set(first, "scoreInPercentage", json!(-1));
    }
    set(report, "activeUserCount", json!(-1));
}

fn odd_element(kind: OddElement) -> Value {
    match kind {
        OddElement::NotAnObject => json!(42),
        OddElement::WrongTypes => json!({
            "id": 7, "controlName": 7, "maxScore": "many", "score": "some",
            "controlCategory": ["Identity"], "controlStateUpdates": "none",
        }),
    }
}

/// The last dated change of a profile, which is the newest of a generated history.
fn newest_change(profile: &mut Value) -> Option<&mut Value> {
    let mut updates = updates(profile)?.iter_mut().rev();
    updates.find(|update| is_dated(update))
}

fn is_dated(update: &Value) -> bool {
    update.get("updatedDateTime").is_some_and(Value::is_string)
}

fn set_odd_update(update: &mut Value, odd: OddUpdate) {
    match odd {
        OddUpdate::LoneSurrogate => set(update, "comment", raw(LONE_SURROGATE)),
        OddUpdate::DuplicateKey => {
            let twice = to_text(update).replacen('{', r#"{"comment":"first","#, 1);
            *update = raw(&twice);
        }
        OddUpdate::BareString => *update = json!("Ignored"),
        OddUpdate::Null => *update = Value::Null,
        OddUpdate::Undated => set(update, "updatedDateTime", Value::Null),
        OddUpdate::UnreadableDate => set(update, "updatedDateTime", json!("yesterday")),
        OddUpdate::FutureDate => set(update, "updatedDateTime", future()),
        OddUpdate::NewWord => set(update, "state", json!(UNKNOWN_VALUE)),
    }
}

fn set_odd_field(element: &mut Value, is_profile: bool, odd: OddField) {
    let (number, text) = match is_profile {
        true => ("maxScore", "title"),
        false => ("score", "implementationStatus"),
    };
    odd_values::set_odd_field(element, (number, text), odd);
}

/// Puts the first changed control of page 1 on page 2 as well, one of them without
/// its newest change.
pub(crate) fn repeat(
    order: RepeatedElement,
    page: u32,
    elements: &mut Vec<Value>,
    first_page: &[Value],
) {
    let is_changed = |element: &&Value| {
        let updates = element.get("controlStateUpdates").and_then(Value::as_array);
        updates.is_some_and(|updates| updates.iter().any(is_dated))
    };
    let Some(newer) = first_page.iter().find(is_changed) else {
        return;
    };
    let mut older = newer.clone();
    if let Some(updates) = updates(&mut older)
        && let Some(newest) = updates.iter().rposition(is_dated)
    {
        updates.remove(newest);
    }
    match (page, order) {
        (1, RepeatedElement::OlderFirst) => {
            let place = elements.iter_mut().find(|element| *element == newer);
            if let Some(place) = place {
                *place = older;
            }
        }
        (2, RepeatedElement::OlderFirst) => elements.insert(0, newer.clone()),
        (2, RepeatedElement::OlderSecond) => elements.insert(0, older),
        _ => {}
    }
}

/// Replaces the history of an unchanged control, alternately by `[]` and null.
fn set_bare_history((index, profile): (usize, &mut Value)) {
    if updates(profile).is_some_and(|updates| updates.len() == 1) {
        let bare = if index % 2 == 0 {
            json!([])
        } else {
            Value::Null
        };
        set(profile, "controlStateUpdates", bare);
    }
}
