//! Every alert has a test, a runbook and a row in the table, and each of these
//! belongs to an alert.

use super::lint::{known, labels};
use super::promql::{Known, Labels, selectors};
use super::rules::{Group, alerts, groups, rules, yaml};
use super::text::without_queries;
use super::{files, read, root};
use crate::golden;
use crate::series_sets::needs;
use promql_parser::parser;
use secure_score_exposition::SeriesSet;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct TestFile {
    group_eval_order: Vec<String>,
    tests: Vec<TestCase>,
}

#[derive(Deserialize)]
struct TestCase {
    #[serde(default)]
    alert_rule_test: Vec<AlertTest>,
}

#[derive(Deserialize)]
struct AlertTest {
    alertname: String,
    #[serde(default)]
    exp_alerts: Vec<ExpectedAlert>,
}

#[derive(Deserialize)]
struct ExpectedAlert {
    exp_labels: BTreeMap<String, String>,
    exp_annotations: BTreeMap<String, String>,
}

fn test_files() -> Vec<TestFile> {
    let paths = files("alerts/tests", ".test.yml");
    paths.iter().map(|path| yaml(&read(path))).collect()
}

#[test]
fn every_alert_is_tested_when_it_fires_and_when_it_is_silent() {
    let (mut fires, mut silent) = (BTreeSet::new(), BTreeSet::new());
    let mut annotations = BTreeMap::new();
    for test in test_files()
        .iter()
        .flat_map(|file| &file.tests)
        .flat_map(|case| &case.alert_rule_test)
    {
        if test.exp_alerts.is_empty() {
            silent.insert(test.alertname.clone());
        }
        for alert in &test.exp_alerts {
            let label = |name: &str| alert.exp_labels.get(name).cloned().unwrap_or_default();
            fires.insert((test.alertname.clone(), label("severity"), label("window")));
            annotations.insert(test.alertname.clone(), alert.exp_annotations.clone());
        }
    }
    for alert in alerts() {
        let window = alert.labels.get("window").cloned().unwrap_or_default();
        let case = (alert.name().to_owned(), alert.severity().to_owned(), window);
        assert!(fires.contains(&case), "no test in which {case:?} fires");
        let tested = annotations[alert.name()].keys();
        assert!(tested.eq(alert.annotations.keys()), "{case:?}");
        assert!(
            silent.contains(alert.name()),
            "no test in which {} is silent",
            alert.name()
        );
    }
}

#[test]
fn tests_evaluate_the_groups_in_the_order_of_the_file() {
    // Without an order promtool takes a random one, and a test of the first
    // minute would be lucky or not.
    let order: Vec<String> = groups().into_iter().map(|group| group.name).collect();
    for file in test_files() {
        assert_eq!(file.group_eval_order, order);
    }
}

/// The sections of each runbook, in their order.
const SECTIONS: &[&str] = &["Meaning", "Impact", "Diagnosis", "Mitigation", "Silencing"];

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let wanted: BTreeSet<String> = alerts().iter().map(|a| a.name().to_owned()).collect();
    let mut found = BTreeSet::new();
    for path in files("docs/runbooks", ".md") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = read(&path);
        assert!(
            text.starts_with(&format!("# {name}\n")),
            "{name}: another title"
        );
        let mut rest = text.as_str();
        for section in SECTIONS {
            let (_, after) = rest
                .split_once(&format!("\n## {section}\n"))
                .unwrap_or_else(|| panic!("{name} has no section {section}, or not in order"));
            rest = after;
        }
        found.insert(name);
    }
    assert_eq!(found, wanted);
}

#[test]
fn runbooks_show_queries_that_can_be_run_and_places_to_look() {
    let mut known = Known::families();
    for rule in rules().iter().filter(|rule| rule.record.is_some()) {
        known.add(rule.name(), BTreeSet::new());
    }
    let job: BTreeSet<String> = groups()
        .into_iter()
        .filter(|group| group.name == "secure-score-exporter")
        .flat_map(|group| group.rules)
        .map(|rule| rule.name().to_owned())
        .collect();
    let mut queries = 0;
    for path in files("docs/runbooks", ".md") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = read(&path);
        let blocks: Vec<&str> = text
            .split("```promql\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap_or_default())
            .collect();
        assert!(!blocks.is_empty(), "{name} shows no query");
        if !job.contains(&name) {
            for place in ["**Portal.**", "**Graph.**"] {
                assert!(text.contains(place), "{name} does not say {place}");
            }
        }
        for block in blocks {
            let lines = block
                .lines()
                .map(str::trim)
                .filter(|l| !l.starts_with('#') && !l.is_empty());
            for line in lines {
                queries += 1;
                let expr = parser::parse(line).unwrap_or_else(|e| panic!("{name}: {line}: {e}"));
                for selector in selectors(&expr) {
                    let metric = selector.name.as_deref().unwrap_or_default();
                    assert!(known.has(metric), "{name}: {metric} does not exist");
                }
            }
        }
    }
    assert!(queries > 50, "only {queries} queries");
}

/// The first two cells of each row whose first cell is a name in backticks.
fn rows(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| {
            let mut cells = line.split('|').skip(1).map(str::trim);
            let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
            Some((name.to_owned(), cells.next()?.to_owned()))
        })
        .collect()
}

/// The smallest set of series in which each alert fires as in `full`.
fn needed_sets() -> BTreeMap<String, SeriesSet> {
    let (mut recorded, mut alerts) = (BTreeMap::new(), BTreeMap::new());
    for rule in rules() {
        let needed = needs(&rule.parsed(), &recorded);
        let of = match rule.record {
            Some(_) => &mut recorded,
            None => &mut alerts,
        };
        let set = of.entry(rule.name().to_owned()).or_insert(needed);
        *set = needed.max(*set);
    }
    alerts
}

/// The alerts that do not fire, or not as often, with `series: acceptances`.
pub(super) fn alerts_that_need_more() -> BTreeSet<String> {
    let larger = needed_sets().into_iter();
    let larger = larger.filter(|(_, set)| *set > SeriesSet::Acceptances);
    larger.map(|(name, _)| name).collect()
}

/// One row per alert, in the order of the rules. An alert with several rules
/// lists the severities of all. Routes, inhibition and silences rely on the
/// labels, so the README pins them.
fn table(group: &Group, known: &Known) -> String {
    let needs = needed_sets();
    let mut rows: Vec<(&str, Vec<&str>, Labels, String)> = Vec::new();
    for rule in group.rules.iter().filter(|rule| rule.alert.is_some()) {
        let (name, severity, labels) = (rule.name(), rule.severity(), labels(rule, known));
        match rows.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, severities, pinned, _)) => {
                assert_eq!(labels, *pinned, "the rules of {name} have different labels");
                if !severities.contains(&severity) {
                    severities.push(severity);
                }
            }
            None => {
                let summary = without_queries(&rule.annotations["summary"]);
                rows.push((name, vec![severity], labels, summary));
            }
        }
    }
    let mut table =
        "| alert | severity | labels | series | summary |\n|---|---|---|---|---|".to_owned();
    for (name, severities, labels, summary) in rows {
        let severities = severities.join("`, `");
        let labels = Vec::from_iter(labels).join("`, `");
        let series = needs[name].as_str();
        table += &format!("\n| `{name}` | `{severities}` | `{labels}` | `{series}` | {summary} |");
    }
    table
}

#[test]
fn the_readme_lists_the_alerts() {
    let known = known();
    let groups = groups();
    let groups = groups
        .iter()
        .filter(|group| group.rules.iter().any(|rule| rule.alert.is_some()));
    for group in groups {
        let file = root().join("alerts/README.md");
        golden::compare_part(&file, &group.name, &table(group, &known));
    }
}

#[test]
fn the_readme_lists_the_thresholds_with_their_defaults() {
    let mut wanted = BTreeMap::new();
    let mut used = BTreeSet::new();
    for rule in rules() {
        if let Some(name) = rule.labels.get("threshold") {
            assert!(
                rule.expr
                    .contains(&format!("override{{threshold=\"{name}\"}}")),
                "{name}"
            );
            let default = rule.expr.rsplit("or vector(").next().unwrap_or_default();
            wanted.insert(name.clone(), default.trim_end_matches(')').to_owned());
        } else {
            let uses = rule
                .expr
                .split("fleet:secure_score_threshold:value{threshold=\"")
                .skip(1);
            used.extend(
                uses.filter_map(|rest| rest.split('"').next())
                    .map(str::to_owned),
            );
        }
    }
    let text = read(&root().join("alerts/README.md"));
    let listed: BTreeMap<String, String> = rows(&text)
        .into_iter()
        .filter(|(name, _)| wanted.contains_key(name))
        .collect();
    assert_eq!(listed, wanted);
    assert_eq!(
        used,
        wanted.into_keys().collect(),
        "thresholds that no rule uses"
    );
}
