//! The rules as they are shipped, read into types.

use super::{read, root};
use promql_parser::parser::{self, Expr};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// A YAML text that must be readable.
pub(super) fn yaml<T: DeserializeOwned>(text: &str) -> T {
    serde_saphyr::from_str(text).unwrap_or_else(|e| panic!("{e}"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    groups: Vec<Group>,
}

/// Rules that are evaluated together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) interval: String,
    pub(super) rules: Vec<Rule>,
}

/// A recording rule or an alert.
#[derive(PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) record: Option<String>,
    pub(super) alert: Option<String>,
    pub(super) expr: String,
    #[serde(rename = "for")]
    pub(super) pending: Option<String>,
    pub(super) keep_firing_for: Option<String>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
}

impl Rule {
    /// What it records or how the alert is called.
    pub(super) fn name(&self) -> &str {
        self.record
            .as_deref()
            .or(self.alert.as_deref())
            .expect("a rule records or alerts")
    }

    pub(super) fn parsed(&self) -> Expr {
        parser::parse(&self.expr).unwrap_or_else(|e| panic!("{}: {e}\n{}", self.name(), self.expr))
    }

    pub(super) fn severity(&self) -> &str {
        self.labels.get("severity").map_or("", String::as_str)
    }
}

/// The groups of the file that is shipped.
pub(super) fn groups() -> Vec<Group> {
    let text = read(&root().join("alerts/secure-score.rules.yml"));
    let file: File = yaml(&text);
    assert!(file.groups.len() >= 5, "only {} groups", file.groups.len());
    file.groups
}

/// Every rule, in the order of the file.
pub(super) fn rules() -> Vec<Rule> {
    groups().into_iter().flat_map(|group| group.rules).collect()
}

/// Every alert, in the order of the file.
pub(super) fn alerts() -> Vec<Rule> {
    let alerts: Vec<Rule> = rules().into_iter().filter(|r| r.alert.is_some()).collect();
    assert!(alerts.len() > 25, "only {} alerts", alerts.len());
    alerts
}
