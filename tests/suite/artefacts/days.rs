//! Two days of five tenants on two replicas, with promtool: nothing fires
//! where nothing happens, and each thing that happens fires what it should.
//!
//! Grafana's rules are evaluated at the same instants and fire the same alerts.
//!
//! The days are not idle. Scores move, one replica learns a report an hour
//! after the other, a scrape is missed, a replica restarts, a refresh fails
//! and Graph throttles now and then, and one accepted risk is approved.

use super::alerts::alerts_that_need_more;
use super::grafana_states;
use super::root;
use super::rules::groups;
use crate::process::program;
use secure_score_exposition::{FAMILIES, Membership};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

/// Between scrapes and evaluations, seconds.
const STEP: i64 = 240;
/// Two days of them.
const STEPS: i64 = 2 * 86_400 / STEP;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
/// When bad things happen: in the second day, so that there is a day before.
const THEN: i64 = 30 * HOUR;

const TENANTS: [&str; 5] = ["contoso", "fabrikam", "northwind", "adatum", "litware"];
const REPLICAS: [&str; 2] = ["a:10365", "b:10365"];
const CONTROLS: [(&str, &str); 4] = [
    ("AdminMFAV2", "Identity"),
    ("OneAdmin", "Identity"),
    ("IntegratedApps", "Identity"),
    ("dlp_datalossprevention", "Data"),
];

/// The partner whose customers the tenants are, and others.
const PARTNER: (&str, &str) = ("partner", "tailspin");
/// The customers by their id, and whether they are watched.
const CUSTOMERS: [(&str, &str); 7] = [
    ("contoso-id", "watched"),
    ("fabrikam-id", "watched"),
    ("northwind-id", "watched"),
    ("adatum-id", "watched"),
    ("litware-id", "watched"),
    ("proseware-id", "excluded"),
    ("wingtip-id", "not_consented"),
];

/// What is set aside is approved.
const RECOMMENDATIONS: [(&str, &str); 3] = [
    ("adminMFAV2", "active"),
    ("blockLegacyAuthentication", "active"),
    ("staleApps", "postponed"),
];

/// A value at each scrape, or none.
type Course = Box<dyn Fn(i64) -> Option<f64>>;

struct Series {
    name: String,
    labels: Vec<(&'static str, String)>,
    course: Course,
}

impl Series {
    fn has(&self, name: &str, wanted: &[(&str, &str)]) -> bool {
        self.name == name
            && wanted
                .iter()
                .all(|(key, value)| self.labels.iter().any(|(k, v)| k == key && v == value))
    }

    /// In which sets of series its family is; none of the exporter's own.
    fn membership(&self) -> Option<Membership> {
        let family = FAMILIES.iter().find(|it| it.name == self.name);
        family.map(|it| it.membership)
    }

    fn label(&self, wanted: &str) -> Option<&str> {
        let label = self.labels.iter().find(|(name, _)| *name == wanted);
        label.map(|(_, value)| value.as_str())
    }

    /// The tenant with its control or recommendation.
    fn subject(&self) -> (String, String) {
        let of = self.label("recommendation").or(self.label("control"));
        let tenant = self.label("tenant").unwrap_or_default();
        (tenant.to_owned(), of.unwrap_or_default().to_owned())
    }

    /// Whether it shows that the control or recommendation is declared.
    fn declares(&self) -> bool {
        let is = |name: &str, wanted: &str| self.label(name) == Some(wanted);
        let ever = || (0..=STEPS).any(|n| (self.course)(n * STEP).is_some_and(|it| it > 0.0));
        match self.name.strip_prefix("secure_score_").unwrap_or_default() {
            "control_state" => !is("state", "to_address") && ever(),
            "control_risk_accepted" | "recommendation_set_aside" => ever(),
            "recommendation_status" => {
                let of_graph = ["active", "needs_more_action", "completed_by_system"];
                !of_graph.iter().any(|status| is("status", status)) && ever()
            }
            "recommendation_impacted_resources" => is("status", "dismissed") && ever(),
            _ => false,
        }
    }

    /// As promtool reads it: equal values are written as a run.
    fn written(&self) -> Value {
        let mut labels = String::new();
        for (name, value) in &self.labels {
            let comma = if labels.is_empty() { "" } else { "," };
            write!(labels, "{comma}{name}=\"{value}\"").unwrap();
        }
        let mut runs: Vec<(Option<f64>, usize)> = Vec::new();
        for at in (0..=STEPS).map(|n| n * STEP) {
            let value = (self.course)(at);
            match runs.last_mut() {
                Some((last, count)) if *last == value => *count += 1,
                _ => runs.push((value, 1)),
            }
        }
        // A target that does not answer leaves a staleness marker.
        let values: Vec<String> = runs
            .iter()
            .map(|(value, count)| match value {
                Some(value) => format!("{value}x{}", count - 1),
                None if *count > 1 => format!("stale _x{}", count - 1),
                None => "stale".to_owned(),
            })
            .collect();
        json!({"series": format!("{}{{{labels}}}", self.name), "values": values.join(" ")})
    }
}

fn always(value: f64) -> Course {
    Box::new(move |_| Some(value))
}

struct World {
    series: Vec<Series>,
}

impl World {
    fn quiet() -> Self {
        let mut world = Self { series: Vec::new() };
        for replica in REPLICAS {
            let own = |name: &str, value| (format!("secure_score_exporter_{name}"), value);
            for (name, value) in [
                own("config_hash", 7.0),
                own("config_last_reload_successful", 1.0),
                own("web_config_valid", 1.0),
                own("shard", 0.0),
                own("total_shards", 1.0),
                own("webhook_waiting_events", 0.0),
                ("up".to_owned(), 1.0),
            ] {
                world.add(&name, &[], replica, always(value));
            }
            let (attempts, none) = own("webhook_attempts_total", 0.0);
            world.add(&attempts, &[], replica, always(none));
            let (failures, none) = own("webhook_failures_total", 0.0);
            for reason in ["not_accepted", "not_sent"] {
                world.add(&failures, &[("reason", reason)], replica, always(none));
            }
            world.partner(replica);
            for tenant in TENANTS {
                world.tenant(tenant, replica);
                world.entra(tenant, replica);
                for (control, category) in CONTROLS {
                    world.control(tenant, control, category, replica);
                }
            }
        }
        world
    }

    fn add(
        &mut self,
        name: &str,
        labels: &[(&'static str, &str)],
        replica: &'static str,
        course: Course,
    ) {
        let mut all = vec![
            ("job", "secure-score".to_owned()),
            ("instance", replica.to_owned()),
        ];
        all.extend(labels.iter().map(|(k, v)| (*k, (*v).to_owned())));
        // One scrape of each replica is missed, and the second one restarts.
        // `up` comes from Prometheus itself.
        let (missed, back) = if replica == REPLICAS[0] {
            (50, 51)
        } else {
            (500, 503)
        };
        let is_up = name == "up";
        let gaps = move |at: i64| {
            let gone = (missed * STEP..back * STEP).contains(&at);
            if !gone {
                course(at)
            } else if is_up {
                Some(0.0)
            } else {
                None
            }
        };
        self.series.push(Series {
            name: name.to_owned(),
            labels: all,
            course: Box::new(gaps),
        });
    }

    fn tenant(&mut self, tenant: &str, replica: &'static str) {
        let late = if replica == REPLICAS[0] { 0 } else { HOUR };
        let mut add = |name: &str, labels: &[(&'static str, &str)], course: Course| {
            let mut all = vec![("tenant", tenant)];
            all.extend_from_slice(labels);
            self.add(&format!("secure_score_{name}"), &all, replica, course);
        };
        // The report of a day is there at six; scores move a little with it.
        let day = move |at: i64| (at - late - 6 * HOUR).div_euclid(DAY) as f64;
        for (api, every) in [("profiles", 900), ("scores", HOUR)] {
            let passing = move |at: i64| {
                Some(if (20_000..20_480).contains(&at) {
                    0.0
                } else {
                    1.0
                })
            };
            add("up", &[("api", api)], Box::new(passing));
            let last = move |at: i64| Some((at / every * every - late / 10) as f64);
            add(
                "last_refresh_success_timestamp_seconds",
                &[("api", api)],
                Box::new(last),
            );
            for reason in ["credential", "permission", "server"] {
                let once = f64::from(u8::from(reason == "server"));
                let count = move |at: i64| Some(if at < 20_000 { 0.0 } else { once });
                add(
                    "refresh_failures_total",
                    &[("api", api), ("reason", reason)],
                    Box::new(count),
                );
            }
            add(
                "unknown_values",
                &[("api", api), ("field", "category")],
                always(0.0),
            );
        }
        add("tenant_info", &[("cloud", "global")], always(1.0));
        add(
            "graph_throttled_total",
            &[],
            Box::new(|at| Some((at / (2 * HOUR)) as f64)),
        );
        add(
            "report_timestamp_seconds",
            &[],
            Box::new(move |at| Some(day(at) * DAY as f64)),
        );
        add(
            "tenant_score",
            &[],
            Box::new(move |at| Some(300.0 - 2.0 * day(at))),
        );
        add("tenant_max_score", &[], always(400.0));
        add(
            "category_score",
            &[("category", "Identity")],
            Box::new(move |at| Some(40.0 + day(at))),
        );
        add(
            "category_max_score",
            &[("category", "Identity")],
            always(50.0),
        );
        add("category_score", &[("category", "Data")], always(8.0));
        add("category_max_score", &[("category", "Data")], always(10.0));
        add("unreconciled_score", &[], always(0.01));
        add("comparison_ratio", &[("basis", "AllTenants")], always(0.45));
        add("comparison_ratio", &[("basis", "TotalSeats")], always(0.76));
        add("target_ratio", &[], always(0.6));
        add("catalogue_controls", &[("scored", "true")], always(4.0));
        let states = [("api", "profiles"), ("field", "state")];
        add("unknown_values", &states, always(0.0));
        add(
            "credential_expiry_timestamp_seconds",
            &[],
            always(99_999_999.0),
        );
    }

    /// A list that is read every six hours. One customer has not consented, for
    /// less than three days, so that its tenant `wingtip` cannot be read.
    fn partner(&mut self, replica: &'static str) {
        let mut add = |name: &str, labels: &[(&'static str, &str)], course: Course| {
            let mut all = vec![PARTNER];
            all.extend_from_slice(labels);
            self.add(
                &format!("secure_score_partner_{name}"),
                &all,
                replica,
                course,
            );
        };
        add("up", &[], always(1.0));
        let last = |at: i64| Some((at / (6 * HOUR) * (6 * HOUR)) as f64);
        let success = "last_refresh_success_timestamp_seconds";
        add(success, &[], Box::new(last));
        for reason in ["credential", "permission", "server"] {
            add("refresh_failures_total", &[("reason", reason)], always(0.0));
        }
        for field in ["element", "id", "duplicate", "date"] {
            add("skipped_elements", &[("field", field)], always(0.0));
        }
        for state in ["watched", "unwatched", "excluded", "not_consented", "left"] {
            let number = CUSTOMERS.iter().filter(|(_, it)| *it == state).count();
            add("customers", &[("state", state)], always(number as f64));
        }
        for (id, state) in CUSTOMERS {
            let customer = ("entra_tenant_id", id);
            add("customer_state", &[customer, ("state", state)], always(1.0));
            let tenant = ("tenant", id.trim_end_matches("-id"));
            let known = if state == "excluded" {
                vec![customer]
            } else {
                vec![customer, tenant]
            };
            add("customer_info", &known, always(1.0));
            if state != "excluded" {
                let missing = f64::from(u8::from(state == "not_consented"));
                add(
                    "customer_consent_missing",
                    &[customer, tenant],
                    always(missing),
                );
            }
            let end = always(20.0 * DAY as f64);
            let end_name = "relationship_end_timestamp_seconds";
            add(end_name, &[customer], end);
            let extends = f64::from(u8::from(state != "excluded"));
            add("relationship_extends", &[customer], always(extends));
        }
        for api in ["profiles", "scores"] {
            let labels = [("tenant", "wingtip"), ("api", api)];
            self.add("secure_score_up", &labels, replica, always(0.0));
            let labels = [labels[0], labels[1], ("reason", "consent")];
            let count = |at: i64| Some((at / HOUR) as f64);
            let name = "secure_score_refresh_failures_total";
            self.add(name, &labels, replica, Box::new(count));
        }
        let info = [("tenant", "wingtip"), ("cloud", "global")];
        self.add("secure_score_tenant_info", &info, replica, always(1.0));
    }

    /// Entra's lists, which all tenants but one let the exporter read.
    fn entra(&mut self, tenant: &str, replica: &'static str) {
        if tenant == "litware" {
            return;
        }
        let late = if replica == REPLICAS[0] { 0 } else { HOUR };
        let mut add = |name: &str, labels: &[(&'static str, &str)], course: Course| {
            let mut all = vec![("tenant", tenant)];
            all.extend_from_slice(labels);
            self.add(&format!("secure_score_{name}"), &all, replica, course);
        };
        for (api, every) in [("recommendations", 1800), ("identity_scores", HOUR)] {
            add("up", &[("api", api)], always(1.0));
            let last = move |at: i64| Some((at / every * every - late / 10) as f64);
            add(
                "last_refresh_success_timestamp_seconds",
                &[("api", api)],
                Box::new(last),
            );
            for reason in ["credential", "permission", "server"] {
                let labels = [("api", api), ("reason", reason)];
                add("refresh_failures_total", &labels, always(0.0));
            }
        }
        let statuses = [("api", "recommendations"), ("field", "status")];
        add("unknown_values", &statuses, always(0.0));
        let day = move |at: i64| (at - late - 6 * HOUR).div_euclid(DAY) as f64;
        let score = move |at: i64| Some(40.0 - day(at));
        add("identity_score", &[], Box::new(score));
        add("identity_max_score", &[], always(56.0));
        let report = move |at: i64| Some(day(at) * DAY as f64);
        add("identity_report_timestamp_seconds", &[], Box::new(report));
        for (name, status) in RECOMMENDATIONS {
            let own = [("recommendation", name)];
            let aside = f64::from(u8::from(status != "active"));
            let status = [own[0], ("status", status)];
            add("recommendation_set_aside", &own, always(aside));
            add("recommendation_status", &status, always(1.0));
            let changed = always(-5.0 * DAY as f64);
            add(
                "recommendation_status_changed_timestamp_seconds",
                &own,
                changed,
            );
            let pair = [own[0], ("control", "AdminMFAV2")];
            match name {
                "adminMFAV2" => {
                    add("recommendation_watched", &own, always(1.0));
                    add("recommendation_disagrees", &pair, always(0.0));
                    let resources = [own[0], ("status", "dismissed")];
                    add("recommendation_impacted_resources", &resources, always(0.0));
                }
                "staleApps" => {
                    let approved = "recommendation_approved_until_timestamp_seconds";
                    add(approved, &own, always(99_999_999.0));
                    let until = "recommendation_postponed_until_timestamp_seconds";
                    add(until, &own, always(60.0 * DAY as f64));
                }
                _ => {}
            }
        }
    }

    fn control(&mut self, tenant: &str, control: &str, category: &str, replica: &'static str) {
        let approved = control == "IntegratedApps";
        let mut add = |name: &str, labels: &[(&'static str, &str)], course: Course| {
            let mut all = vec![
                ("tenant", tenant),
                ("control", control),
                ("category", category),
            ];
            all.extend_from_slice(labels);
            self.add(
                &format!("secure_score_control_{name}"),
                &all,
                replica,
                course,
            );
        };
        // Text differs between replicas, as while Microsoft changes it.
        add("info", &[("title", replica)], always(1.0));
        add("score", &[], always(8.0));
        add("max_score", &[], always(10.0));
        add("risk_accepted", &[], always(f64::from(u8::from(approved))));
        let state = if approved {
            "risk_accepted"
        } else {
            "to_address"
        };
        add("state", &[("state", state)], always(1.0));
        if approved {
            add(
                "risk_last_accepted_timestamp_seconds",
                &[],
                always(-5.0 * DAY as f64),
            );
            add(
                "state_updated_timestamp_seconds",
                &[],
                always(-5.0 * DAY as f64),
            );
            add(
                "risk_approved_until_timestamp_seconds",
                &[],
                always(99_999_999.0),
            );
        }
        if control == "AdminMFAV2" {
            add("watched", &[], always(1.0));
        }
    }

    /// Changes what a series shows on both replicas, from some moment on.
    fn set(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        from: i64,
        after: impl Fn(i64) -> Option<f64> + Clone + 'static,
    ) {
        let mut found = 0;
        for series in &mut self.series {
            if series.has(name, labels) {
                found += 1;
                let before = std::mem::replace(&mut series.course, always(0.0));
                let after = after.clone();
                series.course = Box::new(move |at| if at < from { before(at) } else { after(at) });
            }
        }
        assert!(found > 0, "{name} {labels:?} is not there to change");
    }

    /// Adds what a control did not have.
    fn give(&mut self, name: &str, labels: &[(&'static str, &str)], course: impl Fn() -> Course) {
        for replica in REPLICAS {
            self.add(name, labels, replica, course());
        }
    }

    /// Leaves the series that `series: acceptances` exports.
    fn narrow_to_acceptances(&mut self) {
        let declared: BTreeSet<(String, String)> = self
            .series
            .iter()
            .filter(|it| it.declares())
            .map(Series::subject)
            .collect();
        self.series.retain(|it| match it.membership() {
            Some(Membership::Controls | Membership::Full) => false,
            Some(Membership::Declared) => declared.contains(&it.subject()),
            Some(Membership::Every | Membership::Nonzero) | None => true,
        });
        for series in &mut self.series {
            if series.membership() == Some(Membership::Nonzero) {
                let whole = std::mem::replace(&mut series.course, always(0.0));
                series.course = Box::new(move |at| whole(at).filter(|value| *value != 0.0));
            }
        }
    }

    /// Every alert that fired, once, as promtool reports it, and in Grafana.
    fn expect(&self, wanted: &[&str]) {
        let series: Vec<Value> = self.series.iter().map(Series::written).collect();
        let folder = tempfile::tempdir().unwrap();
        let grafana = folder.path().join("grafana.rules.yml");
        let answers = grafana_states::recording_rules();
        std::fs::write(&grafana, answers.to_string()).unwrap();
        let mut order: Vec<String> = groups().into_iter().map(|group| group.name).collect();
        order.extend(answers["groups"][0]["name"].as_str().map(str::to_owned));
        let samples: Vec<Value> = wanted
            .iter()
            .map(|labels| json!({"labels": format!("{{{labels}}}"), "value": 1}))
            .collect();
        let fired = "count by (alertname, severity, tenant, control, recommendation, window, partner, entra_tenant_id) (count_over_time(ALERTS{alertstate=\"firing\"}[2d]))";
        let times = || (0..=STEPS).map(|n| n * STEP);
        let mut questions = grafana_states::questions(times());
        questions.push(json!({"expr": fired, "eval_time": "2d", "exp_samples": samples}));
        let file = json!({
            "rule_files": [root().join("alerts/secure-score.rules.yml"), grafana],
            "evaluation_interval": format!("{STEP}s"),
            "group_eval_order": order,
            "tests": [{
                "interval": format!("{STEP}s"),
                "input_series": series,
                "promql_expr_test": questions,
            }],
        });
        let path = folder.path().join("days.test.yml");
        std::fs::write(&path, file.to_string()).unwrap();
        let output = Command::new(program("promtool", "prometheus"))
            .args(["test", "rules"])
            .arg(&path)
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        let in_grafana = grafana_states::fired(&printed, times());
        let was_evaluated = output.status.success() || printed.contains("expr: \"");
        assert!(was_evaluated, "{printed}");
        let wanted = wanted
            .iter()
            .map(|labels| grafana_states::expected_labels(labels));
        assert_eq!(in_grafana, wanted.collect::<BTreeSet<_>>());
    }
}

#[test]
fn two_days_without_an_event_are_two_days_without_an_alert() {
    World::quiet().expect(&[]);
}

#[test]
fn each_event_of_a_day_fires_its_alert_and_no_other() {
    let (world, expected) = eventful();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    world.expect(&expected);
}

/// What `acceptances` leaves out makes no alert fire, and of those that fire it
/// silences the alerts that the table marks with a larger set.
#[test]
fn the_series_of_acceptances_suffice_for_the_alerts_that_name_them() {
    let (mut world, mut expected) = eventful();
    let before = world.series.len();
    world.narrow_to_acceptances();
    assert!(world.series.len() < before);
    let larger: Vec<String> = alerts_that_need_more().into_iter().collect();
    assert_eq!(larger, ["SecureScoreControlRegressed"]);
    let count = expected.len();
    expected.retain(|labels| larger.iter().all(|name| !labels.contains(name.as_str())));
    assert!(expected.len() < count);
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    world.expect(&expected);
}

/// A world in which everything happens, and the alerts that fire.
fn eventful() -> (World, BTreeSet<String>) {
    let mut world = World::quiet();
    let mut expected: BTreeSet<String> = BTreeSet::new();
    let mut expect = |alert: &str, severity: &str, rest: &str| {
        expected.insert(format!(
            "alertname=\"SecureScore{alert}\",severity=\"{severity}\",{rest}"
        ));
    };
    let accepted =
        |world: &mut World, tenant: &'static str, control: &'static str, category: &'static str| {
            let labels = [("tenant", tenant), ("control", control)];
            world.set("secure_score_control_risk_accepted", &labels, THEN, |_| {
                Some(1.0)
            });
            let full = [
                ("tenant", tenant),
                ("control", control),
                ("category", category),
            ];
            world.give(
                "secure_score_control_risk_last_accepted_timestamp_seconds",
                &full,
                || Box::new(|at| (at >= THEN).then_some((THEN - 60) as f64)),
            );
        };

    // What people decide.
    accepted(&mut world, "contoso", "AdminMFAV2", "Identity");
    expect(
        "RiskAccepted",
        "critical",
        "tenant=\"contoso\",control=\"AdminMFAV2\"",
    );
    accepted(&mut world, "fabrikam", "OneAdmin", "Identity");
    expect(
        "RiskAccepted",
        "warning",
        "tenant=\"fabrikam\",control=\"OneAdmin\"",
    );
    accepted(&mut world, "fabrikam", "dlp_datalossprevention", "Data");
    expect(
        "RiskAccepted",
        "info",
        "tenant=\"fabrikam\",control=\"dlp_datalossprevention\"",
    );
    let full = [
        ("tenant", "litware"),
        ("control", "OneAdmin"),
        ("category", "Identity"),
    ];
    world.give(
        "secure_score_control_risk_last_accepted_timestamp_seconds",
        &full,
        || Box::new(|at| (at >= THEN).then_some((THEN - 60) as f64)),
    );
    expect(
        "RiskAcceptedAndReverted",
        "warning",
        "tenant=\"litware\",control=\"OneAdmin\"",
    );
    let apps = [("tenant", "contoso"), ("control", "IntegratedApps")];
    world.set(
        "secure_score_control_risk_approved_until_timestamp_seconds",
        &apps,
        0,
        |_| Some(THEN as f64),
    );
    expect(
        "ApprovalExpiring",
        "info",
        "tenant=\"contoso\",control=\"IntegratedApps\"",
    );
    expect(
        "ApprovalExpired",
        "warning",
        "tenant=\"contoso\",control=\"IntegratedApps\"",
    );
    let dlp = [
        ("tenant", "northwind"),
        ("control", "dlp_datalossprevention"),
    ];
    world.set("secure_score_control_state", &dlp, THEN, |_| None);
    let dlp = [dlp[0], dlp[1], ("category", "Data")];
    let claimed = [dlp[0], dlp[1], dlp[2], ("state", "third_party")];
    world.give("secure_score_control_state", &claimed, || {
        Box::new(|at| (at >= THEN).then_some(1.0))
    });
    world.give(
        "secure_score_control_state_updated_timestamp_seconds",
        &dlp,
        || Box::new(|at| (at >= THEN).then_some(THEN as f64)),
    );
    expect(
        "MitigationClaimed",
        "info",
        "tenant=\"northwind\",control=\"dlp_datalossprevention\"",
    );

    // What people decide in Entra.
    let aside = |world: &mut World, labels: &[(&'static str, &'static str)]| {
        let name = "secure_score_recommendation_set_aside";
        world.set(name, labels, THEN, |_| Some(1.0));
        let name = "secure_score_recommendation_status_changed_timestamp_seconds";
        world.set(name, labels, THEN, |_| Some((THEN - 60) as f64));
        let name = "secure_score_recommendation_status";
        world.set(name, labels, THEN, |_| None);
        let dismissed = [labels[0], labels[1], ("status", "dismissed")];
        world.give(name, &dismissed, || {
            Box::new(|at| (at >= THEN).then_some(1.0))
        });
    };
    let admins = ("recommendation", "adminMFAV2");
    let legacy = ("recommendation", "blockLegacyAuthentication");
    let apps = ("recommendation", "staleApps");
    aside(&mut world, &[("tenant", "contoso"), admins]);
    expect(
        "RecommendationSetAside",
        "critical",
        "tenant=\"contoso\",recommendation=\"adminMFAV2\"",
    );
    aside(&mut world, &[("tenant", "fabrikam"), legacy]);
    expect(
        "RecommendationSetAside",
        "warning",
        "tenant=\"fabrikam\",recommendation=\"blockLegacyAuthentication\"",
    );
    world.set(
        "secure_score_recommendation_postponed_until_timestamp_seconds",
        &[("tenant", "northwind"), apps],
        0,
        |_| Some(8.0 * DAY as f64),
    );
    expect(
        "RecommendationPostponementEnding",
        "info",
        "tenant=\"northwind\",recommendation=\"staleApps\"",
    );
    world.set(
        "secure_score_recommendation_impacted_resources",
        &[("tenant", "northwind"), admins],
        THEN,
        |_| Some(2.0),
    );
    expect(
        "RecommendationResourceDismissed",
        "warning",
        "tenant=\"northwind\",recommendation=\"adminMFAV2\"",
    );
    // Disagrees for less than two days.
    world.set(
        "secure_score_recommendation_disagrees",
        &[("tenant", "northwind"), admins],
        THEN,
        |_| Some(1.0),
    );
    let unreadable = [("tenant", "northwind"), legacy];
    let status = "secure_score_recommendation_status";
    world.set(status, &unreadable, THEN, |_| None);
    let name = "secure_score_recommendation_set_aside";
    world.set(name, &unreadable, THEN, |_| None);
    let unreadable = [unreadable[0], unreadable[1], ("status", "unknown")];
    world.give(status, &unreadable, || {
        Box::new(|at| (at >= THEN).then_some(1.0))
    });
    expect(
        "RecommendationUnknown",
        "warning",
        "tenant=\"northwind\",recommendation=\"blockLegacyAuthentication\"",
    );
    world.set(
        "secure_score_identity_score",
        &[("tenant", "adatum")],
        THEN,
        |_| Some(30.0),
    );
    expect(
        "IdentityScoreDropped",
        "warning",
        "tenant=\"adatum\",window=\"1d\"",
    );
    for api in ["recommendations", "identity_scores"] {
        let labels = [("tenant", "contoso"), ("api", api)];
        world.set("secure_score_up", &labels, 38 * HOUR, |_| Some(0.0));
    }
    expect("EntraRefreshFailing", "warning", "tenant=\"contoso\"");

    // What becomes of the scores.
    let adatum = [("tenant", "adatum")];
    let identity = [("tenant", "adatum"), ("category", "Identity")];
    let admins = [("tenant", "adatum"), ("control", "OneAdmin")];
    world.set("secure_score_control_score", &admins, THEN, |_| Some(0.0));
    expect(
        "ControlRegressed",
        "warning",
        "tenant=\"adatum\",control=\"OneAdmin\"",
    );
    world.set("secure_score_category_score", &identity, THEN, |_| {
        Some(32.0)
    });
    expect(
        "CategoryScoreDropped",
        "warning",
        "tenant=\"adatum\",window=\"1d\"",
    );
    world.set("secure_score_tenant_score", &adatum, THEN, |_| Some(275.0));
    expect(
        "TenantScoreDropped",
        "warning",
        "tenant=\"adatum\",window=\"1d\"",
    );
    world.set(
        "secure_score_target_ratio",
        &[("tenant", "litware")],
        THEN,
        |_| Some(0.9),
    );
    expect("BelowTarget", "info", "tenant=\"litware\"");
    world.set(
        "secure_score_comparison_ratio",
        &[("tenant", "contoso")],
        THEN,
        |_| Some(0.9),
    );
    expect("BelowComparison", "info", "tenant=\"contoso\"");
    let northwind = [("tenant", "northwind")];
    world.set("secure_score_tenant_max_score", &northwind, THEN, |_| {
        Some(420.0)
    });
    expect("MaximumChanged", "info", "tenant=\"northwind\"");
    let new = [
        ("tenant", "northwind"),
        ("control", "NewPolicy"),
        ("category", "Apps"),
    ];
    world.give("secure_score_control_risk_accepted", &new, || {
        Box::new(|at| (at >= THEN).then_some(0.0))
    });
    expect(
        "NewControl",
        "info",
        "tenant=\"northwind\",control=\"NewPolicy\"",
    );

    // Whether it can be believed.
    world.set("secure_score_unreconciled_score", &northwind, THEN, |_| {
        Some(-3.0)
    });
    expect("Unreconciled", "info", "tenant=\"northwind\"");
    world.set("secure_score_unknown_values", &northwind, THEN, |_| {
        Some(1.0)
    });
    expect("UnknownValues", "info", "tenant=\"northwind\"");
    world.set(
        "secure_score_graph_throttled_total",
        &northwind,
        THEN,
        |at| Some((at / STEP) as f64),
    );
    expect("Throttled", "info", "tenant=\"northwind\"");
    let expiry = "secure_score_credential_expiry_timestamp_seconds";
    world.set(expiry, &[("tenant", "contoso")], THEN, |_| {
        Some(22.0 * DAY as f64)
    });
    expect("CredentialExpiring", "warning", "tenant=\"contoso\"");
    world.set(expiry, &northwind, THEN, |_| Some(5.0 * DAY as f64));
    expect("CredentialExpiring", "critical", "tenant=\"northwind\"");
    let report = "secure_score_report_timestamp_seconds";
    world.set(report, &[("tenant", "contoso")], THEN, |_| {
        Some(-2.0 * DAY as f64)
    });
    expect("ReportOld", "warning", "tenant=\"contoso\"");
    let fails = |world: &mut World, tenant: &'static str, reason: &'static str| {
        let from = 38 * HOUR;
        world.set("secure_score_up", &[("tenant", tenant)], from, |_| {
            Some(0.0)
        });
        let freshness = "secure_score_last_refresh_success_timestamp_seconds";
        world.set(freshness, &[("tenant", tenant)], from, move |_| {
            Some(from as f64)
        });
        let reason = [("tenant", tenant), ("reason", reason)];
        let count = move |at: i64| Some((1 + (at - from) / 1800) as f64);
        world.set("secure_score_refresh_failures_total", &reason, from, count);
    };
    fails(&mut world, "fabrikam", "credential");
    expect("CredentialFailing", "critical", "tenant=\"fabrikam\"");
    fails(&mut world, "adatum", "permission");
    expect("PermissionMissing", "critical", "tenant=\"adatum\"");
    fails(&mut world, "litware", "server");
    expect("RefreshFailing", "warning", "tenant=\"litware\"");
    for tenant in ["fabrikam", "adatum", "litware"] {
        expect("DataStale", "warning", &format!("tenant=\"{tenant}\""));
    }

    // What becomes of a partner's customers.
    let state = "secure_score_partner_customer_state";
    let becomes = |world: &mut World, customer: &'static str, now: &'static str, from: i64| {
        let before = [PARTNER, ("entra_tenant_id", customer)];
        world.set(state, &before, from, |_| None);
        let after = [before[0], before[1], ("state", now)];
        let course = move || -> Course { Box::new(move |at| (at >= from).then_some(1.0)) };
        world.give(state, &after, course);
    };
    becomes(&mut world, "proseware-id", "unwatched", 20 * HOUR);
    becomes(&mut world, "litware-id", "left", THEN);
    for (alert, customer) in [
        ("CustomerUnwatched", "proseware-id"),
        // It is excluded no more, and does not extend itself.
        ("RelationshipEnding", "proseware-id"),
        ("CustomerLeft", "litware-id"),
    ] {
        let customer = format!("partner=\"tailspin\",entra_tenant_id=\"{customer}\"");
        expect(alert, "warning", &customer);
    }
    let from = 38 * HOUR;
    world.set("secure_score_partner_up", &[PARTNER], from, |_| Some(0.0));
    expect("PartnerRefreshFailing", "warning", "partner=\"tailspin\"");
    let skipped = |field: &'static str| [PARTNER, ("field", field)];
    for (field, severity) in [("date", "info"), ("id", "warning")] {
        let from = if field == "id" { 38 * HOUR } else { THEN };
        let name = "secure_score_partner_skipped_elements";
        world.set(name, &skipped(field), from, |_| Some(1.0));
        expect("PartnerSkippedElements", severity, "partner=\"tailspin\"");
    }
    (world, expected)
}

#[test]
fn an_exporter_that_falls_apart_tells_of_itself_alone() {
    let mut world = World::quiet();
    let everything = |world: &mut World, replica: &'static str, from: i64, up: Option<f64>| {
        for series in &mut world.series {
            if series.labels.iter().any(|(_, value)| value == replica) {
                let before = std::mem::replace(&mut series.course, always(0.0));
                let after = if series.name == "up" { up } else { None };
                series.course = Box::new(move |at| if at < from { before(at) } else { after });
            }
        }
    };
    let own = |name: &str| format!("secure_score_exporter_{name}");
    let (first, second) = (REPLICAS[0], REPLICAS[1]);
    world.set(
        &own("config_last_reload_successful"),
        &[("instance", first)],
        20 * HOUR,
        |_| Some(0.0),
    );
    world.set(
        &own("web_config_valid"),
        &[("instance", second)],
        26 * HOUR,
        |_| Some(0.0),
    );
    world.set(
        &own("webhook_waiting_events"),
        &[("instance", first)],
        22 * HOUR,
        |_| Some(7.0),
    );
    world.set(
        &own("webhook_attempts_total"),
        &[("instance", first)],
        24 * HOUR,
        |_| Some(3.0),
    );
    world.set(
        &own("webhook_failures_total"),
        &[("instance", first), ("reason", "not_sent")],
        24 * HOUR,
        |_| Some(3.0),
    );
    world.set(&own("shard"), &[("instance", second)], 0, |_| Some(1.0));
    world.set(&own("total_shards"), &[], 0, |_| Some(2.0));
    everything(&mut world, second, 30 * HOUR, Some(0.0));
    everything(&mut world, first, 40 * HOUR, Some(0.0));
    // In the end the job has no target.
    everything(&mut world, first, 44 * HOUR, None);
    everything(&mut world, second, 44 * HOUR, None);
    world.expect(&[
        "alertname=\"SecureScoreReloadFailed\",severity=\"warning\"",
        "alertname=\"SecureScoreWebConfigInvalid\",severity=\"warning\"",
        "alertname=\"SecureScoreWebhookLosesEvents\",severity=\"warning\"",
        "alertname=\"SecureScoreWebhookUnavailable\",severity=\"warning\"",
        "alertname=\"SecureScoreShardMissing\",severity=\"critical\"",
        "alertname=\"SecureScoreExporterDown\",severity=\"critical\"",
        "alertname=\"SecureScoreExporterAbsent\",severity=\"critical\"",
    ]);
}
