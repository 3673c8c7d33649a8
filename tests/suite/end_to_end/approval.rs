//! An acceptance that is approved while it pages.

use super::stage::{Setting, Stage};
use super::{CONTROL, accepted, actions, pages};
use crate::simulated::{Simulated, run, text};
use std::fs;

/// A file of the risk board, as people write it.
const DECISIONS: &str = "\
# Decisions of the risk board.
- &board {control: AdminMFAV2, reference: SEC-1, expires: 2090-01-01, approver: board@contoso.example}
- {<<: *board, control: OneAdmin} # the same meeting
";

#[tokio::test(flavor = "multi_thread")]
async fn what_approve_writes_ends_the_page() {
    let simulated = Simulated::start();
    let file = simulated.folder().join("decisions.yml");
    fs::write(&file, DECISIONS).unwrap();
    let config = simulated.config();
    let written = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        format!("{written}decision_files: [decisions.yml]\n"),
    )
    .unwrap();
    let setting = Setting {
        flags: &["--web.enable-lifecycle"],
        ..Setting::default()
    };
    let stage = Stage::around(simulated, &setting).await;
    accepted(&stage).await;

    let approve = run(&[
        "approve",
        "contoso",
        CONTROL,
        "--config.file",
        &config,
        "--expires=2090-12-31",
        "--reference=SEC-7",
        "--approver=ciso@contoso.example",
        "--yes",
    ]);
    assert!(approve.status.success(), "{}", text(&approve.stderr));
    let printed = format!("{}{}", text(&approve.stdout), text(&approve.stderr));
    assert!(printed.contains("SecureScoreRiskAccepted"), "{printed}");
    let decisions = fs::read_to_string(&file).unwrap();
    assert!(decisions.starts_with(DECISIONS), "{decisions}");

    let reload = stage.metrics.replace("/metrics", "/-/reload");
    let reloaded = stage.http.post(reload).send().await.unwrap();
    assert!(reloaded.status().is_success());
    stage
        .wait("a page that ends", |s| {
            (actions(&pages(s, "SecureScoreRiskAccepted")).last() == Some(&"resolve")).then_some(())
        })
        .await;
}
