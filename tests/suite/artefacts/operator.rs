//! The rules as a PrometheusRule, for Grafana's own alerting, and as a mixin.

use super::rules::yaml;
use super::text::template_without_queries;
use super::{compare_copies, files, read, root};
use crate::golden;
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;

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

/// jsonnet-bundler copies the mixin's folder alone.
#[test]
fn the_mixin_contains_what_it_imports() {
    compare_copies("deploy/mixin");
    let imports = Regex::new("import(?:str)? '([^']+)'").unwrap();
    let mut imported = BTreeSet::new();
    for library in files("deploy/mixin", ".libsonnet") {
        let text = read(&library);
        imported.extend(imports.captures_iter(&text).map(|it| it[1].to_owned()));
    }
    let folder = root().join("deploy/mixin");
    for path in &imported {
        assert!(
            !path.contains("..") && folder.join(path).is_file(),
            "{path}"
        );
    }
    for dashboard in files("dashboards", ".json") {
        let name = dashboard.file_name().unwrap().to_string_lossy();
        let copy = format!("dashboards/{name}");
        assert!(imported.contains(&copy), "{name} is missing in the mixin");
    }
}

const GRAFANA_HEAD: &str = "\
# For Grafana's own alerting, which can import rules but not query in their texts:
# the rules of alerts/secure-score.rules.yml with texts that use labels only, from
# which UPDATE_GOLDEN=1 cargo test generates this file.

";

/// An annotation without its queries; nothing where nothing is left, or where a
/// value is left, which is another thing in Grafana.
fn of_labels(key: &str, template: &str) -> Option<String> {
    let text = template_without_queries(template);
    let is_usable = !text.is_empty() && !text.contains("$value");
    is_usable.then(|| format!("          {key}: >-\n            {text}\n"))
}

#[test]
fn the_rules_for_grafana_have_no_query_in_their_texts() {
    let rules = read(&root().join(RULES));
    let start = rules.find("groups:\n").unwrap();
    let mut resource = GRAFANA_HEAD.to_owned();
    let mut lines = rules[start..].lines().peekable();
    while let Some(line) = lines.next() {
        let key = line
            .strip_prefix("          ")
            .and_then(|it| it.strip_suffix(": >-"));
        let Some(key) = key.filter(|it| !it.starts_with(' ')) else {
            resource.push_str(&format!("{line}\n"));
            continue;
        };
        let mut template = Vec::new();
        while let Some(line) = lines.next_if(|it| it.starts_with("            ")) {
            template.push(line.trim());
        }
        if let Some(text) = of_labels(key, &template.join(" ")) {
            resource.push_str(&text);
        }
    }
    let file = root().join("deploy/grafana-rules.yaml");
    golden::compare(&file, &resource);
    let texts = &resource[GRAFANA_HEAD.len()..];
    assert!(!texts.contains("query"), "a query is left");
    let (mut copy, mut original): (Value, Value) = (yaml(&resource), yaml(&rules));
    for rule in rules_of(&mut copy) {
        let has_summary = rule["annotations"]["summary"].is_string();
        assert_eq!(has_summary, rule["alert"].is_string(), "{rule}");
    }
    for document in [&mut copy, &mut original] {
        for rule in rules_of(document) {
            rule.as_object_mut().unwrap().remove("annotations");
        }
    }
    assert_eq!(copy, original);
}

/// The rules of all groups.
fn rules_of(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let groups = document["groups"].as_array_mut().unwrap().iter_mut();
    groups.flat_map(|group| group["rules"].as_array_mut().unwrap())
}
