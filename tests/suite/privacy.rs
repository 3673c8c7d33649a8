//! The metrics name who accepted a risk only where the configuration says so.

use crate::process::Process;
use crate::simulated::Simulated;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

const WHO: &str = "alex.wilber@contoso.example";
const WHY: &str = "ask Alex about this one";

async fn simulated() -> Simulated {
    let simulated = Simulated::start();
    for (tenant, by) in [
        ("contoso", WHO),
        ("fabrikam", "Alex.Wilber@CONTOSO.example"),
    ] {
        let acceptance = json!({"by": by, "comment": WHY});
        simulated.accept(tenant, "AdminMFAV2", acceptance).await;
    }
    simulated
}

/// The metrics of a new exporter, once they show both acceptances.
async fn metrics(simulated: &Simulated) -> String {
    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &simulated.config(),
    ]);
    let address = exporter.word_after("address=");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..600 {
        let answer = http.get(format!("http://{address}/metrics")).send().await;
        let text = answer.unwrap().text().await.unwrap();
        let seen = ["contoso", "fabrikam"].iter().all(|tenant| {
            let series = format!("risk_accepted{{tenant=\"{tenant}\",control=\"AdminMFAV2\",category=\"Identity\"}} 1");
            text.contains(&series)
        });
        if seen {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the acceptances never appear:\n{}", exporter.output());
}

fn pseudonyms(metrics: &str) -> BTreeSet<&str> {
    let lines = metrics.lines().filter(|line| {
        line.starts_with("secure_score_control_acceptance_info{") && line.contains("\"AdminMFAV2\"")
    });
    let named = lines.filter_map(|line| line.split("accepted_by=\"").nth(1)?.split('"').next());
    named.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_name_no_person_by_default() {
    let simulated = simulated().await;
    simulated.configure("");
    let metrics = metrics(&simulated).await;
    assert!(!metrics.contains('@'), "no mail address");
    assert!(!metrics.to_lowercase().contains("alex"));
    assert!(!metrics.contains("secure_score_control_acceptance_info{"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_one_pseudonym_in_every_tenant_and_after_a_restart() {
    let simulated = simulated().await;
    fs::write(simulated.folder().join("salt"), "0123456789abcdef0123").unwrap();
    simulated.configure("labels: {accepted_by: hash, salt_file: salt}\n");
    let first = metrics(&simulated).await;
    let named = pseudonyms(&first);
    assert_eq!(named.len(), 1, "one person, two tenants: {named:?}");
    assert_eq!(named, pseudonyms(&metrics(&simulated).await));
    assert!(!first.contains('@') && !first.contains(WHY));

    fs::write(
        simulated.folder().join("salt"),
        "another salt of enough bytes",
    )
    .unwrap();
    assert_ne!(named, pseudonyms(&metrics(&simulated).await));
}
