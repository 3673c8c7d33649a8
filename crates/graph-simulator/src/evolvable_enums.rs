//! Graph's evolvable enumerations: newer words are hidden from clients that do not ask
//! for them.

use serde_json::{Map, Value, json};

use crate::incoming::IncomingRequest;

/// What Graph sends instead of a newer word.
const HIDDEN: &str = "unknownFutureValue";

/// The preference of a client that knows newer words.
const PREFERENCE: &str = "include-unknown-enum-members";

/// The newer words by property. Those of `status` and `category` are documented; which
/// types are newer is an assumption.
const NEWER: &[(&str, &[&str])] = &[
    (
        "status",
        &[
            "riskAccepted",
            "thirdParty",
            "planned",
            "alternateMitigation",
            "needsMoreAction",
        ],
    ),
    ("category", &["mdiSecureScore"]),
    (
        "recommendationType",
        &[
            "turnOffPerUserMFA",
            "insiderRiskPolicy",
            "mdiUnmonitoredADCS",
        ],
    ),
];

/// Hides the newer words of a recommendation and of its resources, unless the request
/// prefers to see them.
pub(crate) fn hide_newer_words(request: &IncomingRequest, fields: &mut Map<String, Value>) {
    if request.prefers(PREFERENCE) {
        return;
    }
    hide(fields);
    let resources = fields.get_mut("impactedResources");
    let resources = resources.and_then(Value::as_array_mut);
    let resources = resources.into_iter().flatten();
    resources.filter_map(Value::as_object_mut).for_each(hide);
}

fn hide(fields: &mut Map<String, Value>) {
    for (key, words) in NEWER {
        if let Some(value) = fields.get_mut(*key)
            && value.as_str().is_some_and(|word| words.contains(&word))
        {
            *value = json!(HIDDEN);
        }
    }
}
