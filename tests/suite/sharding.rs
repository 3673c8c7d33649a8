//! Several exporters among which the tenants are divided.

use crate::process::Process;
use crate::simulated::{Simulated, run, text};
use serde_json::json;
use std::time::Duration;

/// What a path returns once every list was attempted.
async fn get_when_ready(exporter: &Process, path: &str) -> String {
    let address = exporter.word_after("address=");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..600 {
        let ready = http.get(format!("http://{address}/-/ready")).send().await;
        if ready.unwrap().status().is_success() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let answer = http.get(format!("http://{address}{path}")).send().await;
    answer.unwrap().text().await.unwrap()
}

/// The samples of all controls and tenants, sorted, after the first refresh of
/// every list.
async fn samples(simulated: &Simulated, flags: &[&str]) -> Vec<String> {
    let config = simulated.config();
    let mut arguments = vec!["--web.listen-address=127.0.0.1:0", "--config.file", &config];
    arguments.extend(flags);
    let exporter = Process::exporter(&arguments);
    let metrics = get_when_ready(&exporter, "/metrics").await;
    let data_families = [
        "secure_score_control_",
        "secure_score_tenant_",
        "secure_score_category_",
    ];
    let mut samples: Vec<String> = metrics
        .lines()
        .filter(|line| data_families.iter().any(|name| line.starts_with(name)))
        .map(str::to_owned)
        .collect();
    samples.sort();
    samples
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shards_together_have_all_samples() {
    let simulated = Simulated::start();
    let whole = samples(&simulated, &[]).await;
    assert!(whole.len() > 1_000, "only {} samples", whole.len());
    let mut together = Vec::new();
    for index in ["0", "1", "2"] {
        let shard = samples(&simulated, &["--shard", index, "--total-shards=3"]).await;
        assert!(shard.len() < whole.len(), "{index} has every tenant");
        together.extend(shard);
    }
    together.sort();
    assert!(together == whole, "{} of {}", together.len(), whole.len());
}

#[test]
fn an_invalid_shard_is_rejected() {
    let simulated = Simulated::start();
    let config = simulated.config();
    for (flags, expected) in [
        (
            &["--shard=3", "--total-shards=3"][..],
            "there is no shard 3 of 3: shards are counted from 0",
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
        let output = run(&arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(stderr.contains(expected), "{flags:?}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_says_that_it_cannot_judge_decisions_for_all_tenants() {
    let simulated = Simulated::start();
    let accepted = json!({"by": "alex@contoso.example", "comment": "why"});
    simulated.accept("contoso", "AdminMFAV2", accepted).await;
    simulated.configure(
        "risk_accepted:\n  exceptions:\n    \
         - {control: AdminMFAV2, reference: USED-1, expires: 2099-01-31}\n    \
         - {control: AdminMFAV2, reference: OLD-1, expires: 2026-01-31}\n",
    );
    let page = |flags: &'static [&'static str]| {
        let config = simulated.config();
        async move {
            let mut arguments = vec!["--web.listen-address=127.0.0.1:0", "--config.file", &config];
            arguments.extend(flags);
            let exporter = Process::exporter(&arguments);
            let page = get_when_ready(&exporter, "/").await;
            page.split_once("id=\"exceptions\"")
                .map_or(String::new(), |(_, it)| it.to_owned())
        }
    };
    let (limit, unused) = ("in use on no tenant known here", "covers no accepted risk");
    let whole = page(&[]).await;
    assert!(
        !whole.contains("USED-1") && !whole.contains(limit),
        "{whole}"
    );
    assert!(
        whole.contains("OLD-1") && whole.contains("not in use"),
        "{whole}"
    );
    let mut limited = 0;
    for flags in [
        &["--shard=0", "--total-shards=3"],
        &["--shard=1", "--total-shards=3"],
        &["--shard=2", "--total-shards=3"],
    ] {
        let shard = page(flags).await;
        assert!(
            !shard.contains(unused) && !shard.contains("not in use"),
            "{shard}"
        );
        limited += usize::from(shard.contains(limit));
    }
    assert!(limited > 0, "no shard lacks the tenant that uses it");
}
