//! Labels that a tenant's target carries in Prometheus.

use std::collections::BTreeMap;
use strict_yaml::{Diagnostics, Entries, Text};

/// What somebody calls a tenant's share of the work: a team, a region.
///
/// They are told to Prometheus by service discovery and not written on the
/// series, since a target label and a series' own of one name cannot both be.
pub type TargetLabels = BTreeMap<String, String>;

/// Prometheus would rename our label to `exported_…` where a target has one of
/// the same name, and every rule and dashboard would miss it.
const TAKEN: [&str; 36] = [
    "tenant",
    "control",
    "category",
    "api",
    "reason",
    "code",
    "outcome",
    "basis",
    "state",
    "scored",
    "field",
    "title",
    "product",
    "tier",
    "user_impact",
    "implementation_cost",
    "action_type",
    "accepted_by",
    "comment",
    "reference",
    "entra_tenant_id",
    "cloud",
    "display_name",
    "job",
    "instance",
    "alertname",
    "alertstate",
    "severity",
    "window",
    "threshold",
    "url",
    "version",
    "revision",
    "le",
    "quantile",
    "shard",
];

/// Room for a name of a department; what is longer is no label.
const LONGEST: usize = 128;

pub(super) fn resolve(
    at: &str,
    written: Entries<Text>,
    diagnostics: &mut Diagnostics,
) -> TargetLabels {
    let mut labels = TargetLabels::new();
    for (name, value) in written.0 {
        let path = format!("{at}.labels");
        if let Some(fault) = fault_of_name(&name.value) {
            diagnostics.error(name.span, path, fault);
        } else if !is_value(value.value.trim()) {
            let fault = "a label's value is one line of 1 to 128 bytes; shorten it";
            diagnostics.error(value.span, path, fault);
        } else {
            labels.insert(name.value, value.value.trim().to_owned());
        }
    }
    labels
}

fn fault_of_name(name: &str) -> Option<String> {
    if TAKEN.contains(&name) {
        return Some(format!(
            "`{name}` is a label that series, alerts or Prometheus have already; choose another"
        ));
    }
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let good = begins_well && name.chars().all(letters) && name.len() <= LONGEST;
    (!good || name.starts_with("__")).then(|| {
        "not a label's name; begin with a letter, go on with letters, digits and `_`".to_owned()
    })
}

fn is_value(value: &str) -> bool {
    (1..=LONGEST).contains(&value.len()) && !value.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_exposition::FAMILIES;

    #[test]
    fn no_label_of_a_series_can_be_taken() {
        let mut labels = FAMILIES.iter().flat_map(|family| family.labels);
        assert_eq!(labels.find(|label| !TAKEN.contains(label)), None);
    }
}
