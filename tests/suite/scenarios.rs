//! Small answers of Graph, each written for one rule, and what they become.
//!
//! A scenario is a folder: `graph/*.json` goes in by way of the embedded Graph
//! and real HTTPS, `metrics.prom` comes out. `UPDATE_GOLDEN=1` writes it; read
//! the difference before you commit it.

use crate::golden;
use crate::world::World;
use graph_simulator::Options;
use std::fs;
use std::path::{Path, PathBuf};

/// Families about the refresh, not about the answer.
const OF_THE_REFRESH: [&str; 12] = [
    "secure_score_tenant_info",
    "secure_score_up",
    "secure_score_last_refresh_success_timestamp_seconds",
    "secure_score_next_refresh_timestamp_seconds",
    "secure_score_refreshes_total",
    "secure_score_refresh_failures_total",
    "secure_score_older_reports_total",
    "secure_score_graph_requests_total",
    "secure_score_graph_throttled_total",
    "secure_score_token_attempts_total",
    "secure_score_token_failures_total",
    "secure_score_token_requests_total",
];

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut found: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("tests/scenarios is there")
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    found.sort();
    assert!(
        found.len() >= 10,
        "scenarios are missing from {}",
        folder.display()
    );
    found
}

#[tokio::test]
async fn every_scenario_gives_its_metrics() {
    for folder in scenarios() {
        let world = World::with(Options {
            replay: Some(folder.join("graph")),
            ..Options::default()
        })
        .await
        .watch();
        world.attempted().await;
        let state = world.tenant("replay");
        for list in [&state.health.profiles, &state.health.scores] {
            assert_eq!(list.trouble, None, "{}", folder.display());
        }
        golden::compare(
            &folder.join("metrics.prom"),
            &of_the_answer(&world.metrics()),
        );
        world.simulator.stop().await;
    }
}

fn of_the_answer(text: &str) -> String {
    text.lines()
        .filter(|line| {
            let name = line
                .trim_start_matches("# HELP ")
                .trim_start_matches("# TYPE ");
            !OF_THE_REFRESH.iter().any(|family| {
                name.strip_prefix(family)
                    .is_some_and(|rest| rest.starts_with([' ', '{']))
            })
        })
        .flat_map(|line| [line, "\n"])
        .collect()
}

#[test]
fn every_scenario_says_in_a_sentence_what_it_is_for() {
    for folder in scenarios() {
        let readme = fs::read_to_string(folder.join("README.md")).expect("a scenario has a README");
        assert!(readme.trim().ends_with('.'), "{}", folder.display());
    }
}
