//! Changes of recommendations and of the Identity Secure Score on demand.

use graph_simulator::{HandleError, StatusChange};
use reqwest::StatusCode;
use serde_json::{Value, json as object};

use crate::client::{IDENTITY_SCORES, RECOMMENDATIONS, TestClient, elements, json, send};
use crate::handle::ControlClient;

/// A recommendation with its resources, for a client that knows the newer words.
async fn recommendation(client: &TestClient, tenant: &str, kind: &str) -> Value {
    let token = client.token(tenant).await;
    let query = format!(
        "{RECOMMENDATIONS}?$expand=impactedResources&$filter=recommendationType eq '{kind}'"
    );
    let request = client.request(&token, &query);
    let request = request.header("prefer", "return=minimal, include-unknown-enum-members");
    let list = json(send(request).await).await;
    elements(&list)[0].clone()
}

#[tokio::test]
async fn a_status_changes_with_person_and_time() {
    let client = TestClient::granted().await;
    let handle = client.handle();
    let at = "2026-01-02T03:04:05Z";
    let until = "2026-02-02T00:00:00Z";
    let set = |change| {
        let kind = "userriskpolicy";
        handle
            .set_recommendation_status("adatum", kind, change)
            .unwrap();
    };
    let get = async || recommendation(&client, "adatum", "userRiskPolicy").await;
    set(StatusChange::new("dismissed")
        .by("Ann")
        .at(at.parse().unwrap()));
    let dismissed = get().await;
    assert_eq!(dismissed["status"], "dismissed");
    assert_eq!(dismissed["lastModifiedBy"], "Ann");
    assert_eq!(dismissed["lastModifiedDateTime"], at);
    assert!(dismissed.get("statusModifiedDateTime").is_none());
    set(StatusChange::new("postponed")
        .by("Bob")
        .until(until.parse().unwrap()));
    assert_eq!(get().await["postponeUntilDateTime"], until);
    set(StatusChange::new("active"));
    let active = get().await;
    assert_eq!(active["lastModifiedBy"], "System");
    assert!(active["postponeUntilDateTime"].is_null());
    set(StatusChange::new("risk_accepted")
        .by("Ann")
        .at(at.parse().unwrap()));
    let accepted = get().await;
    assert_eq!(accepted["status"], "riskAccepted");
    assert_eq!(accepted["statusModifiedDateTime"], at);
    set(StatusChange::new("Quantum"));
    assert_eq!(get().await["status"], "Quantum");
    let elsewhere = recommendation(&client, "contoso", "userRiskPolicy").await;
    assert_eq!(elsewhere["status"], "active");
}

#[tokio::test]
async fn a_check_of_the_service_moves_one_time_only() {
    let client = TestClient::granted().await;
    let handle = client.handle();
    let accepted = StatusChange::new("riskAccepted").by("Ann");
    handle
        .set_recommendation_status("adatum", "userRiskPolicy", accepted)
        .unwrap();
    let mut expected = recommendation(&client, "adatum", "userRiskPolicy").await;
    let at = "2030-01-02T03:04:05Z";
    handle
        .check_recommendation("adatum", "userRiskPolicy", Some(at.parse().unwrap()))
        .unwrap();
    expected["lastModifiedDateTime"] = object!(at);
    let checked = recommendation(&client, "adatum", "userRiskPolicy").await;
    assert_eq!(checked, expected);
}

#[tokio::test]
async fn a_resource_changes_without_its_recommendation() {
    let client = TestClient::granted().await;
    let handle = client.handle();
    let ids = handle.impacted_resources("northwind", "signinRiskPolicy");
    let ids = ids.unwrap();
    let change = StatusChange::new("dismissed").by("Ann");
    handle
        .set_resource_status("northwind", "signinRiskPolicy", &ids[1], change)
        .unwrap();
    let element = recommendation(&client, "northwind", "signinRiskPolicy").await;
    let resources = element["impactedResources"].as_array().unwrap();
    let statuses: Vec<_> = resources.iter().map(|it| it["status"].clone()).collect();
    assert_eq!(element["status"], "active");
    assert_eq!(statuses[..2], ["active", "dismissed"]);
    assert_eq!(resources[1]["id"], ids[1]);
}

#[tokio::test]
async fn a_recommendation_can_be_replaced_by_any_json() {
    let client = TestClient::granted().await;
    let handle = client.handle();
    for element in [object!(["odd"]), object!({"id": "again"})] {
        handle
            .set_recommendation_json("contoso", "oneAdmin", element.clone())
            .unwrap();
        let all = client.all("contoso", RECOMMENDATIONS).await;
        assert!(all.contains(&element));
    }
}

#[tokio::test]
async fn the_identity_score_can_be_set() {
    let client = TestClient::granted().await;
    let before = client.all("contoso", IDENTITY_SCORES).await;
    client
        .handle()
        .set_identity_score("contoso", 3, 50)
        .unwrap();
    let after = client.all("contoso", IDENTITY_SCORES).await;
    assert_eq!(after[0]["tenantScore"], 3);
    assert_eq!(after[0]["tenantMaxScore"], 50);
    assert_eq!(after[1..], before[1..]);
}

#[tokio::test]
async fn the_permission_can_be_granted_and_revoked() {
    let client = TestClient::new().await;
    let handle = client.handle();
    let status = async || client.status("contoso", RECOMMENDATIONS).await;
    assert_eq!(status().await, StatusCode::FORBIDDEN);
    handle.grant_recommendations("contoso").unwrap();
    assert_eq!(status().await, StatusCode::OK);
    let token = client.token("contoso").await;
    handle.revoke_recommendations("contoso").unwrap();
    assert_eq!(status().await, StatusCode::FORBIDDEN);
    let older = send(client.request(&token, RECOMMENDATIONS)).await;
    assert_eq!(older.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_error_of_a_wrong_name_suggests_the_right_one() {
    let handle = TestClient::new().await.handle();
    let change = || StatusChange::new("dismissed");
    let error = handle.set_recommendation_status("contoso", "userRiskPolcy", change());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("\"userRiskPolicy\""), "{error}");
    let unknown = handle.set_resource_status("contoso", "userRiskPolicy", "no-resource", change());
    assert!(matches!(unknown, Err(HandleError::UnknownResource { .. })));
}

#[tokio::test]
async fn the_control_api_changes_recommendations() {
    let control = ControlClient::new().await;
    let graph = &control.graph;
    let contoso = |path: &str| format!("/tenants/contoso/{path}");
    let post = async |path: &str, body| control.ok("POST", &contoso(path), body).await;
    post("grant-recommendations", Value::Null).await;
    let get = async || recommendation(graph, "contoso", "userRiskPolicy").await;
    let path = "recommendations/userRiskPolicy";
    let body = object!({
        "status": "postponed", "by": "Ann",
        "postpone_until": "2030-01-02T00:00:00Z", "at": "2026-01-02T03:04:05Z",
    });
    post(&format!("{path}/status"), body).await;
    let element = get().await;
    assert_eq!(element["status"], "postponed");
    assert_eq!(element["lastModifiedBy"], "Ann");
    assert_eq!(element["postponeUntilDateTime"], "2030-01-02T00:00:00Z");
    let body = object!({"at": "2027-01-02T03:04:05Z"});
    post(&format!("{path}/check"), body).await;
    assert_eq!(get().await["lastModifiedDateTime"], "2027-01-02T03:04:05Z");
    let resource = element["impactedResources"][0]["id"].as_str().unwrap();
    let body = object!({"status": "dismissed", "by": "Ann"});
    post(&format!("{path}/resources/{resource}"), body).await;
    assert_eq!(get().await["impactedResources"][0]["status"], "dismissed");
    post("identity-score", object!({"score": 7, "maximum": 9})).await;
    let days = graph.all("contoso", IDENTITY_SCORES).await;
    assert_eq!(days[0]["tenantScore"], 7);
    post("revoke-recommendations", Value::Null).await;
    let status = graph.status("contoso", RECOMMENDATIONS).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    for (path, body, status, word) in [
        ("recommendations/nothing/check", object!({}), 404, "nothing"),
        (
            "recommendations/oneAdmin/explode",
            object!({}),
            404,
            "resources/ID",
        ),
        (
            "recommendations/oneAdmin/status",
            object!({"status": "x", "postpone_until": "noon"}),
            400,
            "postpone_until",
        ),
        (
            "recommendations/userRiskPolicy/resources/no-resource",
            object!({"status": "x"}),
            404,
            "no-resource",
        ),
        ("identity-score", object!({"score": 7}), 400, "maximum"),
    ] {
        let (code, response) = control.send("POST", &contoso(path), body).await;
        assert_eq!(code, status, "{path} {response}");
        let error = response["error"].as_str().unwrap();
        assert!(error.contains(word), "{error}");
    }
}
