//! The alerts as rules of Grafana's own alerting, in the form of its file
//! provisioning.

use super::rules::{Group, Rule, groups, yaml};
use super::text::template_of_query_a;
use super::{read, root};
use crate::golden;
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const FILE: &str = "deploy/grafana/alert-rules.yaml";

/// What people replace by the address of their exporter.
const EXPORTER: &str = "https://secure-score.example";

/// 1 for each series that the query returns: an alert fires whatever its value is,
/// 0 and NaN included.
pub(super) const CONDITION: &str = "is_null($A) == 0";

const HEAD: &str = "\
# For Grafana 12.2 and later: the alerts of alerts/secure-score.rules.yml as
# Grafana-managed rules, from which UPDATE_GOLDEN=1 cargo test generates this file.
# docs/grafana-alerts.md says how to install it and what differs.
#
# They query the Prometheus that evaluates alerts/secure-score.rules.yml. Set its UID
# in Grafana's environment as SECURE_SCORE_DATASOURCE, and replace
# https://secure-score.example by the address of the exporter.
apiVersion: 1
groups:
";

/// Only in Grafana: without the recording rules every query is empty, and without the
/// data source every alert keeps its state.
fn watchdog() -> Rule {
    let texts = [
        (
            "summary",
            "Grafana cannot evaluate the alerts of the Secure Score exporter",
        ),
        (
            "description",
            "The data source does not answer, or its Prometheus does not evaluate secure-score.rules.yml, whose recording rules the alerts query. Alerts that fire keep firing; risks accepted from now on are not seen.",
        ),
    ];
    let texts = texts.map(|(key, text)| (key.to_owned(), text.to_owned()));
    Rule {
        record: None,
        alert: Some("SecureScoreRulesNotEvaluated".to_owned()),
        expr: "absent(fleet:secure_score_threshold:value)".to_owned(),
        pending: Some("10m".to_owned()),
        keep_firing_for: None,
        labels: BTreeMap::from([("severity".to_owned(), "critical".to_owned())]),
        annotations: BTreeMap::from(texts),
    }
}

/// The alerts of each group, with the one that only Grafana has in the last.
fn alert_groups() -> Vec<Group> {
    let mut groups = groups();
    for group in &mut groups {
        group.rules.retain(|rule| rule.alert.is_some());
    }
    groups.retain(|group| !group.rules.is_empty());
    groups
        .last_mut()
        .expect("groups with alerts")
        .rules
        .push(watchdog());
    groups
}

/// Seconds of a duration with one unit.
pub(super) fn seconds(duration: &str) -> i64 {
    let (number, unit) = duration.split_at(duration.len() - 1);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        other => panic!("{duration}: {other}"),
    };
    unit * number
        .parse::<i64>()
        .unwrap_or_else(|e| panic!("{duration}: {e}"))
}

/// What tells rules of one name apart. Grafana wants a title of its own for each.
fn variant<'r>(rule: &'r Rule, names: &[String]) -> Option<&'r str> {
    let same = names.iter().filter(|name| *name == rule.name()).count();
    let window = rule.labels.get("window").map(String::as_str);
    (same > 1).then(|| window.unwrap_or(rule.severity()))
}

/// A link, whose base a query would have returned.
fn link(template: &str) -> Option<String> {
    let exporter = "label \"url\" | reReplaceAll \"/+$\" \"\" }}";
    let grafana = "label \"grafana\" }}";
    let own = "{{ externalURL | reReplaceAll \"/+$\" \"\" }}";
    let of = |marker: &str, base: &str| {
        let (_, path) = template.split_once(marker)?;
        let path = path.trim_end_matches("{{ end }}");
        Some(format!("{base}{path}"))
    };
    of(exporter, EXPORTER).or_else(|| of(grafana, own))
}

fn annotation(template: &str) -> String {
    link(template).unwrap_or_else(|| template_of_query_a(template))
}

fn indented(text: &str, indent: &str) -> String {
    let lines = text.trim_end().lines();
    lines.map(|line| format!("{indent}{line}\n")).collect()
}

fn written(rule: &Rule, interval: i64, names: &[String]) -> String {
    let variant = variant(rule, names);
    let short = variant.map(|it| if it.len() > 2 { &it[..1] } else { it });
    let name = rule.name();
    let uid: String = [Some(name.trim_start_matches("SecureScore")), short]
        .into_iter()
        .flatten()
        .map(|part| format!("-{part}"))
        .collect();
    let title = variant.map_or_else(|| name.to_owned(), |it| format!("{name} {it}"));
    let expr = indented(&rule.expr, "                ");
    let keep = rule.keep_firing_for.as_deref().map_or(0, seconds);
    let on_error = if *rule == watchdog() {
        "Alerting"
    } else {
        "KeepLast"
    };
    let mut text = format!(
        "      - uid: ss{uid}
        title: {title}
        condition: B
        data:
          - refId: A
            relativeTimeRange: {{from: 600, to: 0}}
            datasourceUid: $SECURE_SCORE_DATASOURCE
            model:
              refId: A
              instant: true
              range: false
              expr: |2-
{expr}          - refId: B
            relativeTimeRange: {{from: 600, to: 0}}
            datasourceUid: __expr__
            model:
              refId: B
              type: math
              datasource: {{type: __expr__, uid: __expr__}}
              expression: '{CONDITION}'
        noDataState: OK
        execErrState: {on_error}
        for: {}
        keepFiringFor: {}
        missing_series_evals_to_resolve: {}
        isPaused: false
        labels:
          alert: {name}
",
        rule.pending.as_deref().unwrap_or("0s"),
        rule.keep_firing_for.as_deref().unwrap_or("0s"),
        keep / interval + 1,
    );
    for (key, value) in &rule.labels {
        writeln!(text, "          {key}: {value}").unwrap();
    }
    text.push_str("        annotations:\n");
    for (key, template) in &rule.annotations {
        let value = annotation(template);
        writeln!(text, "          {key}: >-\n            {value}").unwrap();
    }
    text
}

fn file() -> String {
    let groups = alert_groups();
    let rules = groups.iter().flat_map(|group| &group.rules);
    let names: Vec<String> = rules.map(|rule| rule.name().to_owned()).collect();
    let mut text = HEAD.to_owned();
    for group in &groups {
        let (name, interval) = (&group.name, &group.interval);
        write!(
            text,
            "  - orgId: 1
    name: {name}
    folder: Secure Score
    interval: {interval}
    rules:
"
        )
        .unwrap();
        let rules = group.rules.iter();
        text.extend(rules.map(|rule| written(rule, seconds(interval), &names)));
    }
    text
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Provisioned {
    api_version: u32,
    groups: Vec<ProvisionedGroup>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ProvisionedGroup {
    org_id: u32,
    name: String,
    folder: String,
    pub(super) interval: String,
    pub(super) rules: Vec<ProvisionedRule>,
}

/// A rule as Grafana reads it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ProvisionedRule {
    pub(super) uid: String,
    title: String,
    condition: String,
    data: Vec<Node>,
    no_data_state: String,
    exec_err_state: String,
    #[serde(rename = "for")]
    pub(super) pending: String,
    pub(super) keep_firing_for: String,
    #[serde(rename = "missing_series_evals_to_resolve")]
    pub(super) missing_evaluations: i64,
    is_paused: bool,
    pub(super) labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl ProvisionedRule {
    /// The query, whose every series is an alert.
    pub(super) fn query(&self) -> &str {
        let [query, condition] = self.data.as_slice() else {
            panic!("{}: a query and a condition", self.uid);
        };
        assert_eq!((query.ref_id.as_str(), self.condition.as_str()), ("A", "B"));
        assert_eq!(query.model["instant"], true, "{}", self.uid);
        assert_eq!(condition.model["expression"], CONDITION, "{}", self.uid);
        query.model["expr"].as_str().expect("a query")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Node {
    ref_id: String,
    relative_time_range: Value,
    datasource_uid: String,
    model: Value,
}

/// The rules of the file that is shipped.
pub(super) fn provisioned() -> Vec<ProvisionedGroup> {
    let file: Provisioned = yaml(&read(&root().join(FILE)));
    assert_eq!(file.api_version, 1);
    file.groups
}

#[test]
fn grafanas_rules_are_the_alerts_of_prometheus() {
    golden::compare(&root().join(FILE), &file());
    let (groups, provisioned) = (alert_groups(), provisioned());
    assert_eq!(groups.len(), provisioned.len());
    for (group, read) in groups.iter().zip(&provisioned) {
        assert_eq!((read.org_id, read.folder.as_str()), (1, "Secure Score"));
        assert_eq!((&read.name, &read.interval), (&group.name, &group.interval));
        assert_eq!(read.rules.len(), group.rules.len(), "{}", group.name);
        let interval = seconds(&group.interval);
        assert_eq!(interval % 10, 0, "Grafana's scheduler has steps of 10 s");
        for (rule, read) in group.rules.iter().zip(&read.rules) {
            assert_eq!(read.query().trim_end(), rule.expr.trim_end());
            assert_eq!(read.data[0].datasource_uid, "$SECURE_SCORE_DATASOURCE");
            assert_eq!(read.data[1].datasource_uid, "__expr__");
            for node in &read.data {
                assert!(node.relative_time_range["from"].as_u64() > Some(0));
            }
            let or_none = |duration: &Option<String>| duration.clone().unwrap_or("0s".to_owned());
            assert_eq!(read.pending, or_none(&rule.pending));
            assert_eq!(read.keep_firing_for, or_none(&rule.keep_firing_for));
            // An alert whose series vanishes while others stay ends as in Prometheus.
            let keep = seconds(&read.keep_firing_for);
            assert_eq!(read.missing_evaluations * interval, keep + interval);
            let mut labels = rule.labels.clone();
            labels.insert("alert".to_owned(), rule.name().to_owned());
            assert_eq!(read.labels, labels);
        }
    }
}

#[test]
fn in_grafana_silence_is_not_calm() {
    let mut alerting = Vec::new();
    for rule in provisioned().into_iter().flat_map(|group| group.rules) {
        // An empty answer is the normal one of a query for alerts.
        assert_eq!(rule.no_data_state, "OK");
        assert!(!rule.is_paused);
        match rule.exec_err_state.as_str() {
            // What fires stays.
            "KeepLast" => {}
            "Alerting" => alerting.push(rule.title),
            other => panic!("{}: {other}", rule.title),
        }
    }
    assert_eq!(alerting, ["SecureScoreRulesNotEvaluated"]);
}

#[test]
fn titles_and_uids_are_what_grafana_accepts() {
    let uid = Regex::new("^[a-zA-Z0-9_-]{1,40}$").unwrap();
    let (mut uids, mut titles) = (BTreeSet::new(), BTreeSet::new());
    for rule in provisioned().into_iter().flat_map(|group| group.rules) {
        assert!(uid.is_match(&rule.uid), "{}", rule.uid);
        assert!(rule.title.len() <= 190, "{}", rule.title);
        assert!(rule.title.starts_with(&rule.labels["alert"]));
        assert!(uids.insert(rule.uid.clone()), "{} twice", rule.uid);
        assert!(titles.insert(rule.title.clone()), "{} twice", rule.title);
    }
}

/// Grafana knows the functions of Prometheus' templates, but for queries, and other
/// variables.
#[test]
fn texts_for_grafana_use_what_grafana_knows() {
    let known = BTreeSet::from([
        "if",
        "else",
        "end",
        "eq",
        "gt",
        "printf",
        "urlquery",
        "toTime",
        "externalURL",
        "reReplaceAll",
        "humanizePercentage",
    ]);
    let action = Regex::new(r"\{\{(.*?)\}\}").unwrap();
    let text = Regex::new(r#""(?:[^"\\]|\\.)*""#).unwrap();
    let word = Regex::new(r"[$.]?[A-Za-z][A-Za-z0-9_.]*").unwrap();
    let mut links = 0;
    for rule in provisioned().into_iter().flat_map(|group| group.rules) {
        assert!(rule.annotations.contains_key("summary"), "{}", rule.title);
        for (key, template) in &rule.annotations {
            assert!(!template.is_empty(), "{}: {key}", rule.title);
            let in_context = format!("{}: {key}: {template}", rule.title);
            for found in action.captures_iter(template) {
                let code = text.replace_all(&found[1], "");
                for word in word.find_iter(&code).map(|it| it.as_str()) {
                    let is_known = word == "$values.A.Value"
                        || word == ".Format"
                        || word.starts_with("$labels.")
                        || known.contains(word);
                    assert!(is_known, "{in_context}: {word}");
                }
            }
            // Grafana replaces variables of the environment in some versions.
            assert!(!template.contains("${"), "{in_context}");
            if key.ends_with("_url") {
                links += 1;
                let is_link =
                    template.starts_with("https://") || template.starts_with("{{ externalURL");
                assert!(is_link, "{in_context}");
            }
        }
    }
    assert!(links > 150, "only {links} links");
}
