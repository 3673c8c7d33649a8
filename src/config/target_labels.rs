//! Labels of a tenant's target in Prometheus.

use std::collections::BTreeMap;
use strict_yaml::{Diagnostics, Entries, Text};

/// Labels such as a team or a region, for routing alerts.
///
/// Service discovery hands them to Prometheus. The series do not carry them,
/// because Prometheus renames a series' label that the target also has.
pub type TargetLabels = BTreeMap<String, String>;

/// Labels of series and alerts. If a target has one of them, Prometheus renames
/// the exporter's to `exported_…`, and alert rules and dashboards miss it.
#[rustfmt::skip]
const RESERVED: [&str; 43] = [
    "tenant", "control", "category", "api", "reason", "code", "outcome", "basis", "state",
    "scored", "field", "title", "product", "tier", "user_impact", "implementation_cost",
    "action_type", "accepted_by", "comment", "reference", "entra_tenant_id", "cloud",
    "display_name", "job", "instance", "alertname", "alertstate", "severity", "window",
    "threshold", "url", "version", "revision", "le", "quantile", "shard", "recommendation",
    "recommendation_category", "status", "priority", "impact_type", "license", "partner",
];

/// In bytes.
const LONGEST: usize = 128;

pub(super) fn resolve(
    path: &str,
    entries: Entries<Text>,
    diagnostics: &mut Diagnostics,
) -> TargetLabels {
    let mut labels = TargetLabels::new();
    for (name, value) in entries.0 {
        if let Some(message) = name_error(&name.value) {
            diagnostics.error(name.span, path, message);
        } else if !is_label_value(value.value.trim()) {
            let message = "a label's value is one line of 1 to 128 bytes; shorten it";
            diagnostics.error(value.span, path, message);
        } else {
            labels.insert(name.value, value.value.trim().to_owned());
        }
    }
    labels
}

fn name_error(name: &str) -> Option<String> {
    if RESERVED.contains(&name) {
        return Some(format!(
            "`{name}` is already a label of series, alerts or Prometheus; choose another"
        ));
    }
    (!is_label_name(name) || name.len() > LONGEST)
        .then(|| "not a label name; use a letter, then letters, digits and `_`".to_owned())
}

/// Whether Prometheus accepts the label name and does not reserve it.
pub fn is_label_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(is_allowed)
        && !name.starts_with("__")
}

/// Whether the value has 1 to 128 bytes and no control characters.
pub fn is_label_value(value: &str) -> bool {
    (1..=LONGEST).contains(&value.len()) && !value.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_exposition::FAMILIES;

    #[test]
    fn the_labels_of_series_are_reserved() {
        let mut labels = FAMILIES.iter().flat_map(|family| family.labels);
        assert_eq!(labels.find(|label| !RESERVED.contains(label)), None);
    }
}
