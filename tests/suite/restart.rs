//! A restart with a state directory: data is served at once and not fetched again.

use crate::process::Process;
use crate::simulated::{Simulated, run, text};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Counters, which start at 0 in each process.
const COUNTERS: [&str; 6] = [
    "secure_score_older_reports_total",
    "secure_score_graph_requests_total",
    "secure_score_token_attempts_total",
    "secure_score_token_failures_total",
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

/// Waits until both lists of all tenants, and those of the partner, are on the
/// disk; another thread writes them.
async fn until_written(state: &Path) {
    until_saved(state, &["\"profiles\":{", "\"scores\":{"]).await;
}

/// The same, and the scores of the past days.
async fn until_written_with_days(state: &Path) {
    until_saved(state, &["\"profiles\":{", "\"scores\":{", "\"read\":true"]).await;
}

async fn until_saved(state: &Path, parts: &[&str]) {
    for _ in 0..600 {
        let files = fs::read_dir(state)
            .unwrap()
            .map(|file| file.unwrap().path());
        let complete = files.filter(|file| {
            let is_state = file.extension().is_some_and(|kind| kind == "state");
            let all = |text: String| parts.iter().all(|part| text.contains(part));
            is_state && fs::read_to_string(file).is_ok_and(all)
        });
        let partner = fs::read_to_string(state.join("partner.partner"));
        let has_customers = partner.is_ok_and(|text| text.contains("\"customers\":["));
        if complete.count() == 5 && has_customers {
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
    until_written_with_days(&world.state).await;
    let before = get(&first, "/metrics").await.1;
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

/// The files of a tenant in the state directory.
fn files_of(state: &Path, tenant: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(state).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let is_of = |file: &PathBuf| file.to_string_lossy().contains(&format!("/{tenant}."));
    files.filter(is_of).collect()
}

/// Sets back when the files of a tenant were written, by 31 minutes.
fn age(state: &Path, tenant: &str) {
    for file in files_of(state, tenant) {
        let file = fs::OpenOptions::new().write(true).open(file).unwrap();
        let then = SystemTime::now() - Duration::from_secs(31 * 60);
        file.set_modified(then).unwrap();
    }
}

async fn until_deleted(state: &Path, tenant: &str) {
    for _ in 0..600 {
        if files_of(state, tenant).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{tenant} has {:?}", files_of(state, tenant));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_a_tenant_that_left_is_deleted() {
    let world = Restart::new();
    let (simulated, state) = (&world.simulated, &world.state);
    let mut first = world.exporter();
    until_ready(&first).await;
    until_written(state).await;
    let unusable = state.join("fabrikam.state.unusable");
    fs::write(&unusable, "damaged, with alex@fabrikam.example").unwrap();
    assert_eq!(files_of(state, "fabrikam").len(), 2);
    age(state, "fabrikam");
    age(state, "contoso");

    simulated.remove_tenant("fabrikam");
    first.hang_up();
    assert_eq!(first.word_after("added=0 removed="), "1");
    // The half hour counts from here, so that a mistake can be corrected.
    simulated.remove_tenant("adatum");
    first.hang_up();
    for _ in 0..600 {
        if first.output().matches("removed=1").count() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(files_of(state, "fabrikam").len(), 2);
    age(state, "fabrikam");
    first.hang_up();
    until_deleted(state, "fabrikam").await;
    assert_eq!(files_of(state, "adatum").len(), 1);
    assert_eq!(files_of(state, "contoso").len(), 1, "it is configured");
    first.terminate();

    // One that left while the exporter was stopped.
    simulated.remove_tenant("litware");
    age(state, "litware");
    let second = world.exporter();
    second.word_after("address=");
    until_deleted(state, "litware").await;
    assert_eq!(files_of(state, "contoso").len(), 1);
}

/// The lines about failures of a tenant, and its reasons on the status page.
async fn failures(exporter: &Process, tenant: &str) -> (Vec<String>, Vec<String>) {
    let metrics = get(exporter, "/metrics").await.1;
    let start = format!("secure_score_refresh_failures_total{{tenant=\"{tenant}\"");
    let lines = metrics.lines().filter(|line| line.starts_with(&start));
    let lines = lines.map(str::to_owned).collect();
    let page = get(exporter, &format!("/tenants/{tenant}")).await.1;
    let reasons = page.split("<strong class=\"bad\">").skip(1);
    let reasons = reasons.map(|rest| rest.split("</p>").next().unwrap().to_owned());
    (lines, reasons.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_keeps_its_reason_over_a_restart_and_a_fixed_cause_is_retried_at_once() {
    let world = Restart::new();
    let simulated = &world.simulated;
    let unknown = json!({"tenant": "contoso", "api": "token", "what": {"aadsts": 1_234_567}});
    let wait = json!({"throttle": {"retry_after": {"seconds": 1_800}}});
    let throttled = json!({"tenant": "fabrikam", "api": "profiles", "what": wait});
    simulated.inject(unknown).await;
    simulated.inject(throttled).await;
    let mut first = world.exporter();
    until_ready(&first).await;
    until_written(&world.state).await;
    let before = failures(&first, "fabrikam").await;
    let (lines, reasons) = &before;
    assert!(
        lines
            .iter()
            .any(|line| line.contains("throttled") && line.ends_with(" 1"))
    );
    assert!(reasons[0].starts_with("throttled"), "{reasons:?}");
    let (_, reasons) = failures(&first, "contoso").await;
    assert!(reasons[0].starts_with("token"), "{reasons:?}");
    first.kill();

    // The cause is still there: the failures go on.
    let mut second = world.exporter();
    second.word_after("reason=token failures=1");
    for _ in 0..600 {
        let (lines, _) = failures(&second, "contoso").await;
        if lines.iter().filter(|line| line.ends_with(" 2")).count() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (lines, reasons) = failures(&second, "contoso").await;
    assert_eq!(
        lines.iter().filter(|it| it.ends_with(" 2")).count(),
        2,
        "{lines:?}"
    );
    assert!(reasons[0].starts_with("token"), "{reasons:?}");
    assert_eq!(failures(&second, "fabrikam").await, before, "it waits");
    second.terminate();

    simulated.clear_faults().await;
    let third = world.exporter();
    for _ in 0..600 {
        if failures(&third, "contoso").await.1.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(failures(&third, "contoso").await.1, Vec::<String>::new());
    assert_eq!(
        failures(&third, "fabrikam").await,
        before,
        "Microsoft asked it to wait"
    );
}
