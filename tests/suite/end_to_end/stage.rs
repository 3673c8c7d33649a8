//! The programs, started and connected, with the files that are shipped.

use super::mail_sink::MailSink;
use super::web_sink::WebSink;
use crate::process::{Process, free_port, program};
use crate::simulated::Simulated;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Far more than anything here takes: refreshes every 10 s, scrapes every
/// second.
const TIMEOUT: Duration = Duration::from_secs(120);

/// What Alertmanager must show before a mail is taken.
const PASSWORD: &str = "a password out of a file";

pub(super) struct Stage {
    folder: tempfile::TempDir,
    pub(super) simulated: Simulated,
    pub(super) exporter: Process,
    /// PagerDuty and the ticket system.
    pub(super) web: WebSink,
    pub(super) mail: MailSink,
    pub(super) http: reqwest::Client,
    pub(super) metrics: String,
    prometheus_url: String,
    servers: Vec<Process>,
}

/// What differs between stages.
pub(super) struct Setting<'a> {
    /// How many tenants can be read.
    pub(super) read_tenants: usize,
    /// The interval of the rules of acceptances.
    pub(super) acceptances: &'a str,
    /// Whether tickets are sent outside office hours too.
    pub(super) at_any_hour: bool,
    /// The thresholds of alerts that differ from the default.
    pub(super) thresholds: &'a [(&'a str, f64)],
    /// Further flags of the exporter.
    pub(super) flags: &'a [&'a str],
}

impl Default for Setting<'_> {
    fn default() -> Self {
        Self {
            read_tenants: 5,
            acceptances: "1s",
            at_any_hour: false,
            thresholds: &[],
            flags: &[],
        }
    }
}

impl Stage {
    /// Everything runs, and Prometheus holds every tenant's flags.
    pub(super) async fn set() -> Self {
        Self::around(Simulated::start(), &Setting::default()).await
    }

    /// The same with another interval for the rules of acceptances.
    pub(super) async fn evaluating_acceptances_every(interval: &str) -> Self {
        let setting = Setting {
            acceptances: interval,
            ..Setting::default()
        };
        Self::around(Simulated::start(), &setting).await
    }

    /// The same with tickets outside office hours too.
    pub(super) async fn at_any_hour() -> Self {
        let setting = Setting {
            at_any_hour: true,
            ..Setting::default()
        };
        Self::around(Simulated::start(), &setting).await
    }

    /// The same for a simulator, whose configuration the exporter reads.
    pub(super) async fn around(simulated: Simulated, setting: &Setting<'_>) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let file = simulated.config();
        let listen = format!("--web.listen-address={address}");
        let own = ["--config.file", &file, &listen];
        let exporter = Process::exporter(&[&own[..], setting.flags].concat());
        exporter.word_after("address=");
        let mut stage = Self {
            folder: tempfile::tempdir().unwrap(),
            simulated,
            exporter,
            web: WebSink::start().await,
            mail: MailSink::start(PASSWORD).await,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            metrics: format!("http://{address}/metrics"),
            prometheus_url: String::new(),
            servers: Vec::new(),
        };
        let alertmanager = stage.start_alertmanager(setting);
        stage.start_prometheus(&address, alertmanager, setting);
        let flags = "secure_score_control_watched{control=\"UserRiskPolicy\"}";
        let tenants = setting.read_tenants;
        stage
            .wait_for(&format!("count({flags}) == {tenants}"))
            .await;
        stage
    }

    fn write(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    fn start_alertmanager(&mut self, setting: &Setting<'_>) -> u16 {
        self.write("secrets/smtp-password", PASSWORD);
        self.write("secrets/pagerduty-routing-key", "a routing key");
        self.write("secrets/tickets-token", "a token");
        let config = self.write("alertmanager.yml", &self.alertmanager_config(setting));
        let port = free_port();
        let storage = self.folder.path().join("alertmanager");
        let name = "prometheus-alertmanager";
        self.servers.push(Process::start(
            Command::new(program(name, name))
                .arg(format!("--config.file={config}"))
                .arg(format!("--storage.path={}", storage.display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg("--cluster.listen-address="),
        ));
        port
    }

    /// The configuration that is shipped, with the sinks in place of the
    /// servers and with shorter intervals.
    fn alertmanager_config(&self, setting: &Setting<'_>) -> String {
        let web = self.web.address();
        let templates = root().join("alerts/templates").display().to_string();
        let secrets = self.folder.path().join("secrets").display().to_string();
        let mut config = shipped("alertmanager.yml");
        let hours: &[(&str, &str)] = match setting.at_any_hour {
            true => &[
                ("'monday:friday'", "'sunday:saturday'"),
                ("'08:00'", "'00:00'"),
                ("'18:00'", "'24:00'"),
            ],
            false => &[],
        };
        let sinks = [
            ("smtp.example:587", self.mail.address()),
            ("smtp_require_tls: true", "smtp_require_tls: false"),
            (
                "https://events.pagerduty.com/v2/enqueue",
                &format!("http://{web}/pagerduty"),
            ),
            (
                "https://tickets.example/hooks/alertmanager",
                &format!("http://{web}/tickets"),
            ),
            ("/etc/alertmanager/secrets", &secrets),
            ("'templates/", &format!("'{templates}/")),
            ("group_wait: 30s", "group_wait: 1s"),
            ("group_wait: 5m", "group_wait: 1s"),
            ("group_interval: 5m", "group_interval: 1s"),
        ];
        for (shipped, here) in sinks.iter().chain(hours) {
            assert!(config.contains(shipped), "{shipped} is not there any more");
            config = config.replace(shipped, here);
        }
        config
    }

    fn start_prometheus(&mut self, exporter: &str, alertmanager: u16, setting: &Setting<'_>) {
        let rules = self.write("rules.yml", &hurried_rules(setting.acceptances));
        let thresholds = self.write("thresholds.yml", &threshold_rules(setting.thresholds));
        let config = json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [rules, thresholds],
            "alerting": {"alertmanagers": [{"static_configs": [
                {"targets": [format!("127.0.0.1:{alertmanager}")]}
            ]}]},
            "scrape_configs": [
                {"job_name": "secure-score", "static_configs": [{"targets": [exporter]}]}
            ]
        });
        let config = self.write("prometheus.yml", &config.to_string());
        let port = free_port();
        let storage = self.folder.path().join("prometheus");
        self.servers.push(Process::start(
            Command::new(program("prometheus", "prometheus"))
                .arg(format!("--config.file={config}"))
                .arg(format!("--storage.tsdb.path={}", storage.display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}")),
        ));
        self.prometheus_url = format!("http://127.0.0.1:{port}");
    }

    pub(super) async fn wait_for(&self, query: &str) {
        let deadline = Instant::now() + TIMEOUT;
        while self.query(query).await.is_empty() {
            assert!(
                Instant::now() < deadline,
                "never true: {query}\n{}",
                self.output()
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until something can be found in a sink.
    pub(super) async fn wait<T>(&self, what: &str, find: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(found) = find(self) {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "never came: {what}\n{}",
                self.output()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The output of every program, for a failed test.
    fn output(&self) -> String {
        let programs = self.servers.iter().chain([&self.exporter]);
        let outputs = programs
            .map(Process::output)
            .chain([self.simulated.output()]);
        outputs.collect::<Vec<_>>().join("\n---\n")
    }

    /// The samples of an instant query; none while Prometheus is starting.
    pub(super) async fn query(&self, query: &str) -> Vec<Value> {
        let answer = self.prometheus("query", &[("query", query)]).await;
        let samples = answer["data"]["result"].as_array();
        samples.cloned().unwrap_or_default()
    }

    /// An answer of Prometheus' API; null while it is starting.
    async fn prometheus(&self, endpoint: &str, query: &[(&str, &str)]) -> Value {
        let api = format!("{}/api/v1/{endpoint}", self.prometheus_url);
        let url = reqwest::Url::parse_with_params(&api, query).unwrap();
        let Ok(answer) = self.http.get(url).send().await else {
            return Value::Null;
        };
        let body = answer.text().await.unwrap_or_default();
        serde_json::from_str(&body).unwrap_or_default()
    }

    /// Requests every page of the exporter to which a text links, and returns their
    /// paths.
    pub(super) async fn followed(&self, text: &str) -> Vec<String> {
        let base = self.metrics.replace("/metrics", "");
        let mut paths = Vec::new();
        for rest in text.split(&base).skip(1) {
            let ends = |it: char| it.is_whitespace() || "\"<>)\\".contains(it);
            let path = rest.split(ends).next().unwrap_or_default();
            let path = path.replace("&amp;", "&");
            let answer = self.http.get(format!("{base}{path}")).send().await;
            assert_eq!(answer.unwrap().status(), 200, "{path} of {text}");
            paths.push(path);
        }
        paths
    }

    /// Returns as soon as the rules of acceptances were evaluated again.
    pub(super) async fn next_evaluation(&self) {
        let mut before = None;
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let rules = self.prometheus("rules", &[]).await;
            let mut groups = rules["data"]["groups"].as_array().into_iter().flatten();
            let group = groups.find(|group| group["name"] == "secure-score-acceptance");
            let last = group.and_then(|group| group["lastEvaluation"].as_str());
            let last = last.filter(|time| !time.starts_with("0001-"));
            let is_new = before.is_some_and(|before| before != last.map(str::to_owned));
            if is_new && last.is_some() {
                return;
            }
            before = Some(last.map(str::to_owned));
            assert!(Instant::now() < deadline, "never evaluated: {rules}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// An administrator of contoso does something to a control.
    pub(super) async fn administrator(&self, deed: &str, control: &str, words: Value) {
        let path = format!("tenants/contoso/controls/{control}/{deed}");
        self.simulated.post(&path, words).await;
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shipped(name: &str) -> String {
    fs::read_to_string(root().join("alerts").join(name)).unwrap()
}

/// The rules as they are shipped; where they wait for minutes, seconds. But for
/// the alert that there is no target: on a busy machine a Prometheus that has
/// just begun has none for seconds.
fn hurried_rules(acceptances: &str) -> String {
    let group = "- name: secure-score-acceptance\n    interval: ";
    let rules = shipped("secure-score.rules.yml");
    assert!(rules.contains(&format!("{group}1m\n")));
    let rules = rules.replace(&format!("{group}1m"), &format!("{group}{acceptances}"));
    let mut hurried = String::new();
    let mut is_patient = false;
    for line in rules.lines() {
        let words = line.trim_start();
        if let Some(alert) = words.strip_prefix("- alert: ") {
            is_patient = alert == "SecureScoreExporterAbsent";
        }
        let waits = ["interval: ", "for: ", "keep_firing_for: "];
        let minutes = waits.iter().any(|key| words.starts_with(key)) && line.ends_with('m');
        let line = match minutes && !is_patient {
            true => line.replace('m', "s"),
            false => line.to_owned(),
        };
        hurried.push_str(&line);
        hurried.push('\n');
    }
    assert!(hurried.contains("interval: 1s") && hurried.contains("for: 5s"));
    hurried
}

/// Rules that replace thresholds, as a user writes them.
fn threshold_rules(thresholds: &[(&str, f64)]) -> String {
    let rule = |(threshold, value): &(&str, f64)| {
        json!({
            "record": "fleet:secure_score_threshold:override",
            "expr": format!("vector({value})"),
            "labels": {"threshold": threshold},
        })
    };
    let rules: Vec<Value> = thresholds.iter().map(rule).collect();
    json!({"groups": [{"name": "own", "interval": "1s", "rules": rules}]}).to_string()
}
