//! A real Prometheus over the blocks of the past that also scrapes the present.

use super::{DAY, backfill, now, stdout_of};
use crate::documents::{examples, without_numbers};
use crate::process::{Process, free_port, program};
use crate::simulated::{Simulated, run, text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

const INSTANCE: &str = "exporter:10365";

struct Server {
    process: Process,
    http: reqwest::Client,
    url: String,
}

impl Server {
    /// Over the blocks in a folder, with a scrape of this exporter.
    async fn start(simulated: &Simulated, exporter: &str) -> Self {
        let at = |name: &str| simulated.folder().join(name).display().to_string();
        let config = format!(
            "global: {{scrape_interval: 1s}}\n\
             scrape_configs:\n  - job_name: secure-score\n    static_configs:\n      \
             - targets: ['{exporter}']\n        labels: {{instance: '{INSTANCE}'}}\n"
        );
        fs::write(at("prometheus.yml"), config).unwrap();
        let port = free_port();
        let process = Process::start(
            Command::new(program("prometheus", "prometheus"))
                .arg(format!("--config.file={}", at("prometheus.yml")))
                .arg(format!("--storage.tsdb.path={}", at("blocks")))
                .arg("--storage.tsdb.retention.time=200d")
                .arg(format!("--web.listen-address=127.0.0.1:{port}")),
        );
        Self {
            process,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    async fn query(&self, promql: &str) -> Vec<Value> {
        let api = format!("{}/api/v1/query", self.url);
        let url = reqwest::Url::parse_with_params(&api, [("query", promql)]).unwrap();
        let Ok(answer) = self.http.get(url).send().await else {
            return Vec::new();
        };
        let answer: Value =
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
        let result = answer["data"]["result"].as_array().cloned();
        result.unwrap_or_default()
    }

    async fn wait_for(&self, promql: &str) {
        for _ in 0..600 {
            if !self.query(promql).await.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("never true: {promql}\n{}", self.process.output());
    }

    /// The series a query finds.
    async fn series(&self, promql: &str) -> BTreeSet<String> {
        let found = self.query(promql).await;
        found.iter().map(|it| it["metric"].to_string()).collect()
    }
}

/// A line of the comparison without its tenant, its numbers and its example.
fn form(line: &str) -> String {
    let tenant = regex::Regex::new("^[a-z]+: ").unwrap();
    let example = regex::Regex::new(r"such as secure_score_\S+$").unwrap();
    let days = regex::Regex::new("(N-N-N ?)+$").unwrap();
    let line = without_numbers(&tenant.replace(line, "TENANT: "));
    let line = example.replace(&line, "such as SERIES");
    days.replace(&line, "DAYS").into_owned()
}

fn check(simulated: &Simulated, url: &str, flags: &[&str]) -> (Option<i32>, String) {
    let config = simulated.config();
    let url = format!("--check={url}");
    let instance = format!("--label=instance={INSTANCE}");
    let mut arguments = vec!["backfill", "--config.file", &config, &url, &instance];
    arguments.extend(["--label=job=secure-score", "--step=6h"]);
    arguments.extend(flags);
    let checked = run(&arguments);
    (checked.status.code(), text(&checked.stdout))
}

#[tokio::test(flavor = "multi_thread")]
async fn past_and_present_are_one_series_and_a_gap_is_found() {
    let simulated = Simulated::start();
    let output = simulated.folder().join("blocks");
    let instance = format!("--label=instance={INSTANCE}");
    stdout_of(&backfill(
        &simulated.config(),
        &output,
        &[
            "--step=6h",
            "--days=40",
            "--label=job=secure-score",
            &instance,
        ],
    ));
    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &simulated.config(),
    ]);
    let server = Server::start(&simulated, &exporter.word_after("address=")).await;
    server
        .wait_for("count(secure_score_control_risk_accepted{control=\"UserRiskPolicy\"}) == 5")
        .await;
    server
        .wait_for("count(secure_score_control_score{control=\"BlockLegacyAuthentication\"}) == 5")
        .await;

    // Each series whose past reaches into the last two days goes on in the
    // present under the very same labels, and there is no second one.
    let families = "{__name__=~\"secure_score_(tenant|category|comparison|control)_.+\"}";
    let recent = format!("last_over_time({families}[2d] offset 150m)");
    let past = server.series(&recent).await;
    let present = server.series(families).await;
    assert!(past.len() > 2_000, "{}", past.len());
    let ended: Vec<_> = past.difference(&present).take(3).collect();
    assert!(ended.is_empty(), "{ended:?}");
    for family in ["secure_score_tenant_score", "secure_score_control_score"] {
        let labels = server
            .series(&format!("count by (job, instance) ({family})"))
            .await;
        assert_eq!(labels.len(), 1, "{labels:?}");
    }
    let joined = "count(secure_score_tenant_score and count_over_time(secure_score_tenant_score[40d]) > 140) == 5";
    assert_eq!(server.query(joined).await.len(), 1);

    // The document shows the labels of a series.
    let mut shown = examples("docs/backfill.md").into_iter();
    let shown = shown.find(|it| it.command.starts_with("curl ")).unwrap();
    let labels: Value = serde_json::from_str(&shown.output[0]).unwrap();
    let name = labels["__name__"].as_str().unwrap();
    assert!(shown.command.contains(&format!("?query={name}'")));
    let tenant = labels["tenant"].as_str().unwrap();
    let found = server.query(&format!("{name}{{tenant={tenant:?}}}")).await;
    let mut found = found[0]["metric"].clone();
    assert_eq!(found["instance"], INSTANCE);
    found["instance"] = labels["instance"].clone();
    assert_eq!(shown.output[0].trim(), found.to_string());

    // What was not brought in is found, and what was is not.
    let (code, whole) = check(&simulated, &server.url, &["--days=40"]);
    assert_eq!(
        whole.matches(" 0 missing, 0 different").count(),
        5,
        "{whole}"
    );
    assert_eq!(code, Some(0));
    let (code, short) = check(
        &simulated,
        &server.url,
        &["--days=60", "--tenant=northwind"],
    );
    assert_eq!(code, Some(1), "{short}");
    let date = |ago: i64| {
        let midnight = now() - now().rem_euclid(DAY) - ago * DAY;
        let at = jiff::Timestamp::from_second(midnight).unwrap();
        at.strftime("%Y-%m-%d").to_string()
    };
    let gap = format!(
        "missing    {}T03:00:00Z to {}T21:00:00Z: ",
        date(60),
        date(41)
    );
    assert!(short.contains(&gap), "{gap}\n{short}");

    // The document shows both, without a tenant's names and numbers.
    let mut shown = examples("docs/backfill.md").into_iter();
    let shown = shown.find(|it| it.command.contains("--check=")).unwrap();
    let (_, both) = check(&simulated, &server.url, &["--days=60"]);
    let printed: BTreeSet<String> = both.lines().map(form).collect();
    let lines = shown.output.iter().filter(|line| !line.trim().is_empty());
    let lines: Vec<String> = lines.map(|line| form(line)).collect();
    assert!(lines.len() > 4, "{lines:?}");
    for line in lines {
        assert!(printed.contains(&line), "{line}\n{both}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_of_ninety_days_has_a_point_at_every_hour_to_the_present() {
    let simulated = Simulated::start();
    let output = simulated.folder().join("blocks");
    let end = now() - now().rem_euclid(300) - 300;
    stdout_of(&backfill(
        &simulated.config(),
        &output,
        &["--no-controls", "--tenant=northwind"],
    ));
    let server = Server::start(&simulated, "127.0.0.1:1").await;
    server.wait_for("vector(1)").await;
    let start = end - 89 * DAY;
    let form = [
        (
            "query",
            "secure_score_tenant_score / secure_score_tenant_max_score".to_owned(),
        ),
        ("start", start.to_string()),
        ("end", end.to_string()),
        ("step", "3600".to_owned()),
    ];
    let api = format!("{}/api/v1/query_range", server.url);
    let url = reqwest::Url::parse_with_params(&api, form).unwrap();
    let answer = server.http.get(url).send().await.unwrap().bytes().await;
    let answer: Value = serde_json::from_slice(&answer.unwrap()).unwrap();
    let result = answer["data"]["result"].as_array().unwrap();
    assert_eq!(result.len(), 1, "{answer}");
    let points = result[0]["values"].as_array().unwrap();
    assert_eq!(points.len(), 89 * 24 + 1);
}

/// Prometheus takes the end of the newest block for the end of what is stored, unless
/// the block says otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_scraped_before_the_blocks_came_is_there_after_a_restart() {
    let simulated = Simulated::start();
    let output = simulated.folder().join("blocks");
    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &simulated.config(),
    ]);
    let address = exporter.word_after("address=");
    let mut server = Server::start(&simulated, &address).await;
    server.wait_for("count_over_time(up[10m]) >= 16").await;
    let began = now();
    // Less than the age of the first scrape.
    let flags = [
        "--no-controls",
        "--days=1",
        "--step=10s",
        "--tenant=northwind",
    ];
    stdout_of(&backfill(&simulated.config(), &output, &flags));
    let newest = fs::read_dir(&output).unwrap().filter_map(|entry| {
        let meta = fs::read(entry.unwrap().path().join("meta.json")).ok()?;
        let meta: Value = serde_json::from_slice(&meta).unwrap();
        meta["maxTime"].as_i64()
    });
    let scraped = format!("count_over_time(up[10m] @ {began}) >= 10");
    assert!(
        newest.max().unwrap() > (began - 10) * 1_000,
        "it overlaps the scrapes"
    );
    assert_eq!(server.process.terminate(), Some(0));
    let server = Server::start(&simulated, &address).await;
    server
        .wait_for("secure_score_tenant_score{job=\"\"} or vector(1)")
        .await;
    server
        .wait_for("count(secure_score_tenant_score{job=\"\"} offset 3m)")
        .await;
    assert_eq!(server.query(&scraped).await.len(), 1, "{scraped}");
}
