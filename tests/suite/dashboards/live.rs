//! The real Prometheus over thirty invented days answers every query.

use super::choice::{Choice, END, SHOWN};
use super::page::{Page, Query, text};
use crate::process::{Process, free_port, program};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

const MAX_POLLS: u32 = 600;

/// Queries that rightly find nothing of one tenant. Of all tenants, each must
/// find something.
const MAY_FIND_NOTHING: &[&str] = &[
    "secure-score-control / Tenants / D",
    "secure-score-control / Tenants / F",
    "secure-score-control / Tenants / H",
    "secure-score-control / annotation Risk accepted",
    "secure-score-exporter / Failing tenants",
    "secure-score-fleet / Accepted without a decision",
    "secure-score-fleet / Failing tenants",
    "secure-score-risks / Claims",
    "secure-score-risks / Decisions on accepted risks",
    "secure-score-risks / Planned, claimed or completed in Entra",
    "secure-score-risks / Tenants with most",
    "secure-score-risks / Recommendations set aside / D",
    "secure-score-risks / Recommendations set aside / E",
    "secure-score-tenant / Recommendations / G",
];

/// Prometheus with the data set.
struct Server {
    _folder: tempfile::TempDir,
    _process: Process,
    http: reqwest::Client,
    url: String,
}

impl Server {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        run(Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--example", "dataset", "--"])
            .arg(at("dataset.om")));
        run(Command::new(program("promtool", "prometheus"))
            .args(["tsdb", "create-blocks-from"])
            .args(["--max-block-duration=1458h", "openmetrics"])
            .args([at("dataset.om"), at("blocks")]));
        fs::write(at("prometheus.yml"), "").unwrap();
        let port = free_port();
        let process = Process::start(
            Command::new(program("prometheus", "prometheus"))
                .arg(format!("--config.file={}", at("prometheus.yml")))
                .arg(format!("--storage.tsdb.path={}", at("blocks")))
                .arg("--storage.tsdb.retention.time=100y")
                .arg("--query.lookback-delta=7199999ms")
                .arg(format!("--web.listen-address=127.0.0.1:{port}")),
        );
        let server = Self {
            _folder: folder,
            _process: process,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("http://127.0.0.1:{port}"),
        };
        server.wait_until_ready().await;
        server
    }

    async fn wait_until_ready(&self) {
        let ready = format!("{}/-/ready", self.url);
        for _ in 0..MAX_POLLS {
            let answer = self.http.get(&ready).send().await;
            if answer.is_ok_and(|it| it.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("Prometheus is not ready:\n{}", self._process.output());
    }

    /// The result of a query as its panel asks it, or what was wrong with it.
    async fn ask(&self, expr: &str, instant: bool) -> Result<Vec<Value>, String> {
        let (path, times) = if instant {
            ("query", vec![("time", END)])
        } else {
            let times = vec![("start", END - SHOWN), ("end", END), ("step", 3600)];
            ("query_range", times)
        };
        let times = times.into_iter().map(|(name, at)| (name, at.to_string()));
        let form: Vec<(&str, String)> = times.chain([("query", expr.to_owned())]).collect();
        let url = reqwest::Url::parse_with_params(&format!("{}/api/v1/{path}", self.url), &form);
        let answer = self.http.get(url.unwrap()).send().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        if answer["status"] != "success" {
            return Err(answer["error"].to_string());
        }
        Ok(answer["data"]["result"].as_array().unwrap().clone())
    }

    async fn number(&self, expr: &str) -> f64 {
        let result = self.ask(expr, true).await.unwrap();
        assert_eq!(result.len(), 1, "{expr}: {result:?}");
        text(&result[0]["value"][1]).parse().unwrap()
    }

    /// What is wrong with what a query shows.
    async fn complaint(&self, query: &Query, choice: Choice) -> Option<String> {
        let expr = choice.fill(&query.expr);
        let complain = |what: &str| Some(format!("{}: {what}: {expr}", query.place));
        match self.ask(&expr, query.instant).await {
            Err(error) => complain(&error),
            Ok(result) if result.is_empty() => complain("no data"),
            Ok(result) if query.unit == "percentunit" && !query.instant => {
                let odd = values(&result).find(|value| !(-0.001..=1.001).contains(value));
                complain(&format!("{} is no share", odd?))
            }
            Ok(_) => None,
        }
    }
}

fn values(result: &[Value]) -> impl Iterator<Item = f64> {
    let samples = result
        .iter()
        .flat_map(|it| it["values"].as_array().into_iter().flatten());
    samples.map(|sample| text(&sample[1]).parse().unwrap())
}

fn run(command: &mut Command) {
    let output = command.output().expect("it can be started");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
}

#[tokio::test]
async fn every_query_has_an_answer_for_one_tenant_and_for_all() {
    let server = Server::start().await;
    let mut complaints = Vec::new();
    let mut asked = 0;
    for page in Page::all() {
        for query in page.queries().iter().chain(&page.marks()) {
            asked += 1;
            complaints.extend(server.complaint(query, Choice::ALL).await);
            let may_be_empty = MAY_FIND_NOTHING
                .iter()
                .any(|it| query.place.starts_with(it));
            for tenant in ["contoso", "fabrikam"] {
                let complaint = server.complaint(query, Choice { tenant }).await;
                let rightly = |it: &String| may_be_empty && it.contains("no data");
                complaints.extend(complaint.filter(|it| !rightly(it)));
            }
        }
    }
    assert!(asked > 120, "only {asked} queries found");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    two_replicas_count_once(&server).await;
    an_approval_is_shown_until_its_last_day(&server).await;
    points_lost_are_those_of_the_newest_report(&server).await;
    a_control_with_an_unknown_state_is_not_withdrawn(&server).await;
    recommendations_that_are_not_read_are_no_zero(&server).await;
}

/// Litware does not let the exporter read them.
async fn recommendations_that_are_not_read_are_no_zero(server: &Server) {
    let risks = &Page::all()[3];
    assert_eq!(risks.uid(), "secure-score-risks");
    let queries = risks.queries();
    for (title, shown) in [
        ("Set aside", 8.0),
        ("Set aside, unapproved", 6.0),
        ("Watched in Entra", 2.0),
        ("Places disagree", 2.0),
        ("Unknown status", 1.0),
        ("Dismissed resources", 4.0),
    ] {
        let query = queries
            .iter()
            .find(|it| it.place.contains(&format!("/ {title} /")));
        let expr = &query.unwrap_or_else(|| panic!("no panel {title}")).expr;
        let of_all = Choice::ALL.fill(expr);
        assert_eq!(server.number(&of_all).await, shown, "{title}: {of_all}");
        let of_litware = Choice { tenant: "litware" }.fill(expr);
        let result = server.ask(&of_litware, true).await.unwrap();
        assert!(result.is_empty(), "{title}: {result:?}");
    }
}

/// What a column of a table shows, by tenant and control or recommendation.
async fn column(server: &Server, place: &str) -> BTreeMap<(String, String), f64> {
    let pages = Page::all();
    let queries: Vec<Query> = pages.iter().flat_map(Page::queries).collect();
    let query = queries.iter().find(|it| it.place == place);
    let expr = Choice::ALL.fill(&query.unwrap_or_else(|| panic!("no query {place}")).expr);
    by_subject(&server.ask(&expr, true).await.unwrap())
}

fn by_subject(result: &[Value]) -> BTreeMap<(String, String), f64> {
    let rows = result.iter().map(|row| {
        let label = |name: &str| row["metric"][name].as_str().unwrap_or_default().to_owned();
        let value = text(&row["value"][1]).parse().unwrap();
        let subject = label("control") + &label("recommendation");
        ((label("tenant"), subject), value)
    });
    rows.collect()
}

/// The metric is the midnight after the last day, which the pages show.
async fn an_approval_is_shown_until_its_last_day(server: &Server) {
    const DAY: f64 = 86_400.0;
    let controls =
        "max by (tenant, control) (secure_score_control_risk_approved_until_timestamp_seconds)";
    let control = "max by (tenant) (secure_score_control_risk_approved_until_timestamp_seconds{control=\"AdminMFAV2\"})";
    let recommendations = "max by (tenant, recommendation) (secure_score_recommendation_approved_until_timestamp_seconds)";
    for (place, until) in [
        (
            "secure-score-risks / Decisions on accepted risks / B",
            controls,
        ),
        (
            "secure-score-tenant / Accepted, claimed and planned / D",
            controls,
        ),
        ("secure-score-control / Tenants / F", control),
        (
            "secure-score-risks / Recommendations set aside / E",
            recommendations,
        ),
    ] {
        let until = by_subject(&server.ask(until, true).await.unwrap());
        let shown = column(server, place).await;
        assert!(!shown.is_empty(), "{place}");
        for (row, milliseconds) in shown {
            let days = |seconds: f64| (seconds / DAY).floor();
            let last_day = days(until[&row]) - 1.0;
            assert_eq!(until[&row] % DAY, 0.0, "{row:?}");
            assert_eq!(days(milliseconds / 1_000.0), last_day, "{place}: {row:?}");
        }
    }
}

/// The second replica has the reports of the day before.
async fn points_lost_are_those_of_the_newest_report(server: &Server) {
    let of = async |family: &str, instance: &str| {
        let expr = format!("secure_score_{family}{{instance=\"{instance}:10365\"}}");
        by_subject(&server.ask(&expr, true).await.unwrap())
    };
    let score = of("control_score", "exporter-0").await;
    let maximum = of("control_max_score", "exporter-0").await;
    let old_score = of("control_score", "exporter-1").await;
    let shown = column(
        server,
        "secure-score-risks / Decisions on accepted risks / E",
    )
    .await;
    assert!(
        shown.keys().any(|row| score[row] < old_score[row]),
        "the two reports do not differ"
    );
    let day = of("report_timestamp_seconds", "exporter-0").await;
    let old_day = of("report_timestamp_seconds", "exporter-1").await;
    let shown_day = column(
        server,
        "secure-score-risks / Decisions on accepted risks / F",
    )
    .await;
    for (row, lost) in shown {
        let expected = maximum[&row] - score[&row];
        assert!((lost - expected).abs() < 1e-9, "{row:?}: {lost}");
        let of_tenant = (row.0.clone(), String::new());
        assert_ne!(
            day[&of_tenant], old_day[&of_tenant],
            "the days do not differ"
        );
        assert_eq!(shown_day[&row], 1_000.0 * day[&of_tenant], "{row:?}");
    }
}

async fn a_control_with_an_unknown_state_is_not_withdrawn(server: &Server) {
    let row = ("litware".to_owned(), "MFARegistrationV2".to_owned());
    for place in [
        "secure-score-risks / Accepted and withdrawn / A",
        "secure-score-risks / When a risk was accepted / A",
    ] {
        let shown = column(server, place).await;
        assert!(!shown.is_empty(), "{place}");
        assert!(!shown.contains_key(&row), "{place}");
    }
    let now = column(
        server,
        "secure-score-fleet / Accepted in the last 7 days / C",
    )
    .await;
    assert_eq!(now[&row], 2.0, "2 is shown as unknown");
}

/// The data hold a second replica for the last day.
async fn two_replicas_count_once(server: &Server) {
    assert_eq!(
        server
            .number("count(count by (instance) (secure_score_tenant_info))")
            .await,
        2.0
    );
    let fleet = &Page::all()[2];
    assert_eq!(fleet.uid(), "secure-score-fleet");
    for (title, shown) in [
        ("Watched, unapproved", 2.0),
        ("Unapproved risks", 4.0),
        ("Approved", 4.0),
        ("Ending soon", 2.0),
        ("Failing", 1.0),
        ("Customers watched", 0.5),
    ] {
        let queries = fleet.queries();
        let query = queries
            .iter()
            .find(|it| it.place.contains(&format!("/ {title} /")));
        let expr = Choice::ALL.fill(&query.expect("the panel is there").expr);
        assert_eq!(server.number(&expr).await, shown, "{title}: {expr}");
    }
}
