//! The Alertmanager configurations in Debian's Alertmanager.

use super::lint::{known, labels};
use super::promql::Known;
use super::routing::{configuration, strings, takes};
use super::rules::{Rule, alerts};
use super::{read, root};
use crate::process::{Process, free_port, program};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// Far more than a start or an inhibition takes.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A text of the templates for alerts with these sentences.
fn rendered(template: &str, sentences: &[&str]) -> String {
    let alerts = sentences.iter().map(|sentence| {
        json!({
            "status": "firing",
            "labels": {"alertname": "SecureScoreRiskAccepted", "severity": "critical"},
            "annotations": {"summary": sentence, "description": "No decision approves it."},
            "startsAt": "2026-11-23T08:15:30Z",
        })
    });
    let data = json!({"status": "firing", "alerts": alerts.collect::<Vec<_>>()});
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.json");
    fs::write(&file, data.to_string()).unwrap();
    let templates = root().join("alerts/templates/*.tmpl");
    let output = Command::new(program("amtool", "prometheus-alertmanager"))
        .args(["template", "render"])
        .arg(format!("--template.glob={}", templates.display()))
        .arg(format!(
            "--template.text={{{{ template \"{template}\" . }}}}"
        ))
        .arg(format!("--template.data={}", file.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Beside the subject of a mail and the title of a card.
#[test]
fn a_mail_and_a_card_say_each_sentence_once() {
    let (first, second) = ("contoso: a risk was accepted", "fabrikam: the same");
    for sentences in [&[first][..], &[first, second]] {
        let mail = rendered("secure_score.html", sentences);
        let (_, body) = mail.split_once("<body").unwrap();
        for sentence in sentences {
            assert_eq!(body.matches(sentence).count(), 1, "{body}");
        }
        assert!(mail.contains(&format!(
            "<h1 style=\"font-size: 1.2em; margin: 0\">{first}</h1>"
        )));
        let card = rendered("secure_score.teams.text", sentences);
        let is_title = sentences.len() == 1;
        assert_eq!(card.contains(first), !is_title, "{card}");
        assert_eq!(card.matches("No decision").count(), sentences.len());
    }
}

struct Alertmanager {
    process: Process,
    url: String,
    http: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Alertmanager {
    /// Runs with a configuration of this project, once its secrets exist.
    async fn start(path: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::write(at("secret"), "a secret").unwrap();
        let templates = root().join("alerts/templates").display().to_string();
        let lines: Vec<String> = read(&root().join(path))
            .lines()
            .map(|line| match line.split_once("/etc/alertmanager/secrets/") {
                Some((before, _)) => format!("{before}{}", at("secret")),
                None => line.replace("'templates/", &format!("'{templates}/")),
            })
            .collect();
        fs::write(at("alertmanager.yml"), lines.join("\n")).unwrap();
        let port = free_port();
        let name = "prometheus-alertmanager";
        let process = Process::start(
            Command::new(program(name, name))
                .arg(format!("--config.file={}", at("alertmanager.yml")))
                .arg(format!("--storage.path={}", at("data")))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg("--cluster.listen-address="),
        );
        let alertmanager = Self {
            process,
            url: format!("http://127.0.0.1:{port}"),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            _folder: folder,
        };
        alertmanager
            .wait(path, async |it| {
                let ready = it.http.get(format!("{}/-/ready", it.url)).send().await;
                ready.is_ok_and(|answer| answer.status().is_success())
            })
            .await;
        alertmanager
    }

    async fn wait(&self, what: &str, is_true: impl AsyncFn(&Self) -> bool) {
        let deadline = Instant::now() + TIMEOUT;
        while !is_true(self).await {
            let output = self.process.output();
            assert!(Instant::now() < deadline, "never true: {what}\n{output}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn post(&self, alerts: &[&Value]) {
        let alerts: Vec<Value> = alerts.iter().map(|it| json!({"labels": it})).collect();
        let request = self.http.post(format!("{}/api/v2/alerts", self.url));
        let request = request.header("content-type", "application/json");
        let answer = request.body(json!(alerts).to_string()).send().await;
        assert!(answer.unwrap().status().is_success());
    }

    /// Whether an alert is muted; nothing while it is not known.
    async fn is_muted(&self, labels: &Value) -> Option<bool> {
        let answer = self.http.get(format!("{}/api/v2/alerts", self.url));
        let body = answer.send().await.ok()?.text().await.ok()?;
        let all: Value = serde_json::from_str(&body).ok()?;
        let mut all = all.as_array()?.iter();
        let alert = all.find(|alert| alert["labels"] == *labels)?;
        Some(alert["status"]["state"] == "suppressed")
    }
}

#[tokio::test]
async fn alertmanager_starts_without_a_warning() {
    for path in [
        "alerts/alertmanager.yml",
        "alerts/alertmanager.msp.yml",
        "deploy/compose/alertmanager.yml",
    ] {
        let output = Alertmanager::start(path).await.process.output();
        for level in ["level=warn", "level=error"] {
            assert!(!output.to_lowercase().contains(level), "{path}:\n{output}");
        }
    }
}

/// An alert as Prometheus sends it, with the external label of a cluster.
fn alert(rule: &Rule, known: &Known, cluster: Option<&str>) -> Value {
    let mut all = json!({"alertname": rule.name(), "severity": rule.severity()});
    for label in labels(rule, known) {
        all[&label] = format!("the {label}").into();
    }
    if let Some(cluster) = cluster {
        all["cluster"] = cluster.into();
    }
    all
}

/// Posts the first alerts and waits until the last is muted: none of `others` is.
async fn expect(rule: &Value, source: &Value, others: &[&Value], muted: &Value) {
    let alertmanager = Alertmanager::start("alerts/alertmanager.yml").await;
    alertmanager
        .post(&[&[source, muted], others].concat())
        .await;
    let what = format!("{source} mutes {muted}, by {rule}");
    alertmanager
        .wait(&what, async |it| it.is_muted(muted).await == Some(true))
        .await;
    for other in others {
        let is_muted = alertmanager.is_muted(other).await;
        assert_eq!(is_muted, Some(false), "{source} mutes {other}, by {rule}");
    }
}

#[tokio::test]
async fn an_alert_mutes_those_of_its_own_cluster_only() {
    let (alerts, known) = (alerts(), known());
    let rules = configuration("alertmanager.yml")["inhibit_rules"].clone();
    for rule in rules.as_array().unwrap() {
        let first = |which: &str| {
            let matchers = strings(&rule[which]);
            alerts.iter().find(|it| takes(&matchers, it)).unwrap()
        };
        let source = |cluster| alert(first("source_matchers"), &known, cluster);
        let target = |cluster| alert(first("target_matchers"), &known, cluster);
        let (eu, us, without) = (target(Some("eu")), target(Some("us")), target(None));
        expect(rule, &source(Some("eu")), &[&us, &without], &eu).await;
        expect(rule, &source(None), &[&us], &without).await;
    }
}
