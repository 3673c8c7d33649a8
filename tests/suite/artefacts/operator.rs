//! The rules as a PrometheusRule and as a mixin.

use super::rules::yaml;
use super::{files, read, root};
use crate::golden;
use serde_json::Value;

const RULES: &str = "alerts/secure-score.rules.yml";

const HEAD: &str = "\
# For the Prometheus operator: the rules of alerts/secure-score.rules.yml, from
# which UPDATE_GOLDEN=1 cargo test generates this file.
#
# Add the labels that your Prometheus' `ruleSelector` requires. The job must be
# secure-score: give the ServiceMonitor's Service that name, or use `jobLabel`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: secure-score
  labels:
    app.kubernetes.io/name: secure-score-exporter
spec:
";

#[test]
fn the_prometheus_rule_contains_the_shipped_rules() {
    let rules = read(&root().join(RULES));
    let mut resource = HEAD.to_owned();
    for line in rules.lines() {
        let indent = if line.is_empty() { "" } else { "  " };
        resource.push_str(&format!("{indent}{line}\n"));
    }
    let file = root().join("deploy/prometheus-rule.yaml");
    golden::compare(&file, &resource);

    let read_back: Value = yaml(&read(&file));
    let original: Value = yaml(&rules);
    assert_eq!(read_back["spec"], original);
    assert_eq!(read_back["kind"], "PrometheusRule");
    assert!(
        original["groups"]
            .as_array()
            .is_some_and(|groups| groups.len() > 4)
    );
}

#[test]
fn the_mixin_imports_the_shipped_files() {
    let mixin = read(&root().join("deploy/mixin/mixin.libsonnet"));
    assert!(mixin.contains(&format!("importstr '../../{RULES}'")));
    for dashboard in files("dashboards", ".json") {
        let name = dashboard.file_name().unwrap().to_string_lossy();
        assert!(
            mixin.contains(&format!("'{name}': import '../../dashboards/{name}'")),
            "{name} is missing in the mixin"
        );
    }
}
