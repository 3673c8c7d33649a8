//! How rules must be built, checked without a network: what Prometheus' own
//! lint and pint would say, and what this project wants beyond that.

use super::promql::{Known, Labels, Nature, all, children, decides, matchers, selectors, set};
use super::rules::{Rule, alerts, groups, rules};
use super::text::without_queries;
use promql_parser::label::MatchOp;
use promql_parser::parser::{Expr, VectorSelector};
use std::collections::BTreeSet;

const CONTROL: &[&str] = &["tenant", "control", "category"];
const RECOMMENDATION: &[&str] = &["tenant", "recommendation"];
const PAIR: &[&str] = &["tenant", "recommendation", "control"];
const CUSTOMER: &[&str] = &["partner", "entra_tenant_id"];
const CUSTOMER_IN_STATE: &[&str] = &["partner", "entra_tenant_id", "state"];

/// The labels an alert may have beside `severity`: routes, inhibition and
/// silences match them.
const LABELS: &[&[&str]] = &[
    CONTROL,
    RECOMMENDATION,
    PAIR,
    &["tenant"],
    &["tenant", "window"],
    &["tenant", "category", "window"],
    CUSTOMER,
    &["partner"],
    &["job"],
];

/// The dashboards there are.
const DASHBOARDS: &[&str] = &[
    "secure-score-fleet",
    "secure-score-tenant",
    "secure-score-risks",
    "secure-score-control",
    "secure-score-exporter",
];

fn seconds(duration: &str) -> u64 {
    let (number, unit) = duration.split_at(duration.len() - 1);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => panic!("{duration}"),
    };
    unit * number.parse::<u64>().expect("a number before the unit")
}

/// All that is known once the rules were read, a recorded series after
/// another. One that reads itself yields what it reads itself for.
pub(super) fn known() -> Known {
    let mut known = Known::families();
    for rule in rules().iter().filter(|rule| rule.record.is_some()) {
        let name = rule.name();
        if selectors(&rule.parsed())
            .iter()
            .any(|s| s.name.as_deref() == Some(name))
        {
            known.add(name, set(own_labels(name)));
        }
        let mut labels = known.yields(&rule.parsed());
        labels.extend(rule.labels.keys().cloned());
        known.add(name, labels);
    }
    known
}

/// The labels of a recorded series that reads itself.
fn own_labels(name: &str) -> &'static [&'static str] {
    if name.starts_with("tenant_control:") {
        CONTROL
    } else if name.starts_with("customer:") {
        CUSTOMER_IN_STATE
    } else if name.contains("disagrees") {
        PAIR
    } else {
        RECOMMENDATION
    }
}

#[test]
fn every_expression_selects_what_there_is_and_matches_like_with_like() {
    let known = known();
    for rule in rules() {
        known.yields(&rule.parsed());
    }
}

/// The labels of an alert beside `severity`.
pub(super) fn labels(alert: &Rule, known: &Known) -> Labels {
    let mut labels = known.yields(&alert.parsed());
    labels.extend(alert.labels.keys().cloned());
    labels.remove("severity");
    labels
}

#[test]
fn every_alert_has_the_labels_that_routes_rely_on() {
    let known = known();
    let allowed: Vec<Labels> = LABELS.iter().map(|labels| set(labels.iter())).collect();
    for alert in alerts() {
        let (name, labels) = (alert.name(), labels(&alert, &known));
        assert!(allowed.contains(&labels), "{name}: {labels:?}");
        assert!(
            ["critical", "warning", "info"].contains(&alert.severity()),
            "{name}"
        );
        for value in alert.labels.values() {
            assert!(
                !value.contains("{{"),
                "{name}: a label that changes is another alert"
            );
        }
    }
}

/// The annotations that every alert has.
const ALWAYS: [&str; 5] = [
    "dashboard_url",
    "description",
    "page_url",
    "runbook_url",
    "summary",
];

/// The alerts whose mitigation may be an approval.
const APPROVABLE: [&str; 7] = [
    "SecureScoreRiskAccepted",
    "SecureScoreApprovalExpiring",
    "SecureScoreApprovalExpired",
    "SecureScoreMitigationUnapproved",
    "SecureScoreMitigationClaimed",
    "SecureScoreRecommendationSetAside",
    "SecureScoreRecommendationClaimUnapproved",
];

/// The alerts on scores, which the portal shows too.
const OF_SCORES: [&str; 6] = [
    "SecureScoreCategoryScoreDropped",
    "SecureScoreTenantScoreDropped",
    "SecureScoreIdentityScoreDropped",
    "SecureScoreBelowTarget",
    "SecureScoreBelowComparison",
    "SecureScoreMaximumChanged",
];

#[test]
fn every_alert_has_its_texts_and_links() {
    let known = known();
    for alert in alerts() {
        let (name, labels) = (alert.name(), labels(&alert, &known));
        let of_tenant = labels.contains("tenant");
        let mut wanted: BTreeSet<&str> = ALWAYS.into();
        wanted.extend(APPROVABLE.contains(&name).then_some("approve"));
        let of_measure = labels.contains("control") || labels.contains("recommendation");
        if of_measure || OF_SCORES.contains(&name) {
            wanted.insert("portal_url");
        }
        let found: BTreeSet<&str> = alert.annotations.keys().map(String::as_str).collect();
        assert_eq!(found, wanted, "{name}");
        let text = |key: &str| alert.annotations[key].as_str();
        let runbook = text("runbook_url");
        assert!(
            runbook.contains(&format!("/runbooks/{name}{{{{")),
            "{runbook}"
        );
        assert!(runbook.contains(&format!("/{name}.md{{{{")), "{runbook}");
        let dashboard = text("dashboard_url");
        let uid = dashboard.split("/d/").nth(1).unwrap_or_default();
        let uid = uid.split(['?', '{']).next().unwrap_or_default();
        assert!(DASHBOARDS.contains(&uid), "{name}: {uid} is no dashboard");
        for link in ["dashboard_url", "page_url", "runbook_url"] {
            // Without a base there is no link, rather than one that leads nowhere.
            let link = without_queries(text(link));
            assert_eq!(link, "", "{name}");
        }
        assert!(text("page_url").contains("secure_score_exporter_external_url_info"));
        assert_eq!(dashboard.contains("var-tenant"), of_tenant, "{name}");
    }
}

#[test]
fn a_summary_is_a_sentence_that_names_whom_and_what() {
    let known = known();
    for alert in alerts() {
        let (name, labels) = (alert.name(), labels(&alert, &known));
        let summary = alert.annotations["summary"].as_str();
        let plain = without_queries(summary);
        assert!(plain.starts_with(char::is_alphabetic), "{name}: {plain}");
        assert!(
            !plain.ends_with('.') && plain.len() < 120,
            "{name}: {plain}"
        );
        assert!(!plain.contains(['{', '}', '(', '[']), "{name}: {plain}");
        let mut families = Vec::new();
        if labels.contains("tenant") {
            families.push("secure_score_tenant_info");
        }
        if labels == set(CONTROL.iter()) {
            families.push("secure_score_control_info");
        }
        if labels.contains("recommendation") {
            families.push("secure_score_recommendation_info");
        }
        if labels == set(CUSTOMER.iter()) {
            families.push("secure_score_partner_customer_info");
        }
        for family in families {
            assert!(summary.contains(family), "{name}: no name of {family}");
        }
        for label in ["tenant", "control", "recommendation"] {
            let is_named = plain.contains(&label.to_uppercase());
            let is_subject = labels.contains(label) && labels != set(PAIR.iter());
            assert!(is_named || !is_subject, "{name}: {plain}");
        }
    }
}

#[test]
fn a_description_without_answers_to_its_queries_is_still_complete() {
    for alert in alerts() {
        let text = without_queries(&alert.annotations["description"]);
        for broken in [
            "()", "( ", " )", "\"\"", "  ", " ,", " .", ",,", "..", "http",
        ] {
            assert!(!text.contains(broken), "{}: {text}", alert.name());
        }
        assert!(text.ends_with('.'), "{}: {text}", alert.name());
    }
}

#[test]
fn every_alert_compares_and_joins_no_text() {
    let known = known();
    for alert in alerts() {
        let (name, expr) = (alert.name(), alert.parsed());
        assert!(decides(&expr), "{name} fires whatever the value is");
        for selector in selectors(&expr) {
            let family = selector.name.as_deref().unwrap_or_default();
            assert_ne!(
                known.nature(family),
                Some(Nature::Info),
                "{name} joins {family}"
            );
        }
        for inner in all(&expr) {
            match inner {
                Expr::Aggregate(aggregate) => {
                    let word = aggregate.op.to_string();
                    assert!(
                        !["topk", "bottomk"].contains(&word.as_str()),
                        "{name}: {word}"
                    );
                }
                Expr::Call(call) if call.func.name.starts_with("absent") => {
                    let wait = alert.pending.as_deref().map_or(0, seconds);
                    assert!(wait >= 120, "{name}: absence needs a `for` of two scrapes");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a_recording_rule_uses_text_only_to_see_whether_there_is_any() {
    let known = known();
    for rule in rules() {
        for selector in values(&rule.parsed()) {
            let family = selector.name.as_deref().unwrap_or_default();
            let is_info = known.nature(family) == Some(Nature::Info);
            assert!(!is_info, "{} joins {family}", rule.name());
        }
    }
}

/// The selectors whose samples may come out of an expression: all but those
/// that `and`, `unless` and `group` only ask for presence.
fn values(expr: &Expr) -> Vec<&VectorSelector> {
    match expr {
        Expr::VectorSelector(selector) => vec![selector],
        Expr::MatrixSelector(matrix) => vec![&matrix.vs],
        Expr::Binary(binary) if ["and", "unless"].contains(&binary.op.to_string().as_str()) => {
            values(&binary.lhs)
        }
        Expr::Aggregate(aggregate) if aggregate.op.to_string() == "group" => Vec::new(),
        _ => children(expr).into_iter().flat_map(values).collect(),
    }
}

#[test]
fn counters_are_read_as_increase_and_nothing_else_is() {
    let known = known();
    for rule in rules() {
        let expr = rule.parsed();
        let mut counted = BTreeSet::new();
        for inner in all(&expr) {
            if let Expr::Call(call) = inner
                && ["rate", "increase", "irate", "resets"].contains(&call.func.name)
            {
                for selector in selectors(inner) {
                    let family = selector.name.as_deref().unwrap_or_default();
                    assert_eq!(known.nature(family), Some(Nature::Counter), "{family}");
                    counted.insert(family.to_owned());
                }
            }
        }
        for selector in selectors(&expr) {
            let family = selector.name.as_deref().unwrap_or_default();
            let is_counter = known.nature(family) == Some(Nature::Counter);
            assert!(
                !is_counter || counted.contains(family),
                "{}: {family}",
                rule.name()
            );
        }
    }
}

#[test]
fn matchers_are_no_expressions_where_equality_does() {
    for rule in rules() {
        let expr = rule.parsed();
        for matcher in selectors(&expr).into_iter().flat_map(matchers) {
            if let MatchOp::Re(_) | MatchOp::NotRe(_) = matcher.op {
                assert!(
                    matcher.value.contains(['|', '.', '*', '+', '[']),
                    "{}: {matcher}",
                    rule.name()
                );
            }
        }
    }
}

#[test]
fn nothing_is_divided_by_what_may_be_nothing() {
    let mut divisions = 0;
    for rule in rules() {
        for inner in all(&rule.parsed()) {
            if let Expr::Binary(binary) = inner
                && binary.op.to_string() == "/"
            {
                divisions += 1;
                let guarded = all(&binary.rhs).iter().any(|part| {
                    matches!(part, Expr::Binary(guard) if guard.op.to_string() == ">")
                        || matches!(part, Expr::NumberLiteral(_))
                });
                assert!(guarded, "{}: / without > 0", rule.name());
            }
        }
    }
    assert!(divisions > 0);
}

#[test]
fn groups_and_names_follow_the_conventions() {
    let mut names = BTreeSet::new();
    let mut series = BTreeSet::new();
    for group in groups() {
        assert!(names.insert(group.name.clone()), "{} twice", group.name);
        assert!(
            seconds(&group.interval) <= 300,
            "{} is evaluated too rarely",
            group.name
        );
        for rule in group.rules {
            let name = rule.name().to_owned();
            if rule.record.is_some() {
                let levels: Vec<&str> = name.split(':').collect();
                assert!(
                    matches!(levels[..], [level, metric, operation] if !level.is_empty() && !metric.is_empty() && !operation.is_empty()),
                    "{name} is not level:metric:operations"
                );
                assert!(rule.annotations.is_empty() && rule.pending.is_none());
            }
            for wait in [&rule.pending, &rule.keep_firing_for].into_iter().flatten() {
                assert!(
                    seconds(wait) >= 120,
                    "{name}: {wait} is shorter than two scrapes"
                );
            }
            let same = (name.clone(), format!("{:?}", rule.labels));
            assert!(series.insert(same), "{name} is written twice");
        }
    }
}

#[test]
fn each_choice_of_waiting_has_its_reason_above_it() {
    let text = super::read(&super::root().join("alerts/secure-score.rules.yml"));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut explained: BTreeSet<&str> = BTreeSet::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = line.strip_prefix("- alert: ") else {
            continue;
        };
        // The second severity or window of an alert stands below the first.
        if at > 0 && lines[at - 1].starts_with('#') {
            explained.insert(name);
        }
    }
    let sisters = [
        "SecureScoreTenantScoreDropped",
        "SecureScorePermissionMissing",
    ];
    for alert in alerts() {
        let name = alert.name();
        assert!(
            explained.contains(name) || sisters.contains(&name),
            "no comment says why {name} waits or does not"
        );
    }
}
