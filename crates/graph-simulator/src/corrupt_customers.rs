//! Faults that corrupt a partner's lists.

use serde_json::{Value, json};

use crate::fault::{FaultKind, OddCustomer};
use crate::odd_values::{add_odd_element, set};

/// Corrupts customers, relationships or tenants of an organization.
pub(crate) fn corrupt(elements: &mut Vec<Value>, kind: &FaultKind) {
    let wrong_types = json!({
        "id": 7, "tenantId": 7, "displayName": {}, "customer": "none",
        "status": 7, "endDateTime": 7, "autoExtendDuration": 7,
    });
    add_odd_element(elements, kind, wrong_types);
}

/// Gives a customer an odd form. `own` is id and display name of the partner's tenant.
pub(crate) fn set_odd(odd: OddCustomer, elements: &mut Vec<Value>, own: (&str, &str)) {
    if odd == OddCustomer::OwnTenant {
        let (id, name) = own;
        elements.push(json!({"id": id, "tenantId": id, "displayName": name}));
        return;
    }
    let Some((first, others)) = elements.split_first_mut() else {
        return;
    };
    let name = |text: &str| ("displayName", json!(text));
    let (key, value) = match odd {
        OddCustomer::WithoutId => return remove(first, &["id", "tenantId"]),
        OddCustomer::WithoutName => return remove(first, &["displayName"]),
        OddCustomer::InvalidId => {
            set(first, "id", json!("00000000-not-a-guid"));
            ("tenantId", json!("00000000-not-a-guid"))
        }
        OddCustomer::EmojiName => name("\u{1f98a}\u{1f525} \u{1f469}\u{200d}\u{1f4bb}"),
        OddCustomer::RightToLeftName => {
            name("\u{202e}\u{5d7}\u{5d1}\u{5e8}\u{5d4} \u{5d1}\u{5e2}\u{5f4}\u{5de}")
        }
        OddCustomer::SameName | OddCustomer::OwnTenant => {
            if let (Some(second), Some(name)) = (others.first_mut(), first.get("displayName")) {
                set(second, "displayName", name.clone());
            }
            return;
        }
    };
    set(first, key, value);
}

fn remove(element: &mut Value, keys: &[&str]) {
    if let Some(fields) = element.as_object_mut() {
        fields.retain(|key, _| !keys.contains(&key.as_str()));
    }
}
