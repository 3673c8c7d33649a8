//! Captured answers.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::json as object;

use super::super::{ReplayError, SimulatorError};
use super::*;

fn write(directory: &Path, file: &str, content: &Value) {
    fs::write(directory.join(file), content.to_string()).unwrap();
}

fn profile(id: &str, points: u32) -> Value {
    object!({
        "id": id, "azureTenantId": "no-guid-at-all", "maxScore": points, "own": "field",
        "controlStateUpdates": [{"state": "Default", "updatedDateTime": null}],
    })
}

/// Two pages and a report, the last link leading nowhere.
fn capture() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let report = object!({
        "azureTenantId": "no-guid-at-all", "currentScore": 3, "maxScore": 9,
        "controlScores": [{"controlName": "One", "score": 3, "scoreInPercentage": 60}],
    });
    let page = |elements: Value| object!({"@odata.context": "captured", "@odata.nextLink": "https://nowhere.example/", "value": elements});
    write(
        directory.path(),
        "secureScores.json",
        &object!({"value": [report]}),
    );
    write(
        directory.path(),
        "secureScoreControlProfiles.page1.json",
        &page(object!([profile("One", 5)])),
    );
    write(
        directory.path(),
        "secureScoreControlProfiles.page2.json",
        &page(object!([profile("Two", 4)])),
    );
    directory
}

async fn replaying(directory: &Path) -> Stage {
    Stage::with(Options {
        replay: Some(directory.to_owned()),
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn captured_pages_come_as_they_were_and_link_to_each_other_only() {
    let directory = capture();
    let stage = replaying(directory.path()).await;
    assert_eq!(stage.tenant("replay").entra_id, "no-guid-at-all");
    let first = stage.list("replay", "secureScoreControlProfiles").await;
    assert_eq!(first["@odata.context"], "captured");
    assert_eq!(elements(&first), &vec![profile("One", 5)]);
    let link = first["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with(stage.simulator.url()));
    let second = stage.list("replay", link).await;
    assert_eq!(elements(&second), &vec![profile("Two", 4)]);
    assert!(second.get("@odata.nextLink").is_none());
}

#[tokio::test]
async fn captured_data_can_be_acted_on() {
    let directory = capture();
    let stage = replaying(directory.path()).await;
    let control = stage.simulator.control();
    control.accept("replay", "Two", "ann", "why").unwrap();
    let updates = stage.profile("replay", "Two").await["controlStateUpdates"].clone();
    assert_eq!(
        (&updates[1]["state"], updates.as_array().unwrap().len()),
        (&object!("Ignored"), 2)
    );
    control.revert("replay", "Two", "ann").unwrap();
    assert_eq!(
        stage.profile("replay", "Two").await["controlStateUpdates"][2]["state"],
        "Default"
    );
    control.set_score("replay", "One", 100.0).unwrap();
    let report = stage.newest_report("replay").await;
    assert_eq!(report["currentScore"], 5.0);
    assert_eq!(report["controlScores"][0]["score"], 5.0);
}

#[tokio::test]
async fn a_score_without_a_profile_has_the_maximum_its_percentage_implies() {
    let directory = capture();
    let path = directory
        .path()
        .join("secureScoreControlProfiles.page1.json");
    fs::write(path, object!({"value": []}).to_string()).unwrap();
    let stage = replaying(directory.path()).await;
    let control = stage.simulator.control();
    control.set_score("replay", "One", 20.0).unwrap();
    let report = stage.newest_report("replay").await;
    assert_eq!(report["controlScores"][0]["score"], 1.0);
    assert!(control.accept("replay", "One", "ann", "why").is_err());
    let error = control.accept("replay", "Twoo", "ann", "why").unwrap_err();
    assert!(error.to_string().contains("\"Two\""), "{error}");
}

async fn failure(directory: &Path) -> ReplayError {
    let options = Options {
        replay: Some(directory.to_owned()),
        ..Options::default()
    };
    match Simulator::start(options).await.unwrap_err() {
        SimulatorError::Replay(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_capture_that_cannot_be_served_names_the_file() {
    let directory = capture();
    let path = directory.path();
    fs::write(path.join("secureScoreControlProfiles.page2.json"), "<html>").unwrap();
    let error = failure(path).await;
    assert!(error.to_string().contains("page2.json") && error.source().is_some());
    fs::write(path.join("secureScoreControlProfiles.page2.json"), "{}").unwrap();
    assert!(matches!(failure(path).await, ReplayError::NotAList { .. }));
    fs::remove_file(path.join("secureScoreControlProfiles.page1.json")).unwrap();
    fs::remove_file(path.join("secureScoreControlProfiles.page2.json")).unwrap();
    assert!(matches!(
        failure(path).await,
        ReplayError::NoProfiles { .. }
    ));
    fs::remove_file(path.join("secureScores.json")).unwrap();
    assert!(
        failure(path)
            .await
            .to_string()
            .contains("secureScores.json")
    );
}
