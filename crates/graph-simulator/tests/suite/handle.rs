//! The handle, in process and over HTTP.

use std::net::SocketAddr;

use graph_simulator::{
    Api, HandleError, Options, Simulator, SimulatorError, StatusChange, scenario,
};
use reqwest::StatusCode;
use serde_json::{Value, json as object};

use crate::client::{SCORES, TestClient, elements, json, number, scores};

fn newest(history: &[Value]) -> &Value {
    let date = |update: &&Value| update["updatedDateTime"].as_str().unwrap_or("").to_owned();
    history.iter().max_by_key(date).unwrap()
}

#[tokio::test]
async fn an_acceptance_shows_at_once_with_person_and_comment() {
    let client = TestClient::new().await;
    let handle = client.handle();
    let (ann, bob) = ("ann@contoso.example", "bob@contoso.example");
    let accepted = handle.accept("contoso", "UserRiskPolicy", ann, "pilot");
    accepted.unwrap();
    let history = client.history("contoso", "UserRiskPolicy").await;
    let update = newest(&history);
    assert_eq!(update["state"], "Ignored");
    assert_eq!(update["updatedBy"], ann);
    assert_eq!(update["comment"], "pilot");
    handle.revert("contoso", "userriskpolicy", bob).unwrap();
    let history = client.history("contoso", "UserRiskPolicy").await;
    assert_eq!(newest(&history)["state"], "Default");
    assert_eq!(history.len(), 3);
    let elsewhere = client.history("adatum", "UserRiskPolicy").await;
    assert_eq!(elsewhere.len(), 1);
}

#[tokio::test]
async fn a_state_can_have_any_name_and_date() {
    let client = TestClient::new().await;
    let at = "2020-01-02T03:04:05Z".parse().unwrap();
    let handle = client.handle();
    let set = handle.set_state("contoso", "scid_2000", "Acknowledged", None, None, Some(at));
    set.unwrap();
    let update = &client.history("contoso", "scid_2000").await[1];
    assert_eq!(update["state"], "Acknowledged");
    assert_eq!(update["updatedDateTime"], "2020-01-02T03:04:05.0000000Z");
}

#[tokio::test]
async fn a_risk_that_is_accepted_at_the_start_is_one() {
    let client = TestClient::new().await;
    for (tenant, control) in [
        ("contoso", "IntegratedApps"),
        ("contoso", "aad_admin_consent_workflow"),
        ("fabrikam", "SelfServicePasswordReset"),
        ("adatum", "meeting_autoadmitusers_v1"),
        ("litware", "PWAgePolicyNew"),
        ("northwind", "aad_third_party_apps"),
    ] {
        let score = client.handle().score(tenant, control).unwrap();
        assert!(score < 100.0, "{tenant} {control}: {score}");
    }
}

#[tokio::test]
async fn a_change_of_state_changes_no_sum() {
    let client = TestClient::new().await;
    let before = client.newest_report("litware").await;
    let accepted = client.handle().accept("litware", "AATP_Sensor", "ann", "");
    accepted.unwrap();
    assert_eq!(client.newest_report("litware").await, before);
}

#[tokio::test]
async fn a_changed_score_changes_the_sum_of_the_newest_report_only() {
    let client = TestClient::new().await;
    let handle = client.handle();
    let sums = async || {
        let list = client.list("contoso", "secureScores?$top=2").await;
        [0, 1].map(|day| number(&elements(&list)[day]["currentScore"]))
    };
    handle.set_score("contoso", "AdminMFAV2", 0.0).unwrap();
    let low = sums().await;
    handle.set_score("contoso", "AdminMFAV2", 82.5).unwrap();
    let high = sums().await;
    assert!((high[0] - low[0] - 8.25).abs() < 1e-6);
    assert!((high[1] - low[1]).abs() < 1e-6);
    assert_eq!(handle.score("contoso", "AdminMFAV2"), Ok(82.5));
}

#[tokio::test]
async fn an_element_can_be_replaced_by_any_json() {
    let client = TestClient::new().await;
    let handle = client.handle();
    let odd = object!(["odd"]);
    let profile = handle.set_profile_json("contoso", "OneAdmin", odd.clone());
    profile.unwrap();
    let score = handle.set_score_json("contoso", "AdminMFAV2", Value::Null);
    score.unwrap();
    assert!(client.profiles("contoso").await.contains(&odd));
    let report = client.newest_report("contoso").await;
    assert!(scores(&report).contains(&Value::Null));
}

#[tokio::test]
async fn the_error_of_a_wrong_name_suggests_the_right_one() {
    let handle = TestClient::new().await.handle();
    let accept = |tenant, control| handle.accept(tenant, control, "a", "b").unwrap_err();
    let error = accept("contosso", "UserRiskPolicy").to_string();
    assert!(error.contains("contoso, fabrikam"), "{error}");
    let error = accept("contoso", "UserRiskPolcy").to_string();
    assert!(error.contains("\"UserRiskPolicy\""), "{error}");
    assert_eq!(
        handle.set_score("contoso", "AdminMFAV2", 101.0),
        Err(HandleError::NotAPercentage(101.0))
    );
    let unscored = handle.set_score("litware", "AATP_Sensor", 1.0);
    assert!(matches!(unscored, Err(HandleError::NotScored { .. })));
}

#[tokio::test]
async fn requests_are_recorded() {
    let client = TestClient::new().await;
    client.profiles("contoso").await;
    let requests = client.handle().requests();
    let profiles = requests.iter().filter(|r| r.api == Some(Api::Profiles));
    let pages: Vec<_> = profiles.map(|r| (r.page, r.status)).collect();
    assert_eq!(pages, [(1, 200), (2, 200)]);
    assert!(
        requests
            .iter()
            .all(|r| r.tenant.as_deref() == Some("contoso"))
    );
    assert!(requests.iter().all(|r| r.started <= r.finished));
    assert!(requests[0].path_and_query.ends_with("/oauth2/v2.0/token"));
}

/// A client of the control API.
pub(crate) struct ControlClient {
    pub(crate) graph: TestClient,
    url: String,
}

impl ControlClient {
    pub(crate) async fn new() -> Self {
        let options = Options {
            control_listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            ..Options::default()
        };
        let graph = TestClient::with(options).await;
        let url = graph.simulator.control_url().unwrap().to_owned();
        Self { graph, url }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.url);
        let request = self.graph.http.request(method.parse().unwrap(), url);
        let response = request.body(body.to_string()).send().await.unwrap();
        (response.status().as_u16(), json(response).await)
    }

    /// The response to a successful request.
    pub(crate) async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, response) = self.send(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {response}");
        response
    }
}

#[tokio::test]
async fn the_control_api_changes_what_the_handle_changes() {
    let control = ControlClient::new().await;
    let graph = &control.graph;
    let path = "/tenants/contoso/controls/11770%2EMDA_Google_EnableTwoFactorAuth";
    let post = async |path: &str, body| control.ok("POST", path, body).await;
    let body = object!({"by": "ann", "comment": "why"});
    let accepted = post(&format!("{path}/accept"), body).await;
    assert_eq!(accepted, object!({"done": true}));
    let id = "11770.MDA_Google_EnableTwoFactorAuth";
    assert_eq!(
        newest(&graph.history("contoso", id).await)["comment"],
        "why"
    );
    post(&format!("{path}/revert"), object!({"by": "ann"})).await;
    let state = object!({"state": "Reviewed", "at": "2026-01-02T03:04:05Z"});
    post(&format!("{path}/state"), state).await;
    assert_eq!(graph.history("contoso", id).await.len(), 4);
    let score = "/tenants/contoso/controls/AdminMFAV2/score";
    post(score, object!({"percentage": 12})).await;
    assert_eq!(graph.handle().score("contoso", "AdminMFAV2"), Ok(12.0));
    let tenants = control.ok("GET", "/tenants", Value::Null).await;
    assert_eq!(tenants.as_array().unwrap().len(), 5);
    let rotated = post("/tenants/contoso/rotate-secret", Value::Null).await;
    let secret = graph.tenant("contoso").client_secret;
    assert_eq!(rotated["client_secret"], secret);
    post("/tenants/contoso/revoke-tokens", Value::Null).await;
}

#[tokio::test]
async fn the_control_api_injects_and_removes_faults() {
    let control = ControlClient::new().await;
    let graph = &control.graph;
    let fault = object!({"api": "scores", "tenant": "contoso", "what": {"status": 503}});
    for id in [1, 2] {
        let injected = control.ok("POST", "/faults", fault.clone()).await;
        assert_eq!(injected, object!({"id": id}));
    }
    assert_eq!(graph.status("contoso", SCORES).await.as_u16(), 503);
    assert_eq!(graph.status("adatum", SCORES).await, StatusCode::OK);
    let faults = control.ok("GET", "/faults", Value::Null).await;
    assert_eq!(faults[0]["struck"], 1);
    assert_eq!(faults[0]["tenant"], "contoso");
    control.ok("DELETE", "/faults/1", Value::Null).await;
    control.ok("DELETE", "/faults", Value::Null).await;
    assert_eq!(graph.status("contoso", SCORES).await, StatusCode::OK);
    let requests = control.ok("GET", "/requests", Value::Null).await;
    let mut requests = requests.as_array().unwrap().iter();
    assert!(requests.any(|request| request["status"] == 503 && request["api"] == "scores"));
}

#[tokio::test]
async fn the_error_of_a_bad_request_names_the_remedy() {
    let control = ControlClient::new().await;
    let contoso = |path: &str| format!("/tenants/contoso/{path}");
    let fault = |what: Value| object!({"api": "scores", "what": what});
    let accept = contoso("controls/UserRiskPolicy/accept");
    for (path, body, status, word) in [
        (accept.clone(), object!({"comment": "x"}), 400, "by"),
        (accept, object!({"by": "x", "coment": "y"}), 400, "coment"),
        (
            "/tenants/other/revoke-tokens".into(),
            Value::Null,
            404,
            "contoso",
        ),
        (
            contoso("controls/Nothing/revert"),
            object!({"by": "x"}),
            404,
            "Nothing",
        ),
        (
            contoso("controls/OneAdmin/explode"),
            object!({}),
            404,
            "accept, revert",
        ),
        (
            contoso("controls/OneAdmin/state"),
            object!({"state": "x", "at": "noon"}),
            400,
            "noon",
        ),
        (
            contoso("controls/AdminMFAV2/score"),
            object!({"percentage": 120}),
            400,
            "0 to 100",
        ),
        ("/faults".into(), fault(object!("explode")), 400, "reset"),
        (
            "/faults".into(),
            fault(object!({"aadsts": 50196})),
            400,
            "token",
        ),
        (
            "/faults".into(),
            object!({"api": "scores", "what": "reset", "tenant": "other"}),
            404,
            "contoso",
        ),
        ("/elsewhere".into(), Value::Null, 404, "GET /"),
    ] {
        let (code, response) = control.send("POST", &path, body).await;
        assert_eq!(code, status, "{path} {response}");
        let error = response["error"].as_str().unwrap();
        assert!(error.contains(word), "{error}");
    }
}

#[tokio::test]
async fn the_control_api_lists_its_requests_and_listens_on_loopback_only() {
    let control = ControlClient::new().await;
    let response = control.graph.http.get(&control.url).send().await.unwrap();
    let help = response.text().await.unwrap();
    assert!(help.contains("POST   /faults") && help.contains("gzip_bomb"));
    let options = Options {
        control_listen: Some(SocketAddr::from(([0, 0, 0, 0], 0))),
        ..Options::default()
    };
    let error = Simulator::start(options).await.unwrap_err();
    assert!(matches!(error, SimulatorError::NotLoopback { .. }));
}

#[tokio::test]
async fn a_stopped_simulator_frees_its_port() {
    let simulator = TestClient::new().await.simulator;
    let address = simulator.url().trim_start_matches("https://").to_owned();
    simulator.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[test]
fn the_scenario_names_person_and_action() {
    let lines = scenario(&Options {
        scenario: true,
        ..Options::default()
    });
    assert!(lines[0].ends_with("the secret of the application watcher expires at northwind"));
    assert!(lines[1].contains("UserRiskPolicy") && lines[1].contains("contoso"));
    assert!(
        lines.iter().any(|line| line.contains("withdraws")),
        "{lines:?}"
    );
    let dismissal = "Jonas Weber dismisses the recommendation userRiskPolicy of Entra at adatum";
    assert!(lines.iter().any(|line| line.ends_with(dismissal)));
}

#[tokio::test]
async fn the_time_of_a_decision_is_that_of_the_last_one() {
    let client = TestClient::new().await;
    let handle = client.handle();
    let never = handle.accepted_at("contoso", "UserRiskPolicy").unwrap();
    assert_eq!(never, None);
    let ann = "ann@contoso.example";
    handle.accept("contoso", "UserRiskPolicy", ann, "").unwrap();
    handle.revert("contoso", "UserRiskPolicy", ann).unwrap();
    let history = client.history("contoso", "UserRiskPolicy").await;
    let accepted = history.iter().find(|it| it["state"] == "Ignored").unwrap();
    let accepted = accepted["updatedDateTime"].as_str().unwrap();
    let read = handle.accepted_at("contoso", "UserRiskPolicy").unwrap();
    assert_eq!(read, accepted.parse().ok());
    assert!(handle.accepted_at("contoso", "NoSuchControl").is_err());

    let at = "2024-05-06T07:08:09Z".parse().unwrap();
    let change = StatusChange::new("dismissed").by(ann).at(at);
    let changed = handle.set_recommendation_status("adatum", "userRiskPolicy", change);
    changed.unwrap();
    let read = handle.recommendation_changed_at("adatum", "userRiskPolicy");
    assert_eq!(read.unwrap(), Some(at));
}
