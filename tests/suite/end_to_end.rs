//! The whole way with the real programs: the embedded Graph, the exporter,
//! Debian's Prometheus and Alertmanager, and a sink for what they send.

use crate::process::{Process, free_port, program};
use crate::sink::{Notification, Sink};
use crate::world::value;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Far more than detection takes: refreshes every 10 s, scrapes every second.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long silence is watched where silence is the point.
const SILENCE: Duration = Duration::from_secs(25);

const CONTROL: &str = "UserRiskPolicy";
const ACTOR: &str = "dana.admin@contoso.example";
const COMMENT: &str = "migration week";

struct Stage {
    _folder: tempfile::TempDir,
    simulator: Process,
    exporter: Process,
    _prometheus: Process,
    _alertmanager: Process,
    sink: Sink,
    http: reqwest::Client,
    control: String,
    metrics: String,
    prometheus_url: String,
}

impl Stage {
    async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let sink = Sink::start().await;

        let simulator = Process::exporter(&[
            "simulate",
            "--quiet",
            "--listen-address=127.0.0.1:0",
            "--control.listen-address=127.0.0.1:0",
            "--config-dir",
            &at("exporter"),
        ]);
        let control = simulator.word_after("control API ");
        simulator.word_after("configuration ");

        let exporter = Process::exporter(&[
            "--config.file",
            &at("exporter/secure-score.yml"),
            "--web.listen-address=127.0.0.1:0",
        ]);
        let address = exporter.word_after("address=");

        let alertmanager_port = free_port();
        fs::write(
            folder.path().join("alertmanager.yml"),
            alertmanager_config(&sink),
        )
        .unwrap();
        let alertmanager = Process::start(
            Command::new(program(
                "prometheus-alertmanager",
                "prometheus-alertmanager",
            ))
            .arg(format!("--config.file={}", at("alertmanager.yml")))
            .arg(format!("--storage.path={}", at("alertmanager")))
            .arg(format!(
                "--web.listen-address=127.0.0.1:{alertmanager_port}"
            ))
            .arg("--cluster.listen-address="),
        );

        let prometheus_port = free_port();
        fs::write(folder.path().join("rules.yml"), hurried_rules()).unwrap();
        let config = prometheus_config(&address, &at("rules.yml"), alertmanager_port);
        fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        let prometheus = Process::start(
            Command::new(program("prometheus", "prometheus"))
                .arg(format!("--config.file={}", at("prometheus.yml")))
                .arg(format!("--storage.tsdb.path={}", at("prometheus")))
                .arg(format!("--web.listen-address=127.0.0.1:{prometheus_port}")),
        );

        let stage = Self {
            simulator,
            exporter,
            _prometheus: prometheus,
            _alertmanager: alertmanager,
            sink,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            control,
            metrics: format!("http://{address}/metrics"),
            prometheus_url: format!("http://127.0.0.1:{prometheus_port}"),
            _folder: folder,
        };
        stage.wait_until_watched().await;
        stage
    }

    /// Prometheus holds every tenant's flags.
    async fn wait_until_watched(&self) {
        let query =
            format!("count(secure_score_control_risk_accepted{{control=\"{CONTROL}\"}}) == 5");
        self.wait_for(&query).await;
    }

    async fn wait_for(&self, query: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.query(query).await.is_empty() {
            assert!(
                Instant::now() < deadline,
                "never true: {query}\n{}\n{}",
                self.exporter.output(),
                self.simulator.output()
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The samples of an instant query; none while Prometheus is starting.
    async fn query(&self, query: &str) -> Vec<Value> {
        let api = format!("{}/api/v1/query", self.prometheus_url);
        let url = reqwest::Url::parse_with_params(&api, [("query", query)]).unwrap();
        let asked = self.http.get(url).send().await;
        let Ok(answer) = asked else {
            return Vec::new();
        };
        let body = answer.text().await.unwrap_or_default();
        let answer: Value = serde_json::from_str(&body).unwrap_or_default();
        answer["data"]["result"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    async fn administrator(&self, deed: &str, words: Value) {
        let url = format!("{}/tenants/contoso/controls/{CONTROL}/{deed}", self.control);
        let body = words.to_string();
        let answer = self.http.post(url).body(body).send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{deed}: {}",
            answer.text().await.unwrap()
        );
    }

    async fn notified(&self, status: &str) -> Notification {
        let ours = |n: &Notification| {
            n.alert == "SecureScoreRiskAccepted"
                && n.status == status
                && n.label("control") == CONTROL
        };
        self.sink
            .wait(PATIENCE, ours)
            .await
            .unwrap_or_else(|| panic!("no {status} notification; seen: {:#?}", self.sink.seen()))
    }
}

/// The rules as they are shipped, evaluated each second instead of each minute.
fn hurried_rules() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts/secure-score.rules.yml");
    let rules = fs::read_to_string(file).unwrap();
    assert!(rules.contains("interval: 1m"));
    rules.replace("interval: 1m", "interval: 1s")
}

fn prometheus_config(exporter: &str, rules: &str, alertmanager_port: u16) -> String {
    json!({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [rules],
        "alerting": {"alertmanagers": [{"static_configs": [
            {"targets": [format!("127.0.0.1:{alertmanager_port}")]}
        ]}]},
        "scrape_configs": [{"job_name": "secure-score", "static_configs": [{"targets": [exporter]}]}]
    })
    .to_string()
}

/// One receiver, and no patience: what Alertmanager gets it passes on at once.
fn alertmanager_config(sink: &Sink) -> String {
    json!({
        "route": {
            "receiver": "sink", "group_by": ["alertname", "tenant", "control"],
            "group_wait": "1s", "group_interval": "1s", "repeat_interval": "1h"
        },
        "receivers": [{"name": "sink", "webhook_configs": [{"url": sink.url(), "send_resolved": true}]}]
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_reaches_a_person_and_its_withdrawal_too() {
    let stage = Stage::set().await;

    stage
        .administrator("accept", json!({"by": ACTOR, "comment": COMMENT}))
        .await;
    let fired = stage.notified("firing").await;
    assert_eq!(fired.label("tenant"), "contoso");
    assert_eq!(fired.label("category"), "Identity");
    assert_eq!(fired.label("severity"), "critical");
    let description = fired.annotation("description");
    assert!(description.contains(ACTOR), "who is missing: {description}");
    assert!(
        description.contains(COMMENT),
        "why is missing: {description}"
    );

    stage.administrator("revert", json!({"by": ACTOR})).await;
    stage.notified("resolved").await;

    let acceptances = stage
        .sink
        .seen()
        .iter()
        .filter(|n| {
            n.alert == "SecureScoreRiskAccepted"
                && n.status == "firing"
                && n.label("control") == CONTROL
        })
        .count();
    assert_eq!(acceptances, 1, "paged once: {:#?}", stage.sink.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_does_not_resolve_because_the_exporter_died() {
    let mut stage = Stage::set().await;
    stage
        .administrator("accept", json!({"by": ACTOR, "comment": COMMENT}))
        .await;
    stage.notified("firing").await;

    stage.exporter.kill();
    stage.wait_for("up{job=\"secure-score\"} == 0").await;
    let resolved =
        |n: &Notification| n.alert == "SecureScoreRiskAccepted" && n.status == "resolved";
    let heard = stage.sink.wait(SILENCE, resolved).await;
    assert!(heard.is_none(), "silence is not good news: {heard:#?}");
    let firing = stage.query("ALERTS{alertname=\"SecureScoreRiskAccepted\",tenant=\"contoso\",control=\"UserRiskPolicy\",alertstate=\"firing\"}").await;
    assert!(
        !firing.is_empty(),
        "the alert still fires without the exporter"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_takes_every_sample_of_the_body() {
    let stage = Stage::set().await;
    stage.wait_for("up{job=\"secure-score\"} == 1").await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let body = stage
            .http
            .get(&stage.metrics)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let samples = body
            .lines()
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
            .count();
        assert!(value(&body, r#"secure_score_up{tenant="contoso",api="profiles"}"#).is_some());
        let scraped = stage
            .query(&format!(
                "scrape_samples_scraped{{job=\"secure-score\"}} == {samples}"
            ))
            .await;
        if !scraped.is_empty() {
            return;
        }
        let last = stage.query("scrape_samples_scraped").await;
        assert!(
            Instant::now() < deadline,
            "the body has {samples} samples, Prometheus {last:?}"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn being_asked_to_stop_ends_with_success() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().display().to_string();
    let mut simulator = Process::exporter(&[
        "simulate",
        "--quiet",
        "--listen-address=127.0.0.1:0",
        "--control.listen-address=127.0.0.1:0",
        "--config-dir",
        &directory,
    ]);
    let file = simulator.word_after("configuration ");
    let mut exporter =
        Process::exporter(&["--config.file", &file, "--web.listen-address=127.0.0.1:0"]);
    let address = exporter.word_after("address=");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let healthy = http
        .get(format!("http://{address}/-/healthy"))
        .send()
        .await
        .unwrap();
    assert!(healthy.status().is_success());
    assert_eq!(exporter.terminate(), Some(0), "{}", exporter.output());
    assert_eq!(simulator.terminate(), Some(0), "{}", simulator.output());
}
