//! Three exporters, a Prometheus that discovers their tenants, and a store for
//! years behind it.

use super::choice::Choice;
use super::page::Page;
use crate::process::{Process, free_port, program};
use crate::simulated::Simulated;
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(120);

const TENANTS: usize = 5;
const SHARDS: usize = 3;

struct Chain {
    folder: tempfile::TempDir,
    _simulated: Simulated,
    exporters: Vec<(Process, String)>,
    prometheus: Process,
    victoria: Process,
    http: reqwest::Client,
    prometheus_url: String,
    victoria_url: String,
}

impl Chain {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let simulated = Simulated::start();
        label_contoso(&simulated.config());
        let exporters: Vec<_> = (0..SHARDS)
            .map(|shard| exporter(&simulated.config(), shard))
            .collect();
        let (prometheus_port, victoria_port) = (free_port(), free_port());
        let victoria = Process::start(
            Command::new(program("victoria-metrics", "victoria-metrics"))
                .arg(format!("-storageDataPath={}", at("victoria")))
                .arg(format!("-httpListenAddr=127.0.0.1:{victoria_port}"))
                .args(["-search.latencyOffset=0s", "-search.disableCache"]),
        );
        let addresses: Vec<&str> = exporters.iter().map(|(_, it)| it.as_str()).collect();
        fs::write(
            at("prometheus.yml"),
            prometheus_config(&addresses, victoria_port),
        )
        .unwrap();
        let prometheus = Process::start(
            Command::new(program("prometheus", "prometheus"))
                .arg(format!("--config.file={}", at("prometheus.yml")))
                .arg(format!("--storage.tsdb.path={}", at("prometheus")))
                .arg(format!("--web.listen-address=127.0.0.1:{prometheus_port}")),
        );
        Self {
            folder,
            _simulated: simulated,
            exporters,
            prometheus,
            victoria,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            prometheus_url: format!("http://127.0.0.1:{prometheus_port}"),
            victoria_url: format!("http://127.0.0.1:{victoria_port}"),
        }
    }

    /// What an instant query finds; nothing while the server is starting.
    async fn find(&self, server: &str, query: &str) -> Result<Vec<Value>, String> {
        let api = format!("{server}/api/v1/query");
        let url = reqwest::Url::parse_with_params(&api, [("query", query)]).unwrap();
        let answer = self.http.get(url).send().await.map_err(|e| e.to_string())?;
        let body = answer.text().await.map_err(|e| e.to_string())?;
        let answer: Value = serde_json::from_str(&body).map_err(|_| body)?;
        match answer["data"]["result"].as_array() {
            Some(found) => Ok(found.clone()),
            None => Err(answer["error"].to_string()),
        }
    }

    /// Waits until a query gives this one number.
    async fn until(&self, server: &str, query: &str, number: usize) {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let found = self.find(server, query).await;
            let value = |found: &Vec<Value>| found.first().map(|it| it["value"][1].clone());
            if found.as_ref().ok().and_then(value) == Some(json!(number.to_string())) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{query} is not {number} but {found:?}\n{}\n{}",
                self.prometheus.output(),
                self.victoria.output()
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

fn exporter(config: &str, shard: usize) -> (Process, String) {
    let process = Process::exporter(&[
        "--config.file",
        config,
        "--web.listen-address=127.0.0.1:0",
        "--shard",
        &shard.to_string(),
        "--total-shards",
        &SHARDS.to_string(),
    ]);
    let address = process.word_after("address=");
    (process, address)
}

fn label_contoso(config: &str) {
    let written = fs::read_to_string(config).unwrap();
    let name = "  - name: contoso\n";
    assert!(written.contains(name));
    let labelled = format!("{name}    labels: {{team: emea}}\n");
    fs::write(config, written.replace(name, &labelled)).unwrap();
}

/// The tenants by discovery, the exporters' own families beside them, both as
/// the job the rules know.
fn prometheus_config(exporters: &[&str], victoria: u16) -> String {
    let discover = exporters.iter().map(
        |address| json!({"url": format!("http://{address}/sd/tenants"), "refresh_interval": "1s"}),
    );
    json!({
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {"job_name": "secure-score", "http_sd_configs": discover.collect::<Vec<_>>()},
            {
                "job_name": "secure-score-exporter",
                "params": {"tenant[]": [""]},
                "static_configs": [{"targets": exporters}],
                "relabel_configs": [{"target_label": "job", "replacement": "secure-score"}],
            },
        ],
        "remote_write": [{
            "url": format!("http://127.0.0.1:{victoria}/api/v1/write"),
            "queue_config": {"batch_send_deadline": "1s"},
        }],
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tenant_is_discovered_once_and_reaches_the_store_of_years() {
    let chain = Chain::start();
    let prometheus = &chain.prometheus_url;
    for (query, number) in [
        ("count(secure_score_tenant_info)", TENANTS),
        (
            "count(count by (tenant) (secure_score_tenant_info))",
            TENANTS,
        ),
        ("count(up{job=\"secure-score\"} == 1)", TENANTS + SHARDS),
        (
            "count(secure_score_tenant_info{team=\"emea\",tenant=\"contoso\"})",
            1,
        ),
        (
            "count(secure_score_exporter_shard{job=\"secure-score\"})",
            SHARDS,
        ),
        (
            "count(secure_score_control_score{exported_tenant!=\"\"}) or vector(0)",
            0,
        ),
    ] {
        chain.until(prometheus, query, number).await;
    }
    for (_, address) in &chain.exporters {
        let body = chain.http.get(format!("http://{address}/metrics")).send();
        let body = body.await.unwrap().text().await.unwrap();
        let of_controls = |line: &&str| line.starts_with("secure_score_control_score{");
        let controls = body.lines().filter(of_controls).count();
        let query =
            format!("count(secure_score_control_score{{instance=~\"{address}/.*\"}}) or vector(0)");
        chain.until(prometheus, &query, controls).await;
    }
    let complaints = chain.prometheus.output();
    assert!(!complaints.contains("ngesting"), "{complaints}");

    chain
        .until(
            &chain.victoria_url,
            "count(secure_score_tenant_info)",
            TENANTS,
        )
        .await;
    every_panel_is_answered(&chain).await;
    chain.folder.close().unwrap();
}

/// The store behind finds as many things as the Prometheus before it.
async fn every_panel_is_answered(chain: &Chain) {
    let pages = Page::all();
    let fleet = pages.iter().find(|page| page.uid() == "secure-score-fleet");
    let queries = fleet.expect("there is a fleet").queries();
    assert!(queries.len() > 20, "{} queries", queries.len());
    let deadline = Instant::now() + TIMEOUT;
    let mut answered = 0;
    for query in queries {
        let expr = Choice::ALL.fill(&query.expr);
        loop {
            let before = chain.find(&chain.prometheus_url, &expr).await.unwrap();
            let behind = chain.find(&chain.victoria_url, &expr).await;
            let same = behind.as_ref().is_ok_and(|it| it.len() == before.len());
            if same {
                answered += usize::from(!before.is_empty());
                break;
            }
            assert!(
                Instant::now() < deadline,
                "{}: {expr}\n{before:?}\n{behind:?}",
                query.place
            );
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    assert!(answered > 10, "only {answered} queries found anything");
}
