//! Captured responses.

use std::error::Error;
use std::fs;
use std::path::Path;

use graph_simulator::{Options, ReplayError, Simulator, SimulatorError};
use serde_json::{Value, json as object};
use tempfile::TempDir;

use crate::client::{PROFILES, TestClient, elements};

const PAGE1: &str = "secureScoreControlProfiles.page1.json";
const PAGE2: &str = "secureScoreControlProfiles.page2.json";
const REPORTS: &str = "secureScores.json";

fn profile(id: &str, points: u32) -> Value {
    object!({
        "id": id, "azureTenantId": "not-a-guid", "maxScore": points, "own": "field",
        "controlStateUpdates": [{"state": "Default", "updatedDateTime": null}],
    })
}

/// A capture of two pages and a report.
fn capture() -> TempDir {
    let directory = TempDir::new().unwrap();
    let report = object!({
        "azureTenantId": "not-a-guid", "currentScore": 3, "maxScore": 9,
        "controlScores": [{"controlName": "One", "score": 3, "scoreInPercentage": 60}],
    });
    let page = |profile: Value| {
        let link = "https://unreachable.example/";
        object!({"@odata.context": "captured", "@odata.nextLink": link, "value": [profile]})
    };
    for (file, content) in [
        (REPORTS, object!({"value": [report]})),
        (PAGE1, page(profile("One", 5))),
        (PAGE2, page(profile("Two", 4))),
    ] {
        fs::write(directory.path().join(file), content.to_string()).unwrap();
    }
    directory
}

fn options(directory: &Path) -> Options {
    Options {
        replay: Some(directory.to_owned()),
        ..Options::default()
    }
}

#[tokio::test]
async fn captured_pages_are_unchanged_except_for_their_links() {
    let directory = capture();
    let client = TestClient::with(options(directory.path())).await;
    assert_eq!(client.tenant("replay").entra_id, "not-a-guid");
    let first = client.list("replay", PROFILES).await;
    assert_eq!(first["@odata.context"], "captured");
    assert_eq!(elements(&first), &vec![profile("One", 5)]);
    let link = first["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with(client.simulator.url()));
    let second = client.list("replay", link).await;
    assert_eq!(elements(&second), &vec![profile("Two", 4)]);
    assert!(second.get("@odata.nextLink").is_none());
}

#[tokio::test]
async fn captured_data_can_be_changed() {
    let directory = capture();
    let client = TestClient::with(options(directory.path())).await;
    let handle = client.handle();
    handle.accept("replay", "Two", "ann", "why").unwrap();
    let history = client.history("replay", "Two").await;
    assert_eq!(history[1]["state"], "Ignored");
    assert_eq!(history.len(), 2);
    handle.revert("replay", "Two", "ann").unwrap();
    assert_eq!(client.history("replay", "Two").await[2]["state"], "Default");
    handle.set_score("replay", "One", 100.0).unwrap();
    let report = client.newest_report("replay").await;
    assert_eq!(report["currentScore"], 5.0);
    assert_eq!(report["controlScores"][0]["score"], 5.0);
}

#[tokio::test]
async fn a_score_without_a_profile_has_the_maximum_that_its_percentage_implies() {
    let directory = capture();
    let empty = object!({"value": []}).to_string();
    fs::write(directory.path().join(PAGE1), empty).unwrap();
    let client = TestClient::with(options(directory.path())).await;
    let handle = client.handle();
    handle.set_score("replay", "One", 20.0).unwrap();
    let report = client.newest_report("replay").await;
    assert_eq!(report["controlScores"][0]["score"], 1.0);
    assert!(handle.accept("replay", "One", "ann", "why").is_err());
    let error = handle.accept("replay", "Twoo", "ann", "why").unwrap_err();
    assert!(error.to_string().contains("\"Two\""), "{error}");
}

async fn failure(directory: &Path) -> ReplayError {
    match Simulator::start(options(directory)).await.unwrap_err() {
        SimulatorError::Replay(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_error_of_an_invalid_capture_names_the_file() {
    let directory = capture();
    let path = directory.path();
    fs::write(path.join(PAGE2), "<html>").unwrap();
    let error = failure(path).await;
    assert!(error.to_string().contains("page2.json") && error.source().is_some());
    fs::write(path.join(PAGE2), "{}").unwrap();
    assert!(matches!(failure(path).await, ReplayError::NotAList { .. }));
    fs::remove_file(path.join(PAGE1)).unwrap();
    fs::remove_file(path.join(PAGE2)).unwrap();
    let error = failure(path).await;
    assert!(matches!(error, ReplayError::NoProfiles { .. }));
    fs::remove_file(path.join(REPORTS)).unwrap();
    assert!(failure(path).await.to_string().contains(REPORTS));
}
