//! Faults that spoil a good list.

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::fault::{Oddity, What};
use super::graph::{Call, NEXT_LINK};
use super::reply::{Content, Reply};
use super::request_log::Api;

/// The tenant whose data it would be.
const STRANGER: &str = "ffffffff-0000-4000-8000-00000000beef";

/// A word of no known vocabulary.
const UNHEARD_OF: &str = "Quantum";

/// Makes the reply of a list, spoiled as the fault says.
pub(super) fn spoil(what: Option<&What>, mut list: Map<String, Value>, call: &Call<'_>) -> Reply {
    match what {
        Some(What::NextLinkLoop) => link(&mut list, call.address()),
        Some(What::NextLinkForeign(host)) => {
            link(&mut list, format!("https://{host}{}", call.next_path()))
        }
        Some(What::NextLinkHttp) => link(
            &mut list,
            call.next_link().replacen("https://", "http://", 1),
        ),
        Some(What::EndlessPages) => link(&mut list, call.next_link()),
        Some(what) => each(&mut list, call.api, what),
        None => {}
    }
    match what {
        Some(What::Truncated) => Reply::of(Content::HalfJson(Value::Object(list))),
        Some(What::Partial206) => Reply::json(StatusCode::PARTIAL_CONTENT, Value::Object(list)),
        _ => Reply::json(StatusCode::OK, Value::Object(list)),
    }
}

/// The tenant a spoiled token claims to be for.
pub(super) fn stranger() -> &'static str {
    STRANGER
}

fn link(list: &mut Map<String, Value>, to: String) {
    list.insert(NEXT_LINK.to_owned(), Value::String(to));
}

fn each(list: &mut Map<String, Value>, api: Api, what: &What) {
    let Some(Value::Array(elements)) = list.get_mut("value") else {
        return;
    };
    match (what, api) {
        (What::WrongTenant, _) => elements.iter_mut().for_each(of_stranger),
        (What::UnknownValues, Api::Profiles) => {
            elements.iter_mut().take(1).for_each(unheard_of_profile)
        }
        (What::UnknownValues, _) => elements.iter_mut().take(1).for_each(unheard_of_report),
        (What::MinusOne, Api::Profiles) => elements
            .iter_mut()
            .take(1)
            .for_each(|e| put(e, "maxScore", json!(-1))),
        (What::MinusOne, _) => elements.iter_mut().for_each(minus_one),
        (What::OddElement(oddity), _) => odd(elements, api, *oddity),
        (What::DuplicateElement, Api::Profiles) => duplicate(elements),
        (What::DuplicateElement, _) => scores(elements).into_iter().for_each(duplicate),
        (What::UnsortedHistory, _) => elements.iter_mut().for_each(reverse_history),
        (What::BareHistory, _) => elements.iter_mut().enumerate().for_each(bare_history),
        _ => {}
    }
}

fn put(element: &mut Value, key: &str, value: Value) {
    if let Some(fields) = element.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
}

fn array<'a>(element: &'a mut Value, key: &str) -> Option<&'a mut Vec<Value>> {
    element.get_mut(key)?.as_array_mut()
}

/// The control scores of the newest report.
fn scores(reports: &mut [Value]) -> Option<&mut Vec<Value>> {
    array(reports.first_mut()?, "controlScores")
}

fn of_stranger(element: &mut Value) {
    put(element, "azureTenantId", json!(STRANGER));
}

fn unheard_of_profile(profile: &mut Value) {
    for key in [
        "controlCategory",
        "tier",
        "userImpact",
        "implementationCost",
        "actionType",
        "service",
    ] {
        put(profile, key, json!(UNHEARD_OF));
    }
    let update = json!({
        "assignedTo": null, "comment": null, "state": UNHEARD_OF,
        "updatedBy": "somebody", "updatedDateTime": "2026-01-02T03:04:05.6789012Z",
    });
    put(profile, "controlStateUpdates", json!([update]));
}

fn unheard_of_report(report: &mut Value) {
    for (list, key) in [
        ("controlScores", "controlCategory"),
        ("averageComparativeScores", "basis"),
    ] {
        if let Some(first) = array(report, list).and_then(|list| list.first_mut()) {
            put(first, key, json!(UNHEARD_OF));
        }
    }
}

/// Microsoft's sign for "could not be computed", seen everywhere at times.
fn minus_one(report: &mut Value) {
    for comparison in array(report, "averageComparativeScores")
        .into_iter()
        .flatten()
    {
        let numbers = comparison
            .as_object_mut()
            .into_iter()
            .flat_map(|fields| fields.values_mut());
        numbers
            .filter(|value| value.is_number())
            .for_each(|value| *value = json!(-1));
    }
    if let Some(first) = array(report, "controlScores").and_then(|scores| scores.first_mut()) {
        put(first, "score", json!(-1));
        put(first, "scoreInPercentage", json!(-1));
    }
    put(report, "activeUserCount", json!(-1));
}

fn odd(elements: &mut Vec<Value>, api: Api, oddity: Oddity) {
    let list = match api {
        Api::Profiles => Some(elements),
        Api::Token | Api::Scores => scores(elements),
    };
    let element = match oddity {
        Oddity::NotAnObject => json!(42),
        Oddity::WrongTypes => json!({
            "id": 7, "controlName": 7, "maxScore": "many", "score": "some",
            "controlCategory": ["Identity"], "controlStateUpdates": "none",
        }),
    };
    if let Some(list) = list {
        list.insert(0, element);
    }
}

fn duplicate(elements: &mut Vec<Value>) {
    if let Some(first) = elements.first().cloned() {
        elements.push(first);
    }
}

fn reverse_history(profile: &mut Value) {
    if let Some(updates) = array(profile, "controlStateUpdates") {
        updates.reverse();
    }
}

fn bare_history((index, profile): (usize, &mut Value)) {
    let untouched = array(profile, "controlStateUpdates").is_some_and(|updates| updates.len() == 1);
    if untouched {
        let bare = if index % 2 == 0 {
            json!([])
        } else {
            Value::Null
        };
        put(profile, "controlStateUpdates", bare);
    }
}
