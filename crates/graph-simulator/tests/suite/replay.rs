//! Captured responses.

use std::error::Error;
use std::fs;
use std::path::Path;

use graph_simulator::{Options, ReplayError, Simulator, SimulatorError, StatusChange};
use serde_json::{Value, json as object};
use tempfile::TempDir;

use crate::client::{IDENTITY_SCORES, PROFILES, RECOMMENDATIONS, TestClient, elements};

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

#[tokio::test]
async fn a_selection_may_name_what_only_another_page_has() {
    let directory = capture();
    let odd = object!({"id": "Three", "azureTenantId": "not-a-guid", "onPage2": 1});
    let page = object!({"value": [odd]}).to_string();
    fs::write(directory.path().join(PAGE2), page).unwrap();
    let client = TestClient::with(options(directory.path())).await;
    // Documented, in no element; in an element of page 2.
    for name in ["remediation", "onPage2"] {
        let list = format!("{PROFILES}?$select=id,{name}");
        let first = client.list("replay", &list).await;
        assert_eq!(elements(&first), &vec![object!({"id": "One"})], "{name}");
    }
    let unknown = format!("{PROFILES}?$select=nonsense");
    assert_eq!(client.status("replay", &unknown).await.as_u16(), 400);
}

#[tokio::test]
async fn captured_reports_are_served_newest_first() {
    let directory = capture();
    let report = |day: Option<&str>| object!({"azureTenantId": "t", "createdDateTime": day});
    let days = [
        None,
        Some("2026-01-02T00:00:00Z"),
        // Without an offset: UTC.
        Some("2026-01-10T00:00:00"),
        Some("2026-01-03T00:00:00Z"),
    ];
    let list = object!({"value": days.map(report)}).to_string();
    fs::write(directory.path().join(REPORTS), list).unwrap();
    let client = TestClient::with(options(directory.path())).await;
    let newest = client.newest_report("replay").await;
    assert_eq!(newest["createdDateTime"], "2026-01-10T00:00:00");
    let all = client.reports("replay").await;
    let served: Vec<_> = all
        .iter()
        .map(|it| it["createdDateTime"].as_str())
        .collect();
    assert_eq!(served, [days[2], days[3], days[1], None]);
}

#[tokio::test]
async fn top_and_skip_count_captured_controls_and_not_pages() {
    let directory = capture();
    for (file, ids) in [(PAGE1, ["A", "B", "C"]), (PAGE2, ["D", "E", "F"])] {
        let page = object!({"value": ids.map(|id| profile(id, 1))});
        fs::write(directory.path().join(file), page.to_string()).unwrap();
    }
    let client = TestClient::with(options(directory.path())).await;
    let ids = |list: &Value| -> Vec<String> {
        let ids = elements(list).iter().map(|it| it["id"].as_str().unwrap());
        ids.map(str::to_owned).collect()
    };
    for (options, pages) in [
        (
            "$top=2",
            vec![vec!["A", "B"], vec!["C", "D"], vec!["E", "F"]],
        ),
        ("$top=4&$skip=1", vec![vec!["B", "C", "D", "E"], vec!["F"]]),
        ("$skip=4", vec![vec!["E", "F"]]),
    ] {
        let mut list = client
            .list("replay", &format!("{PROFILES}?{options}"))
            .await;
        let mut served = vec![ids(&list)];
        while let Some(link) = list["@odata.nextLink"].as_str() {
            list = client.list("replay", link).await;
            served.push(ids(&list));
        }
        assert_eq!(served, pages, "{options}");
    }
}

#[tokio::test]
async fn captured_json_is_served_as_written() {
    let directory = capture();
    let element = r#"{"azureTenantId":"t","controlStateUpdates":[{"comment":"\ud800","state":"a","state":"b"}],"id":"One","maxScore":1e400}"#;
    let list = format!("\u{feff}{{\"value\":[{element}]}}");
    fs::write(directory.path().join(PAGE1), list).unwrap();
    let client = TestClient::with(options(directory.path())).await;
    let body = client.get("replay", PROFILES).await.text().await.unwrap();
    assert!(body.contains(element), "{body}");
    client
        .handle()
        .accept("replay", "one", "ann", "why")
        .unwrap();
    let body = client.get("replay", PROFILES).await.text().await.unwrap();
    assert!(body.contains("Ignored") && body.contains("1e400"), "{body}");
}

#[tokio::test]
async fn a_capture_of_powershell_in_utf_16_is_served() {
    let directory = capture();
    let list = object!({"value": [{"id": "Wide", "title": "Überwachung"}]}).to_string();
    let encode = |unit: fn(u16) -> [u8; 2], mark: &str| {
        let text = format!("{mark}{list}\r\n");
        text.encode_utf16().flat_map(unit).collect::<Vec<u8>>()
    };
    for bytes in [
        encode(u16::to_le_bytes, "\u{feff}"),
        encode(u16::to_be_bytes, "\u{feff}"),
        encode(u16::to_le_bytes, ""),
    ] {
        fs::write(directory.path().join(PAGE1), bytes).unwrap();
        let client = TestClient::with(options(directory.path())).await;
        let body = client.get("replay", PROFILES).await.text().await.unwrap();
        assert!(body.contains("Überwachung"), "{body}");
    }
}

#[tokio::test]
async fn each_directory_of_captures_is_a_tenant() {
    let parent = TempDir::new().unwrap();
    for name in ["b", "a"] {
        let directory = parent.path().join(name);
        fs::create_dir(&directory).unwrap();
        let report = object!({"azureTenantId": format!("id-{name}"), "currentScore": 1});
        let list = object!({"value": [report]}).to_string();
        fs::write(directory.join(REPORTS), list).unwrap();
        fs::write(directory.join(PAGE1), r#"{"value":[]}"#).unwrap();
    }
    let client = TestClient::with(options(parent.path())).await;
    let names: Vec<String> = client
        .simulator
        .tenants()
        .into_iter()
        .map(|it| it.name)
        .collect();
    assert_eq!(names, ["a", "b"]);
    for name in names {
        let report = client.newest_report(&name).await;
        assert_eq!(report["azureTenantId"], format!("id-{name}"));
    }
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
    for no_list in [&b"{}"[..], b"\xff\xfe{\0}\0"] {
        fs::write(path.join(PAGE2), no_list).unwrap();
        assert!(matches!(failure(path).await, ReplayError::NotAList { .. }));
    }
    fs::remove_file(path.join(PAGE1)).unwrap();
    fs::remove_file(path.join(PAGE2)).unwrap();
    let error = failure(path).await;
    assert!(matches!(error, ReplayError::NoProfiles { .. }));
    fs::remove_file(path.join(REPORTS)).unwrap();
    assert!(failure(path).await.to_string().contains(REPORTS));
}

#[tokio::test]
async fn captured_recommendations_are_served_and_grant_the_permission() {
    let directory = capture();
    let without = TestClient::with(options(directory.path())).await;
    for list in [RECOMMENDATIONS, IDENTITY_SCORES] {
        assert_eq!(without.status("replay", list).await.as_u16(), 403);
    }
    let element = |name: &str| object!({"id": format!("t_{name}"), "status": "active", "own": 1});
    let day = object!({"tenantScore": 11, "tenantMaxScore": 56});
    let link = "https://unreachable.example/";
    for (file, content) in [
        (
            "recommendations.page1.json",
            object!({"@odata.nextLink": link, "value": [element("a")]}),
        ),
        (
            "recommendations.page2.json",
            object!({"value": [element("b")]}),
        ),
        ("tenantSecureScores.json", object!({"value": [day]})),
    ] {
        fs::write(directory.path().join(file), content.to_string()).unwrap();
    }
    let client = TestClient::with(options(directory.path())).await;
    let all = client.all("replay", RECOMMENDATIONS).await;
    assert_eq!(all, [element("a"), element("b")]);
    assert_eq!(client.all("replay", IDENTITY_SCORES).await, [day]);
    let one = format!("{RECOMMENDATIONS}?$top=1&$select=own");
    assert_eq!(
        client.all("replay", &one).await,
        vec![object!({"own": 1}); 2]
    );
    let handle = client.handle();
    let change = StatusChange::new("dismissed").by("Ann");
    handle
        .set_recommendation_status("replay", "b", change)
        .unwrap();
    handle.set_identity_score("replay", 12, 57).unwrap();
    let all = client.all("replay", RECOMMENDATIONS).await;
    assert_eq!(all[1]["lastModifiedBy"], "Ann");
    let days = client.all("replay", IDENTITY_SCORES).await;
    assert_eq!(days[0]["tenantScore"], 12);
}

#[tokio::test]
async fn a_missing_one_of_the_two_captured_lists_is_empty() {
    let directory = capture();
    let file = directory.path().join("recommendations.json");
    fs::write(file, r#"{"value": [{"id": "t_a"}]}"#).unwrap();
    let client = TestClient::with(options(directory.path())).await;
    assert_eq!(client.all("replay", RECOMMENDATIONS).await.len(), 1);
    assert!(client.all("replay", IDENTITY_SCORES).await.is_empty());
}
