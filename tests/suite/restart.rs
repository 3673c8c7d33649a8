//! A restart with a state directory: data is served at once and not fetched again.

use crate::process::Process;
use crate::simulated::{Simulated, run, text};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Counters, which start at 0 in each process.
const COUNTERS: [&str; 5] = [
    "secure_score_refreshes_total",
    "secure_score_older_reports_total",
    "secure_score_graph_requests_total",
    "secure_score_token_requests_total",
    "secure_score_graph_throttled_total",
];

struct Restart {
    simulated: Simulated,
    state: PathBuf,
}

impl Restart {
    /// A simulator whose tenants are refreshed once an hour.
    fn new() -> Self {
        Self::at("profiles: 1h, scores: 2h")
    }

    /// A simulator whose tenants are refreshed at other intervals.
    fn at(intervals: &str) -> Self {
        let simulated = Simulated::start();
        let written = fs::read_to_string(simulated.config()).unwrap();
        let others = written.lines().filter(|line| !line.starts_with("refresh:"));
        let others: String = others.flat_map(|line| [line, "\n"]).collect();
        assert_ne!(others, written, "the intervals are on one line");
        let timed = format!("refresh: {{{intervals}}}\n{others}");
        fs::write(simulated.config(), timed).unwrap();
        Self {
            state: simulated.folder().join("state"),
            simulated,
        }
    }

    fn exporter(&self) -> Process {
        Process::exporter(&[
            "--web.listen-address=127.0.0.1:0",
            "--config.file",
            &self.simulated.config(),
            "--state.dir",
            &self.state.display().to_string(),
        ])
    }
}

async fn get(exporter: &Process, path: &str) -> (u16, String) {
    let address = exporter.word_after("address=");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("http://{address}{path}")).send().await;
    let answer = answer.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn until_ready(exporter: &Process) {
    for _ in 0..600 {
        if get(exporter, "/-/ready").await.0 == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not ready:\n{}", exporter.output());
}

/// Waits until both lists of all tenants are on the disk; another thread writes
/// them.
async fn until_written(state: &Path) {
    for _ in 0..600 {
        let files = fs::read_dir(state)
            .unwrap()
            .map(|file| file.unwrap().path());
        let complete = files.filter(|file| {
            let is_state = file.extension().is_some_and(|kind| kind == "state");
            let lists = ["\"profiles\":{", "\"scores\":{"];
            let all = |text: String| lists.iter().all(|list| text.contains(list));
            is_state && fs::read_to_string(file).is_ok_and(all)
        });
        if complete.count() == 5 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not all tenants were written");
}

/// The tenants' samples without the counters.
fn samples(metrics: &str) -> Vec<&str> {
    let lines = metrics.lines().filter(|line| {
        line.starts_with("secure_score_")
            && !line.starts_with("secure_score_exporter_")
            && !COUNTERS.iter().any(|name| line.starts_with(name))
    });
    lines.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_exporter_restarts_with_its_data_and_requests_nothing() {
    let world = Restart::new();
    let mut first = world.exporter();
    until_ready(&first).await;
    let before = get(&first, "/metrics").await.1;
    until_written(&world.state).await;
    first.kill();
    let requests = world.simulated.requests().await;

    let second = world.exporter();
    let (status, body) = get(&second, "/-/ready").await;
    assert_eq!(status, 200, "{body}");
    let after = get(&second, "/metrics").await.1;
    let (after, before) = (samples(&after), samples(&before));
    let lost: Vec<_> = before.iter().filter(|it| !after.contains(it)).collect();
    let new: Vec<_> = after.iter().filter(|it| !before.contains(it)).collect();
    assert!(before.len() > 1_000);
    assert!(after == before, "lost {lost:#?}, new {new:#?}");
    assert_eq!(
        world.simulated.requests().await,
        requests,
        "it requested again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_cannot_be_written_stops_no_refresh() {
    let world = Restart::new();
    for tenant in ["contoso", "fabrikam", "adatum", "litware", "northwind"] {
        let obstacle = world.state.join(format!("{tenant}.state.unfinished"));
        fs::create_dir_all(obstacle).unwrap();
    }
    let exporter = world.exporter();
    until_ready(&exporter).await;
    exporter.word_after("state cannot be written");
    let (status, metrics) = get(&exporter, "/metrics").await;
    assert_eq!(status, 200);
    let failures = "secure_score_exporter_state_write_failures_total ";
    let failures = metrics.lines().find_map(|line| line.strip_prefix(failures));
    assert!(failures.is_some_and(|count| count != "0"), "{failures:?}");
}

#[test]
fn a_state_directory_in_use_is_rejected_with_a_hint() {
    let world = Restart::new();
    let first = world.exporter();
    first.word_after("address=");
    let state = world.state.display().to_string();
    let second = run(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &world.simulated.config(),
        "--state.dir",
        &state,
    ]);
    let stderr = text(&second.stderr);
    assert!(!second.status.success());
    assert!(
        stderr.contains("another process uses the state directory") && stderr.contains("hint: "),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_repeats_no_event_and_loses_none() {
    let world = Restart::at("profiles: 10s, scores: 1h");
    let accept = |control: &'static str| {
        let acceptance = json!({"by": "alex@contoso.example", "comment": "why"});
        world.simulated.accept("contoso", control, acceptance)
    };
    let events = |exporter: &Process, control: &str| {
        let log = exporter.output();
        let lines = log.lines().filter(|line| {
            line.contains("event=state_changed") && line.contains(&format!("control={control} "))
        });
        lines.count()
    };
    accept("AdminMFAV2").await;
    let mut first = world.exporter();
    until_ready(&first).await;
    assert_eq!(events(&first, "AdminMFAV2"), 1, "{}", first.output());
    until_written(&world.state).await;
    first.terminate();

    accept("SigninRiskPolicy").await;
    let second = world.exporter();
    second.word_after("control=SigninRiskPolicy");
    assert_eq!(events(&second, "SigninRiskPolicy"), 1);
    assert_eq!(events(&second, "AdminMFAV2"), 0, "{}", second.output());
}
