//! Several exporters that divide the tenants.

use crate::process::Process;
use crate::simulated::{Simulated, run, text};
use std::time::Duration;

/// The lines of all controls and tenants, sorted, once every list was tried.
async fn samples(simulated: &Simulated, flags: &[&str]) -> Vec<String> {
    let config = simulated.config();
    let mut arguments = vec!["--web.listen-address=127.0.0.1:0", "--config.file", &config];
    arguments.extend(flags);
    let exporter = Process::exporter(&arguments);
    let address = exporter.word_after("address=");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..600 {
        let ready = http.get(format!("http://{address}/-/ready")).send().await;
        if ready.unwrap().status().is_success() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let metrics = http.get(format!("http://{address}/metrics")).send().await;
    let metrics = metrics.unwrap().text().await.unwrap();
    let of_the_answers = [
        "secure_score_control_",
        "secure_score_tenant_",
        "secure_score_category_",
    ];
    let mut samples: Vec<String> = metrics
        .lines()
        .filter(|line| of_the_answers.iter().any(|name| line.starts_with(name)))
        .map(str::to_owned)
        .collect();
    samples.sort();
    samples
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shares_together_are_the_whole() {
    let simulated = Simulated::start();
    let whole = samples(&simulated, &[]).await;
    assert!(whole.len() > 1_000, "only {} samples", whole.len());
    let mut together = Vec::new();
    for index in ["0", "1", "2"] {
        let share = samples(&simulated, &["--shard", index, "--total-shards=3"]).await;
        assert!(share.len() < whole.len(), "{index} watches every tenant");
        together.extend(share);
    }
    together.sort();
    assert!(together == whole, "{} of {}", together.len(), whole.len());
}

#[test]
fn a_share_that_does_not_exist_starts_nothing() {
    let simulated = Simulated::start();
    let config = simulated.config();
    for (flags, said) in [
        (
            &["--shard=3", "--total-shards=3"][..],
            "there is no shard 3 of 3",
        ),
        (&["--shard=0"], "--shard needs --total-shards"),
        (&["--total-shards=2"], "--shard"),
        (&["--shard=one", "--total-shards=2"], "count shards from 0"),
        (
            &["--shard=0", "--total-shards=2", "demo"],
            "--shard has no effect on `demo`",
        ),
    ] {
        let mut arguments = flags.to_vec();
        arguments.insert(0, &config);
        arguments.insert(0, "--config.file");
        let ended = run(&arguments);
        let complaint = text(&ended.stderr);
        assert!(!ended.status.success(), "{flags:?}");
        assert!(complaint.contains(said), "{flags:?}: {complaint}");
    }
}
