//! Where Grafana sends the alerts: the routes of `alerts/alertmanager.yml` as its
//! notification policies, and contact points for their receivers.

use super::root;
use super::routing::{configuration, strings};
use super::rules::yaml;
use super::{read, rules};
use crate::golden;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const POLICIES: &str = "deploy/grafana/notification-policies.yaml";
const CONTACT_POINTS: &str = "deploy/grafana/contact-points.yaml";

const HEAD: &str = "\
# For Grafana 12.2 and later: the routes of alerts/alertmanager.yml as notification
# policies, from which UPDATE_GOLDEN=1 cargo test generates this file. alerts/ROUTING.md
# explains them.
#
# This replaces the whole policy tree of the organisation. To add the routes to a tree
# of your own, take what stands below `routes` into a route with the matcher
# [alert, '=~', 'SecureScore.+'].
";

/// The label that has the alert's name: Grafana's `alertname` is a title, of which each
/// rule has its own.
fn label(alertmanagers: &str) -> &str {
    if alertmanagers == "alertname" {
        "alert"
    } else {
        alertmanagers
    }
}

fn contact_point(receiver: &Value) -> String {
    let receiver = receiver.as_str().expect("a receiver");
    format!("secure-score-{receiver}")
}

/// `label operator "value"` as Grafana has it.
fn matcher(text: &str) -> String {
    let mut parts = text.splitn(3, ' ');
    let mut next = || parts.next().unwrap_or_else(|| panic!("no matcher: {text}"));
    let (name, operator, value) = (label(next()), next(), next());
    format!("[{name}, '{operator}', '{}']", value.trim_matches('"'))
}

fn list(names: &[String]) -> String {
    format!("[{}]", names.join(", "))
}

/// What a route says, from its second line on with this indentation.
fn route(route: &Value, indent: &str, text: &mut String) {
    let mut lines = Vec::new();
    if let Some(receiver) = route.get("receiver") {
        lines.push(format!("receiver: {}", contact_point(receiver)));
    }
    if let Some(matchers) = route.get("matchers") {
        let matchers: Vec<String> = strings(matchers).iter().map(|it| matcher(it)).collect();
        lines.push(format!("object_matchers: {}", list(&matchers)));
    }
    if let Some(names) = route.get("group_by") {
        let names: Vec<String> = strings(names)
            .iter()
            .map(|it| label(it).to_owned())
            .collect();
        lines.push(format!("group_by: {}", list(&names)));
    }
    for key in ["group_wait", "group_interval", "repeat_interval"] {
        if let Some(duration) = route.get(key).and_then(Value::as_str) {
            lines.push(format!("{key}: {duration}"));
        }
    }
    if let Some(names) = route.get("active_time_intervals") {
        lines.push(format!("active_time_intervals: {}", list(&strings(names))));
    }
    let known = [
        "receiver",
        "matchers",
        "group_by",
        "group_wait",
        "group_interval",
        "repeat_interval",
        "active_time_intervals",
        "routes",
    ];
    for key in route.as_object().expect("a route").keys() {
        assert!(known.contains(&key.as_str()), "{key} is not translated");
    }
    text.push_str(&lines.join(&format!("\n{indent}")));
    text.push('\n');
    let Some(routes) = route.get("routes").and_then(Value::as_array) else {
        return;
    };
    writeln!(text, "{indent}routes:").unwrap();
    for inner in routes {
        write!(text, "{indent}  - ").unwrap();
        self::route(inner, &format!("{indent}    "), text);
    }
}

/// The policies, and the intervals in which they are active.
fn policies(alertmanager: &Value) -> String {
    let mut text = format!("{HEAD}apiVersion: 1\nmuteTimes:\n");
    for interval in alertmanager["time_intervals"]
        .as_array()
        .expect("intervals")
    {
        writeln!(
            text,
            "  - orgId: 1\n    name: {}",
            interval["name"].as_str().unwrap()
        )
        .unwrap();
        writeln!(text, "    time_intervals: {}", interval["time_intervals"]).unwrap();
    }
    text.push_str("policies:\n  - orgId: 1\n    ");
    route(&alertmanager["route"], "    ", &mut text);
    text
}

/// Every receiver that a route names.
fn receivers(route: &Value, found: &mut BTreeSet<String>) {
    found.extend(route["receiver"].as_str().map(str::to_owned));
    for inner in route["routes"].as_array().into_iter().flatten() {
        receivers(inner, found);
    }
}

#[test]
fn grafanas_policies_are_the_routes_of_alertmanager() {
    let alertmanager = configuration("alertmanager.yml");
    golden::compare(&root().join(POLICIES), &policies(&alertmanager));
    let read: Value = yaml(&read(&root().join(POLICIES)));
    let mut expected = alertmanager["route"].clone();
    translate(&mut expected);
    expected["orgId"] = json!(1);
    assert_eq!(read["policies"], json!([expected]));
    let interval = &read["muteTimes"][0];
    assert_eq!(interval["name"], alertmanager["time_intervals"][0]["name"]);
    let times = &alertmanager["time_intervals"][0]["time_intervals"];
    assert_eq!(&interval["time_intervals"], times);
}

/// A route of Alertmanager in Grafana's words, in place.
fn translate(route: &mut Value) {
    let own = route.as_object_mut().expect("a route");
    if let Some(receiver) = own.get_mut("receiver") {
        *receiver = json!(contact_point(receiver));
    }
    if let Some(matchers) = own.remove("matchers") {
        let parts = |text: String| {
            let parts: Vec<&str> = text.splitn(3, ' ').collect();
            json!([label(parts[0]), parts[1], parts[2].trim_matches('"')])
        };
        let matchers: Vec<Value> = strings(&matchers).into_iter().map(parts).collect();
        own.insert("object_matchers".to_owned(), json!(matchers));
    }
    if let Some(names) = own.get_mut("group_by") {
        let names: Vec<Value> = strings(names).iter().map(|it| json!(label(it))).collect();
        own.insert("group_by".to_owned(), json!(names));
    }
    for inner in own
        .get_mut("routes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        translate(inner);
    }
}

#[test]
fn grafana_has_a_contact_point_for_each_receiver_and_no_secret() {
    let text = read(&root().join(CONTACT_POINTS));
    let file: Value = yaml(&text);
    assert_eq!(file["apiVersion"], 1);
    let mut named = BTreeSet::new();
    let policies: Value = yaml(&read(&root().join(POLICIES)));
    receivers(&policies["policies"][0], &mut named);
    let points = file["contactPoints"].as_array().expect("contact points");
    let names = points
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned());
    assert_eq!(names.collect::<BTreeSet<_>>(), named);
    let (mut uids, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for receiver in points
        .iter()
        .flat_map(|it| it["receivers"].as_array().unwrap())
    {
        let uid = receiver["uid"].as_str().unwrap();
        assert!(uid.len() <= 40 && uids.insert(uid.to_owned()), "{uid}");
        let kind = receiver["type"].as_str().unwrap();
        kinds.insert(kind.to_owned());
        let settings = receiver["settings"].as_object().expect("settings");
        let keys: BTreeSet<&str> = settings.keys().map(String::as_str).collect();
        let known: &[&str] = match kind {
            "email" => &["addresses", "message", "singleEmail", "subject"],
            "teams" => &["message", "title", "url"],
            "webhook" => &[
                "authorization_credentials",
                "authorization_scheme",
                "httpMethod",
                "title",
                "message",
                "url",
            ],
            other => panic!("{other}"),
        };
        assert!(
            keys.is_subset(&known.iter().copied().collect()),
            "{uid}: {keys:?}"
        );
        for secret in ["authorization_credentials", "token"] {
            let value = settings.get(secret).and_then(Value::as_str);
            assert!(
                value.is_none_or(|it| it.starts_with("$__file{")),
                "{uid}: {secret}"
            );
        }
        // A resolved alert closes its ticket; a digest tells of new ones only.
        let is_quiet = receiver["disableResolveMessage"] == true;
        assert_eq!(is_quiet, uid.contains("digest"), "{uid}");
    }
    let expected = ["email", "teams", "webhook"].map(str::to_owned);
    assert_eq!(kinds, BTreeSet::from(expected));
    // Grafana replaces `$NAME` in this file by a variable of its environment.
    for (_, after) in text.match_indices('$').map(|(at, _)| text.split_at(at)) {
        assert!(
            after.starts_with("$__file{/etc/grafana/secrets/"),
            "{after}"
        );
    }
    assert!(
        rules::alerts()
            .iter()
            .all(|it| it.labels.contains_key("severity"))
    );
}
