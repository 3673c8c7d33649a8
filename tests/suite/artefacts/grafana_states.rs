//! Which alerts Grafana fires for the answers that its queries get, by the states of
//! its instances.

use super::grafana::{ProvisionedRule, provisioned, seconds};
use regex::Regex;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

type Labels = BTreeMap<String, String>;

/// The name under which promtool records the answers.
const ANSWER: &str = "grafana:query";

/// The labels by which alerts are compared.
const COMPARED_LABELS: [&str; 8] = [
    "alertname",
    "severity",
    "tenant",
    "control",
    "recommendation",
    "window",
    "partner",
    "entra_tenant_id",
];

/// The state of an alert instance, with the time since which it has it.
#[derive(Clone, Copy)]
enum State {
    Normal,
    Pending(i64),
    Alerting,
    Recovering(i64),
}

struct Instance {
    state: State,
    /// The last evaluation that had a result for it.
    evaluated: i64,
}

/// A rule in Grafana's state manager.
struct Evaluated {
    pending: i64,
    keep: i64,
    /// How long a series is missing, beside others that are there, until its alert
    /// ends.
    missing: i64,
    instances: BTreeMap<Labels, Instance>,
}

impl Evaluated {
    fn new(rule: &ProvisionedRule, interval: i64) -> Self {
        Self {
            pending: seconds(&rule.pending),
            keep: seconds(&rule.keep_firing_for),
            missing: rule.missing_evaluations * interval,
            instances: BTreeMap::new(),
        }
    }

    /// Evaluates the rule, of whose series the condition is always true, and returns
    /// what fires.
    fn evaluate(&mut self, at: i64, series: &BTreeSet<Labels>) -> Vec<&Labels> {
        for labels in series {
            let new = || Instance {
                state: State::Normal,
                evaluated: at,
            };
            let instance = self.instances.entry(labels.clone()).or_insert_with(new);
            instance.evaluated = at;
            instance.state = match instance.state {
                State::Alerting | State::Recovering(_) => State::Alerting,
                State::Pending(since) if at - since < self.pending => State::Pending(since),
                State::Normal if self.pending > 0 => State::Pending(at),
                State::Pending(_) | State::Normal => State::Alerting,
            };
        }
        if series.is_empty() {
            // `noDataState: OK` is a normal result for every instance.
            for instance in self.instances.values_mut() {
                instance.evaluated = at;
                instance.state = match instance.state {
                    State::Recovering(since) if at - since < self.keep => State::Recovering(since),
                    State::Alerting if self.keep > 0 => State::Recovering(at),
                    _ => State::Normal,
                };
            }
        }
        let missing = self.missing;
        self.instances
            .retain(|_, it| at - it.evaluated < missing || it.evaluated == at);
        let fires = |it: &Instance| matches!(it.state, State::Alerting | State::Recovering(_));
        let instances = self.instances.iter();
        instances
            .filter(|(_, it)| fires(it))
            .map(|(labels, _)| labels)
            .collect()
    }
}

/// Rules that record the answer of each query of the file, for promtool.
pub(super) fn recording_rules() -> Value {
    let groups = provisioned();
    let rules = groups.iter().flat_map(|group| &group.rules);
    let rules: Vec<Value> = rules
        .map(|rule| json!({"record": ANSWER, "labels": {"uid": rule.uid}, "expr": rule.query()}))
        .collect();
    json!({"groups": [{"name": ANSWER, "rules": rules}]})
}

/// Questions to which promtool prints the answers of all queries at each time, since
/// none is expected.
pub(super) fn questions(times: impl Iterator<Item = i64>) -> Vec<Value> {
    let question = |at| json!({"expr": format!("{ANSWER} @ {at}"), "eval_time": "2d"});
    times.map(question).collect()
}

/// The answers that promtool printed, by time; and whether it printed anything else
/// that was not expected.
fn answers(printed: &str) -> (BTreeMap<i64, Vec<Labels>>, bool) {
    let question = Regex::new(r#"^\s*expr: "(.*)", time: "#).unwrap();
    let series = Regex::new(r"\{([^}]*)\} [-+0-9.eEInfNa]+").unwrap();
    let label = Regex::new(r#"(\w+)="([^"]*)""#).unwrap();
    let (mut found, mut has_others, mut at) = (BTreeMap::new(), false, None);
    for line in printed.lines() {
        if let Some(asked) = question.captures(line) {
            let time = asked[1]
                .strip_prefix(ANSWER)
                .and_then(|it| it.strip_prefix(" @ "));
            at = time.map(|it| it.parse::<i64>().expect("a time"));
            has_others |= at.is_none();
        } else if let (Some(at), Some(got)) = (at, line.trim_start().strip_prefix("got:")) {
            let labels = |text: &str| {
                let labels = label.captures_iter(text);
                labels
                    .map(|it| (it[1].to_owned(), it[2].to_owned()))
                    .collect()
            };
            let all = series.captures_iter(got).map(|it| labels(&it[1])).collect();
            found.insert(at, all);
        }
    }
    (found, has_others)
}

/// Every alert that Grafana fires at one of the times, with its labels as
/// `expected_labels` has them. Panics where promtool printed another failure.
pub(super) fn fired(printed: &str, times: impl Iterator<Item = i64>) -> BTreeSet<Labels> {
    let (mut answers, has_others) = answers(printed);
    assert!(!has_others, "{}", printed.replace("}, ", "}\n"));
    let groups = provisioned();
    let mut rules: Vec<(&ProvisionedRule, Evaluated)> = Vec::new();
    for group in &groups {
        let interval = seconds(&group.interval);
        rules.extend(
            group
                .rules
                .iter()
                .map(|rule| (rule, Evaluated::new(rule, interval))),
        );
    }
    let mut fired = BTreeSet::new();
    for at in times {
        let answer = answers.remove(&at).unwrap_or_default();
        for (rule, evaluated) in &mut rules {
            let own = answer.iter().filter(|it| it["uid"] == rule.uid);
            let series: BTreeSet<Labels> = own.cloned().collect();
            for labels in evaluated.evaluate(at, &series) {
                fired.insert(compared_labels(labels, &rule.labels));
            }
        }
    }
    fired
}

/// The labels by which an alert is compared, with those of its rule.
fn compared_labels(series: &Labels, rule: &Labels) -> Labels {
    let mut labels = series.clone();
    labels.extend(rule.clone());
    let name = labels.remove("alert").expect("an alert has its name");
    labels.insert("alertname".to_owned(), name);
    labels.retain(|label, _| COMPARED_LABELS.contains(&label.as_str()));
    labels
}

/// The labels of `name="value",…`.
pub(super) fn expected_labels(text: &str) -> Labels {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

fn rule(pending: i64, keep: i64, evaluations: i64) -> Evaluated {
    Evaluated {
        pending,
        keep,
        missing: evaluations * 60,
        instances: BTreeMap::new(),
    }
}

fn of(tenants: &[&str]) -> BTreeSet<Labels> {
    let labels = |tenant: &&str| BTreeMap::from([("tenant".to_owned(), (*tenant).to_owned())]);
    tenants.iter().map(labels).collect()
}

/// How many alerts fire at each minute.
fn counts(mut rule: Evaluated, minutes: &[&[&str]]) -> Vec<usize> {
    let minutes = (0..).step_by(60).zip(minutes);
    minutes
        .map(|(at, tenants)| rule.evaluate(at, &of(tenants)).len())
        .collect()
}

#[test]
fn an_instance_waits_and_starts_anew_after_an_empty_answer() {
    let minutes: [&[&str]; 6] = [&["a"], &["a"], &[], &["a"], &["a"], &["a"]];
    assert_eq!(counts(rule(120, 0, 1), &minutes), [0, 0, 0, 0, 0, 1]);
    assert_eq!(counts(rule(60, 0, 1), &minutes), [0, 1, 0, 0, 1, 1]);
    assert_eq!(counts(rule(0, 0, 1), &minutes), [1, 1, 0, 1, 1, 1]);
}

#[test]
fn an_alert_is_kept_as_long_whether_all_series_vanish_or_one() {
    let all: [&[&str]; 5] = [&["a"], &[], &[], &[], &[]];
    assert_eq!(counts(rule(0, 120, 3), &all), [1, 1, 1, 0, 0]);
    let one: [&[&str]; 5] = [&["a", "b"], &["b"], &["b"], &["b"], &["b"]];
    assert_eq!(counts(rule(0, 120, 3), &one), [2, 2, 2, 1, 1]);
    assert_eq!(counts(rule(0, 0, 1), &one), [2, 1, 1, 1, 1]);
}

#[test]
fn the_output_of_promtool_is_read() {
    let printed = "  FAILED:\n    expr: \"grafana:query @ 240\", time: 2d,\n        exp: nil\n        got: {__name__=\"grafana:query\", tenant=\"a\", uid=\"x\"} 0E+00, {__name__=\"grafana:query\", uid=\"y\"} NaN\n";
    let (answers, has_others) = answers(printed);
    assert!(!has_others);
    let uids: Vec<&str> = answers[&240].iter().map(|it| it["uid"].as_str()).collect();
    assert_eq!(uids, ["x", "y"]);
    let other = printed.replace("grafana:query @ 240", "count(ALERTS)");
    assert!(super::grafana_states::answers(&other).1);
}
