//! The odd values that faults put into elements of lists.

use serde_json::{Value, json};

use crate::fault::{FaultKind, OddElement, OddField};
use crate::raw_json::raw;

/// The tenant id of [`FaultKind::WrongTenant`](crate::FaultKind::WrongTenant).
pub(crate) const FOREIGN_TENANT: &str = "ffffffff-0000-4000-8000-00000000beef";

/// The word of [`FaultKind::UnknownValues`](crate::FaultKind::UnknownValues).
pub(crate) const UNKNOWN_VALUE: &str = "Quantum";

/// Half of a surrogate pair, as JSON.
pub(crate) const LONE_SURROGATE: &str = r#""half \ud83d of a pair""#;

/// Writes a member of an object.
pub(crate) fn set(element: &mut Value, key: &str, value: Value) {
    if let Some(fields) = element.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
}

/// Adds an element that occurs twice or cannot be read; `wrong_types` has members of
/// other types than Microsoft's.
pub(crate) fn add_odd_element(elements: &mut Vec<Value>, kind: &FaultKind, wrong_types: Value) {
    match kind {
        FaultKind::DuplicateElement => elements.extend(elements.first().cloned()),
        FaultKind::OddElement(OddElement::NotAnObject) => elements.insert(0, json!(42)),
        FaultKind::OddElement(OddElement::WrongTypes) => elements.insert(0, wrong_types),
        _ => {}
    }
}

/// Gives the number or the text of an element an odd form.
pub(crate) fn set_odd_field(element: &mut Value, (number, text): (&str, &str), odd: OddField) {
    match odd {
        OddField::HugeNumber => set(element, number, raw("1e400")),
        OddField::LoneSurrogate => set(element, text, raw(LONE_SURROGATE)),
        OddField::TextNumber => set(element, number, json!("many")),
        OddField::NoNumber => {
            if let Some(fields) = element.as_object_mut() {
                fields.remove(number);
            }
        }
    }
}
