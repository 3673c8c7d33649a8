//! The Alertmanager examples match the alerts. `tests/run` checks them with
//! amtool.

use super::rules::{Rule, alerts, yaml};
use super::{files, read, root};
use crate::process::{Process, free_port, program};
use regex::Regex;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

const BASE: &str = "alertmanager.yml";
const VARIANTS: &[&str] = &[
    "alertmanager.teams.yml",
    "alertmanager.fragment.yml",
    "alertmanager.msp.yml",
];

/// How long Alertmanager remembers what it sent, unless `--data.retention` says
/// otherwise.
const RETENTION_HOURS: u32 = 120;

const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn configuration(name: &str) -> Value {
    yaml(&read(&root().join("alerts").join(name)))
}

fn all() -> impl Iterator<Item = (&'static str, Value)> {
    std::iter::once(&BASE)
        .chain(VARIANTS)
        .map(|name| (*name, configuration(name)))
}

pub(super) fn strings(list: &Value) -> Vec<String> {
    let items = list.as_array().cloned().unwrap_or_default();
    items
        .iter()
        .map(|item| item.as_str().expect("a text").to_owned())
        .collect()
}

/// `name =~ "expression"`, the three forms that are used.
struct Matcher {
    label: String,
    negated: bool,
    pattern: String,
}

impl Matcher {
    fn read(text: &str) -> Self {
        let mut parts = text.splitn(3, ' ');
        let mut next = || parts.next().unwrap_or_else(|| panic!("no matcher: {text}"));
        let (label, operator, value) = (next(), next(), next());
        let value = value.trim_matches('"');
        let (negated, pattern) = match operator {
            "=" => (false, regex::escape(value)),
            "=~" => (false, value.to_owned()),
            "!~" => (true, value.to_owned()),
            other => panic!("{text}: {other}"),
        };
        Self {
            label: label.to_owned(),
            negated,
            pattern,
        }
    }

    fn takes(&self, value: &str) -> bool {
        let whole = Regex::new(&format!("^(?:{})$", self.pattern)).expect("a pattern");
        whole.is_match(value) != self.negated
    }
}

/// Whether a list of matchers can take an alert, as far as its name and its
/// severity say.
pub(super) fn takes(matchers: &[String], alert: &Rule) -> bool {
    matchers
        .iter()
        .map(|text| Matcher::read(text))
        .all(|m| match m.label.as_str() {
            "alertname" => m.takes(alert.name()),
            "severity" => m.takes(alert.severity()),
            _ => true,
        })
}

/// An alert that a route names has a line of its own in `routes.txt`; the line
/// of `SecureScoreAnother` stands for the others of its severity.
#[test]
fn every_alert_has_its_route_asked_for() {
    let text = read(&root().join("alerts/tests/routes.txt"));
    let (_, rest) = text
        .split_once("[alertmanager.yml ")
        .expect("the base file's section");
    let section = rest.split("\n[").next().unwrap_or_default();
    let label = |line: &str, name: &str| {
        let found = line.split(' ').find_map(|word| word.strip_prefix(name));
        found.unwrap_or_default().to_owned()
    };
    let asked: BTreeSet<(String, String)> = section
        .lines()
        .map(|line| (label(line, "alertname="), label(line, "severity=")))
        .collect();
    let mut routes = Vec::new();
    matcher_lists(&configuration(BASE)["route"], &mut routes);
    routes.retain(|list| list.iter().any(|it| Matcher::read(it).label == "alertname"));
    for alert in alerts() {
        let is_named = routes.iter().any(|matchers| takes(matchers, &alert));
        let name = if is_named {
            alert.name()
        } else {
            "SecureScoreAnother"
        };
        let case = (name.to_owned(), alert.severity().to_owned());
        assert!(
            asked.contains(&case),
            "routes.txt does not ask for {case:?}"
        );
    }
}

#[test]
fn the_variants_differ_from_the_base_only_where_they_must() {
    let base = configuration(BASE);
    for name in VARIANTS {
        let variant = configuration(name);
        for same in ["inhibit_rules", "time_intervals"] {
            assert_eq!(variant[same], base[same], "{name}: {same}");
        }
    }
    assert_eq!(
        configuration("alertmanager.teams.yml")["route"],
        base["route"]
    );
    let fragment = configuration("alertmanager.fragment.yml");
    let mut added = fragment["route"]["routes"][0].clone();
    let ours = added
        .as_object_mut()
        .and_then(|route| route.remove("matchers"));
    assert_eq!(
        ours.map(|m| strings(&m)),
        Some(vec![r#"alertname =~ "SecureScore.+""#.to_owned()])
    );
    assert_eq!(added, base["route"]);
}

/// Every list of matchers in a configuration, wherever it stands.
fn matcher_lists(value: &Value, found: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if key.ends_with("matchers") {
                    found.push(strings(inner));
                }
                matcher_lists(inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| matcher_lists(item, found)),
        _ => {}
    }
}

/// The alternatives of `before(one|other)after`, or the whole where there are
/// none.
fn alternatives(pattern: &str) -> Vec<String> {
    if let Some((before, rest)) = pattern.split_once('(')
        && let Some((inner, after)) = rest.split_once(')')
        && !before.contains('|')
        && !after.contains('|')
    {
        return inner
            .split('|')
            .map(|one| format!("{before}{one}{after}"))
            .collect();
    }
    vec![pattern.to_owned()]
}

#[test]
fn matchers_name_only_alerts_that_exist() {
    let alerts = alerts();
    let mut checked = 0;
    for (name, configuration) in all() {
        let mut lists = Vec::new();
        matcher_lists(&configuration, &mut lists);
        for text in lists.iter().flatten() {
            let matcher = Matcher::read(text);
            if matcher.label != "alertname" {
                continue;
            }
            for one in alternatives(&matcher.pattern) {
                let pattern = Regex::new(&format!("^(?:{one})$")).expect("a pattern");
                checked += 1;
                assert!(
                    alerts.iter().any(|alert| pattern.is_match(alert.name())),
                    "{name}: no alert is called {one}"
                );
            }
        }
    }
    assert!(checked > 50, "only {checked} names");
}

#[test]
fn nothing_mutes_itself_nor_an_acceptance_because_data_are_old() {
    let (rules, alerts) = (configuration(BASE)["inhibit_rules"].clone(), alerts());
    let rules = rules.as_array().expect("rules");
    assert!(rules.len() > 3, "only {} rules", rules.len());
    let acceptance =
        Regex::new("^SecureScore(Risk.+|Recommendation.+|Approval.+|Mitigation.+)$").unwrap();
    let without_tenant = Regex::new(
        "^SecureScore(Exporter.+|ReloadFailed|ShardMissing|WebConfigInvalid|Webhook.+|Customer.+|RelationshipEnding|Partner.+)$",
    )
    .unwrap();
    let of_a_tenant = |alert: &&Rule| !without_tenant.is_match(alert.name());
    for rule in rules {
        let of = |which: &str| {
            let matchers = strings(&rule[which]);
            let taken: Vec<&Rule> = alerts
                .iter()
                .filter(|alert| takes(&matchers, alert))
                .collect();
            assert!(!taken.is_empty(), "{which} of {rule} takes nothing");
            taken
        };
        let (sources, targets) = (of("source_matchers"), of("target_matchers"));
        for source in &sources {
            for target in &targets {
                assert!(
                    !std::ptr::eq(*source, *target),
                    "{} mutes itself",
                    source.name()
                );
                assert!(
                    !acceptance.is_match(target.name())
                        || source.name() == "SecureScoreRiskAccepted",
                    "{} mutes {}",
                    source.name(),
                    target.name()
                );
            }
        }
        let equal = strings(&rule["equal"]);
        assert!(
            equal.iter().any(|label| label == "cluster"),
            "{rule}: mutes another cluster"
        );
        if equal.iter().any(|label| label == "tenant") {
            assert!(
                sources.iter().all(of_a_tenant),
                "{rule}: a source without a tenant"
            );
        }
    }
}

/// Posts two acceptances to a real Alertmanager and returns the groups of a
/// receiver, by the labels that each is made of.
async fn groups(name: &str, receiver: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let package = "prometheus-alertmanager";
    let alertmanager = Process::start(
        Command::new(program(package, package))
            .arg("--config.file")
            .arg(root().join("alerts").join(name))
            .arg("--storage.path")
            .arg(folder.path())
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address="),
    );
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let api = format!("http://127.0.0.1:{port}/api/v2/alerts");
    let alerts = ["AdminMFAV2", "UserRiskPolicy"].map(|control| {
        json!({"labels": {"alertname": "SecureScoreRiskAccepted", "severity": "critical",
            "tenant": "contoso", "control": control, "category": "Identity"}})
    });
    let body = json!(alerts).to_string();
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let posted = http.post(&api).header("content-type", "application/json");
        let posted = posted.body(body.clone()).send().await;
        if posted.is_ok_and(|answer| answer.status().is_success()) {
            break;
        }
        assert!(Instant::now() < deadline, "{}", alertmanager.output());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    loop {
        let answer = http.get(format!("{api}/groups")).send().await.unwrap();
        let groups: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        let groups = groups.as_array().expect("a list").iter();
        let groups: Vec<&Value> = groups
            .filter(|group| group["receiver"]["name"] == receiver)
            .collect();
        let size = |group: &&Value| group["alerts"].as_array().map_or(0, Vec::len);
        if groups.iter().map(size).sum::<usize>() == alerts.len() {
            let labels = groups.iter().map(|group| group["labels"].to_string());
            return labels.collect();
        }
        assert!(Instant::now() < deadline, "{}", alertmanager.output());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// In a group with an alert that fires already, an acceptance would wait for the
/// next message of the group, and be lost if it is withdrawn before.
#[tokio::test(flavor = "multi_thread")]
async fn each_control_that_pages_is_a_group_of_its_own() {
    let of = |control: &str| {
        json!({"alertname": "SecureScoreRiskAccepted", "tenant": "contoso", "control": control})
            .to_string()
    };
    let expected = BTreeSet::from(["AdminMFAV2", "UserRiskPolicy"].map(of));
    // The variants not named here have the routes of the first.
    for name in [BASE, "alertmanager.msp.yml"] {
        assert_eq!(groups(name, "on-call").await, expected, "{name}");
    }
}

/// Every value of a key in a configuration, wherever it stands.
fn values_of<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get(key));
            map.values().for_each(|inner| values_of(inner, key, found));
        }
        Value::Array(items) => items.iter().for_each(|item| values_of(item, key, found)),
        _ => {}
    }
}

#[test]
fn no_reminder_is_later_than_alertmanager_remembers() {
    for (name, configuration) in all() {
        let mut intervals = Vec::new();
        values_of(&configuration, "repeat_interval", &mut intervals);
        assert!(intervals.len() > 2, "{name}: {intervals:?}");
        for interval in intervals {
            let hours = interval.as_str().and_then(|it| it.strip_suffix('h'));
            let hours: Option<u32> = hours.and_then(|it| it.parse().ok());
            assert!(
                hours.is_some_and(|hours| hours <= RETENTION_HOURS),
                "{name}: {interval}"
            );
        }
    }
}

#[test]
fn no_secret_stands_in_a_configuration() {
    let secret = [
        "password:",
        "routing_key:",
        "service_key:",
        "credentials:",
        "bearer_token:",
        "api_key:",
    ];
    let mut configurations = files("alerts", ".yml");
    configurations.extend(files("alerts/tickets", ".yml"));
    for path in configurations {
        let name = path.display();
        for line in read(&path).lines() {
            let key = line.trim().trim_start_matches("- ");
            assert!(
                !secret
                    .iter()
                    .any(|s| key.starts_with(s) || key.contains(&format!("_{s}"))),
                "{name}: {line}"
            );
        }
    }
}
