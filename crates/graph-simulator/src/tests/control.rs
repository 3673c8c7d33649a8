//! The handle, in process and over HTTP.

use std::net::SocketAddr;

use serde_json::json as object;

use super::super::{Api, ControlError, SimulatorError, story::story};
use super::*;

fn newest(profile: &Value) -> &Value {
    let updates = profile["controlStateUpdates"].as_array().unwrap();
    updates
        .iter()
        .max_by_key(|update| update["updatedDateTime"].as_str().unwrap_or(""))
        .unwrap()
}

#[tokio::test]
async fn an_acceptance_shows_at_once_with_who_and_why() {
    let stage = Stage::new().await;
    let control = stage.simulator.control();
    control
        .accept("contoso", "UserRiskPolicy", "ann@contoso.example", "pilot")
        .unwrap();
    let profile = stage.profile("contoso", "UserRiskPolicy").await;
    let update = newest(&profile);
    assert_eq!(
        (&update["state"], &update["updatedBy"], &update["comment"]),
        (
            &object!("Ignored"),
            &object!("ann@contoso.example"),
            &object!("pilot")
        )
    );
    control
        .revert("contoso", "userriskpolicy", "bob@contoso.example")
        .unwrap();
    let profile = stage.profile("contoso", "UserRiskPolicy").await;
    assert_eq!(newest(&profile)["state"], "Default");
    assert_eq!(profile["controlStateUpdates"].as_array().unwrap().len(), 3);
    let elsewhere = stage.profile("adatum", "UserRiskPolicy").await;
    assert_eq!(
        elsewhere["controlStateUpdates"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn a_state_can_be_dated_and_of_any_word() {
    let stage = Stage::new().await;
    let control = stage.simulator.control();
    let at = "2020-01-02T03:04:05Z".parse().unwrap();
    control
        .set_state("contoso", "scid_2000", "Acknowledged", None, None, Some(at))
        .unwrap();
    let profile = stage.profile("contoso", "scid_2000").await;
    let update = &profile["controlStateUpdates"][1];
    assert_eq!(
        (&update["state"], &update["updatedDateTime"]),
        (
            &object!("Acknowledged"),
            &object!("2020-01-02T03:04:05.0000000Z")
        )
    );
}

#[tokio::test]
async fn touching_a_control_changes_no_sums() {
    let stage = Stage::new().await;
    let before = stage.newest_report("litware").await;
    stage
        .simulator
        .control()
        .accept("litware", "AATP_Sensor", "ann", "")
        .unwrap();
    assert_eq!(stage.newest_report("litware").await, before);
}

#[tokio::test]
async fn a_set_score_moves_the_sum_of_the_newest_report_only() {
    let stage = Stage::new().await;
    let control = stage.simulator.control();
    let sums = async || {
        let list = stage.list("contoso", "secureScores?$top=2").await;
        [0, 1].map(|day| elements(&list)[day]["currentScore"].as_f64().unwrap())
    };
    control.set_score("contoso", "AdminMFAV2", 0.0).unwrap();
    let low = sums().await;
    control.set_score("contoso", "AdminMFAV2", 82.5).unwrap();
    let high = sums().await;
    assert!((high[0] - low[0] - 8.25).abs() < 1e-6);
    assert!((high[1] - low[1]).abs() < 1e-6);
    assert_eq!(control.score("contoso", "AdminMFAV2"), Ok(82.5));
}

#[tokio::test]
async fn an_element_can_be_replaced_by_anything() {
    let stage = Stage::new().await;
    let control = stage.simulator.control();
    control
        .set_profile_json("contoso", "OneAdmin", object!(["odd"]))
        .unwrap();
    control
        .set_score_json("contoso", "AdminMFAV2", object!(null))
        .unwrap();
    assert!(stage.profiles("contoso").await.contains(&object!(["odd"])));
    assert!(
        stage.newest_report("contoso").await["controlScores"]
            .as_array()
            .unwrap()
            .contains(&Value::Null)
    );
}

#[tokio::test]
async fn a_wrong_name_is_answered_with_what_is_possible() {
    let stage = Stage::new().await;
    let control = stage.simulator.control();
    let error = control
        .accept("contosso", "UserRiskPolicy", "a", "b")
        .unwrap_err();
    assert!(error.to_string().contains("contoso, fabrikam"), "{error}");
    let error = control
        .accept("contoso", "UserRiskPolcy", "a", "b")
        .unwrap_err();
    assert!(error.to_string().contains("\"UserRiskPolicy\""), "{error}");
    assert_eq!(
        control.set_score("contoso", "AdminMFAV2", 101.0),
        Err(ControlError::NotAPercentage(101.0))
    );
    assert!(matches!(
        control.set_score("litware", "AATP_Sensor", 1.0),
        Err(ControlError::NotScored { .. })
    ));
}

#[tokio::test]
async fn requests_are_remembered() {
    let stage = Stage::new().await;
    stage.profiles("contoso").await;
    let requests = stage.simulator.control().requests();
    let pages: Vec<_> = requests
        .iter()
        .filter(|r| r.api == Some(Api::Profiles))
        .map(|r| (r.page, r.status))
        .collect();
    assert_eq!(pages, [(1, 200), (2, 200)]);
    assert!(
        requests
            .iter()
            .all(|request| request.tenant.as_deref() == Some("contoso"))
    );
    assert!(requests[0].path_and_query.ends_with("/oauth2/v2.0/token"));
}

struct Panel {
    stage: Stage,
    url: String,
}

impl Panel {
    async fn new() -> Self {
        let control_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let stage = Stage::with(Options {
            control_listen,
            ..Options::default()
        })
        .await;
        let url = stage.simulator.control_url().unwrap().to_owned();
        Self { stage, url }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let method = method.parse().unwrap();
        let request = self
            .stage
            .http
            .request(method, format!("{}{path}", self.url))
            .body(body.to_string());
        let response = request.send().await.unwrap();
        (response.status().as_u16(), json(response).await)
    }
}

#[tokio::test]
async fn people_with_curl_can_do_what_the_handle_can() {
    let panel = Panel::new().await;
    let path = "/tenants/contoso/controls/11770%2EMDA_Google_EnableTwoFactorAuth";
    let accept = panel
        .send(
            "POST",
            &format!("{path}/accept"),
            object!({"by": "ann", "comment": "why"}),
        )
        .await;
    assert_eq!(accept, (200, object!({"done": true})));
    let profile = panel
        .stage
        .profile("contoso", "11770.MDA_Google_EnableTwoFactorAuth")
        .await;
    assert_eq!(newest(&profile)["comment"], "why");
    assert_eq!(
        panel
            .send("POST", &format!("{path}/revert"), object!({"by": "ann"}))
            .await
            .0,
        200
    );
    let state = object!({"state": "Reviewed", "at": "2026-01-02T03:04:05Z"});
    assert_eq!(
        panel.send("POST", &format!("{path}/state"), state).await.0,
        200
    );
    let score = panel
        .send(
            "POST",
            "/tenants/contoso/controls/AdminMFAV2/score",
            object!({"percentage": 12}),
        )
        .await;
    assert_eq!(score.0, 200);
    assert_eq!(
        panel
            .stage
            .simulator
            .control()
            .score("contoso", "AdminMFAV2"),
        Ok(12.0)
    );
    let (_, tenants) = panel.send("GET", "/tenants", Value::Null).await;
    assert_eq!(tenants.as_array().unwrap().len(), 5);
    let (_, rotated) = panel
        .send("POST", "/tenants/contoso/rotate-secret", Value::Null)
        .await;
    assert_eq!(
        rotated["client_secret"],
        panel.stage.tenant("contoso").client_secret
    );
    assert_eq!(
        panel
            .send("POST", "/tenants/contoso/revoke-tokens", Value::Null)
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn faults_come_and_go_over_http() {
    let panel = Panel::new().await;
    let fault = object!({"api": "scores", "tenant": "contoso", "what": {"status": 503}});
    assert_eq!(
        panel.send("POST", "/faults", fault.clone()).await,
        (200, object!({"id": 1}))
    );
    assert_eq!(
        panel.send("POST", "/faults", fault).await,
        (200, object!({"id": 2}))
    );
    assert_eq!(
        panel.stage.get("contoso", "secureScores").await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(
        panel.stage.get("adatum", "secureScores").await.status(),
        StatusCode::OK
    );
    let (_, faults) = panel.send("GET", "/faults", Value::Null).await;
    assert_eq!(
        (&faults[0]["struck"], &faults[0]["tenant"]),
        (&object!(1), &object!("contoso"))
    );
    assert_eq!(panel.send("DELETE", "/faults/1", Value::Null).await.0, 200);
    assert_eq!(panel.send("DELETE", "/faults", Value::Null).await.0, 200);
    assert_eq!(
        panel.stage.get("contoso", "secureScores").await.status(),
        StatusCode::OK
    );
    let (_, requests) = panel.send("GET", "/requests", Value::Null).await;
    assert!(
        requests
            .as_array()
            .unwrap()
            .iter()
            .any(|request| request["status"] == 503 && request["api"] == "scores")
    );
}

#[tokio::test]
async fn bad_input_is_named() {
    let panel = Panel::new().await;
    let accept = "/tenants/contoso/controls/UserRiskPolicy/accept";
    for (path, body, status, word) in [
        (accept, object!({"comment": "x"}), 400, "by"),
        (accept, object!({"by": "x", "coment": "y"}), 400, "coment"),
        ("/tenants/nobody/revoke-tokens", Value::Null, 404, "contoso"),
        (
            "/tenants/contoso/controls/Nothing/revert",
            object!({"by": "x"}),
            404,
            "Nothing",
        ),
        (
            "/tenants/contoso/controls/OneAdmin/explode",
            object!({}),
            404,
            "accept, revert",
        ),
        (
            "/tenants/contoso/controls/OneAdmin/state",
            object!({"state": "x", "at": "noon"}),
            400,
            "noon",
        ),
        (
            "/tenants/contoso/controls/AdminMFAV2/score",
            object!({"percentage": 120}),
            400,
            "0 to 100",
        ),
        (
            "/faults",
            object!({"api": "scores", "what": "explode"}),
            400,
            "reset",
        ),
        (
            "/faults",
            object!({"api": "scores", "what": {"aadsts": 50196}}),
            400,
            "token",
        ),
        (
            "/faults",
            object!({"api": "scores", "what": "reset", "tenant": "nobody"}),
            404,
            "contoso",
        ),
        ("/elsewhere", Value::Null, 404, "GET /"),
    ] {
        let (code, answer) = panel.send("POST", path, body).await;
        assert_eq!(code, status, "{path} {answer}");
        assert!(answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
}

#[tokio::test]
async fn the_control_api_tells_what_it_can_and_stays_on_loopback() {
    let panel = Panel::new().await;
    let help = panel
        .stage
        .http
        .get(&panel.url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(help.contains("POST   /faults") && help.contains("gzip_bomb"));
    let open = Some(SocketAddr::from(([0, 0, 0, 0], 0)));
    let error = Simulator::start(Options {
        control_listen: open,
        ..Options::default()
    })
    .await
    .unwrap_err();
    assert!(matches!(error, SimulatorError::NotLoopback { .. }));
}

#[tokio::test]
async fn a_stopped_simulator_frees_its_port() {
    let stage = Stage::new().await;
    let address = stage
        .simulator
        .url()
        .trim_start_matches("https://")
        .parse::<SocketAddr>()
        .unwrap();
    stage.simulator.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[test]
fn the_story_names_who_does_what() {
    let lines = story(&Options {
        living: true,
        ..Options::default()
    });
    assert!(
        lines[0].contains("UserRiskPolicy") && lines[0].contains("contoso"),
        "{lines:?}"
    );
    assert!(lines.iter().any(|line| line.contains("withdraws")));
}
