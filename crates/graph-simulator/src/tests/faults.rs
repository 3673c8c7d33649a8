//! Each fault does what it says.

use std::time::Duration;

use super::super::{Api, Fault, Oddity, RetryAfter, What};
use super::*;

const PROFILES: &str = "secureScoreControlProfiles";
const SCORES: &str = "secureScores?$top=1";

/// A stage with one fault, and a token got before it.
async fn struck(api: Api, what: What) -> (Stage, String) {
    let stage = Stage::new().await;
    let token = stage.token("contoso").await;
    stage
        .simulator
        .control()
        .inject(None, Fault::new(api, what))
        .unwrap();
    (stage, token)
}

async fn profiles_with(what: What) -> Response {
    let (stage, token) = struck(Api::Profiles, what).await;
    stage.try_get(&token, PROFILES).await.unwrap()
}

async fn spoiled(api: Api, what: What) -> Value {
    let (stage, token) = struck(api, what).await;
    let path = if api == Api::Profiles {
        PROFILES
    } else {
        SCORES
    };
    json(stage.try_get(&token, path).await.unwrap()).await
}

#[tokio::test]
async fn throttling_says_when_to_come_back_or_does_not() {
    let retry_after = async |retry_after| {
        let response = profiles_with(What::Throttle { retry_after }).await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        response
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(retry_after(RetryAfter::None).await, None);
    assert_eq!(
        retry_after(RetryAfter::Seconds(7)).await.as_deref(),
        Some("7")
    );
    assert!(
        retry_after(RetryAfter::HttpDate(7))
            .await
            .unwrap()
            .ends_with(" GMT")
    );
}

#[tokio::test]
async fn statuses_carry_an_error_body() {
    for (what, status) in [
        (What::Status(503), 503),
        (What::Forbidden, 403),
        (What::SelectUnsupported(501), 200),
        (What::Redirect("https://elsewhere.example/".into()), 302),
        (What::Partial206, 206),
    ] {
        let response = profiles_with(what).await;
        assert_eq!(response.status().as_u16(), status);
        if status >= 400 {
            assert!(json(response).await["error"]["code"].is_string());
        }
    }
}

#[tokio::test]
async fn a_refused_selection_goes_well_without() {
    let (stage, token) = struck(Api::Profiles, What::SelectUnsupported(400)).await;
    let status = async |path| stage.try_get(&token, path).await.unwrap().status().as_u16();
    assert_eq!(status("secureScoreControlProfiles?$select=id").await, 400);
    assert_eq!(status(PROFILES).await, 200);
}

#[tokio::test]
async fn the_token_endpoint_fails_in_its_own_shape() {
    let (stage, _) = struck(Api::Token, What::Aadsts(7_000_222)).await;
    let tenant = stage.tenant("contoso");
    let response = stage
        .ask_token(&tenant.entra_id, &stage.form(&tenant))
        .await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(json(response).await["error_codes"][0], 7_000_222);
    let control = stage.simulator.control();
    control.clear();
    control
        .inject(None, Fault::new(Api::Token, What::Status(500)))
        .unwrap();
    let response = stage
        .ask_token(&tenant.entra_id, &stage.form(&tenant))
        .await;
    assert!(json(response).await["error_description"].is_string());
}

#[tokio::test]
async fn a_token_without_the_role_is_forbidden() {
    let (stage, _) = struck(Api::Token, What::Roles(vec![])).await;
    assert_eq!(
        stage.get("contoso", SCORES).await.status(),
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_token_of_a_stranger_still_opens_the_right_tenant() {
    let (stage, token) = struck(Api::Token, What::WrongTenant).await;
    let strange = stage.token("contoso").await;
    assert_ne!(strange, token);
    let claims = strange.split('.').nth(1).unwrap();
    assert_ne!(claims, token.split('.').nth(1).unwrap());
    assert_eq!(
        stage.try_get(&strange, SCORES).await.unwrap().status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn bodies_that_are_no_list() {
    assert!(
        serde_json::from_str::<Value>(&profiles_with(What::Malformed).await.text().await.unwrap())
            .is_err()
    );
    let page = profiles_with(What::WrongContentType).await;
    assert!(
        page.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert_eq!(
        profiles_with(What::EmptyBody).await.text().await.unwrap(),
        ""
    );
    assert_eq!(
        spoiled(Api::Scores, What::EmptyValue).await,
        serde_json::json!({"value": []})
    );
}

#[tokio::test]
async fn bodies_that_are_too_large() {
    let bytes = profiles_with(What::HugeBody(1_000_000)).await;
    assert_eq!(bytes.content_length(), None);
    assert!(bytes.bytes().await.unwrap().len() >= 1_000_000);
    let (stage, token) = struck(Api::Profiles, What::GzipBomb(2_000_000)).await;
    let packed = client(&stage.simulator).no_gzip().build().unwrap();
    let url = format!("{}/v1.0/security/{PROFILES}", stage.simulator.url());
    let packed = packed
        .get(url)
        .bearer_auth(&token)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let unpacked = stage
        .try_get(&token, PROFILES)
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert!(packed.len() < 100_000 && unpacked.len() == 2_000_000);
}

#[tokio::test]
async fn connections_break() {
    for http1 in [false, true] {
        let (mut stage, token) = struck(Api::Profiles, What::Reset).await;
        if http1 {
            stage.http = client(&stage.simulator).http1_only().build().unwrap();
        }
        assert!(stage.try_get(&token, PROFILES).await.is_err());
        assert_eq!(
            stage.simulator.control().requests().last().unwrap().status,
            0
        );
        stage.simulator.control().clear();
        stage
            .simulator
            .control()
            .inject(None, Fault::new(Api::Profiles, What::Truncated))
            .unwrap();
        let response = stage.try_get(&token, PROFILES).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.bytes().await.is_err());
    }
}

#[tokio::test]
async fn a_stalled_answer_has_headers_and_no_end() {
    let response = profiles_with(What::Stall).await;
    assert_eq!(response.status(), StatusCode::OK);
    let body = tokio::time::timeout(Duration::from_millis(200), response.bytes()).await;
    assert!(!matches!(body, Ok(Ok(_))));
}

#[tokio::test]
async fn a_slow_answer_comes_in_the_end() {
    let list = spoiled(Api::Profiles, What::slow(Duration::from_millis(20))).await;
    assert_eq!(elements(&list).len(), 200);
}

#[tokio::test]
async fn next_links_go_astray() {
    let link = async |what| {
        let (stage, token) = struck(Api::Profiles, what).await;
        let list = json(stage.try_get(&token, PROFILES).await.unwrap()).await;
        let url = stage.simulator.url().to_owned();
        (list["@odata.nextLink"].as_str().unwrap().to_owned(), url)
    };
    let (looped, url) = link(What::NextLinkLoop).await;
    assert_eq!(looped, format!("{url}/v1.0/security/{PROFILES}"));
    assert!(
        link(What::NextLinkForeign("evil.example".into()))
            .await
            .0
            .starts_with("https://evil.example/v1.0/")
    );
    assert!(
        link(What::NextLinkHttp)
            .await
            .0
            .starts_with("http://127.0.0.1")
    );
}

#[tokio::test]
async fn endless_pages_never_repeat_an_address() {
    let (stage, token) = struck(Api::Profiles, What::EndlessPages).await;
    let mut seen = std::collections::BTreeSet::new();
    let mut next = PROFILES.to_owned();
    for _ in 0..6 {
        assert!(seen.insert(next.clone()));
        let list = json(stage.try_get(&token, &next).await.unwrap()).await;
        assert!(!elements(&list).is_empty());
        next = list["@odata.nextLink"].as_str().unwrap().to_owned();
    }
    let pages: Vec<_> = stage
        .simulator
        .control()
        .requests()
        .iter()
        .skip(1)
        .map(|request| request.page)
        .collect();
    assert_eq!(pages, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn elements_are_spoiled() {
    let id = Stage::new().await.tenant("contoso").entra_id;
    for api in [Api::Profiles, Api::Scores] {
        let list = spoiled(api, What::WrongTenant).await;
        assert_ne!(elements(&list)[0]["azureTenantId"], id);
        assert!(
            spoiled(api, What::UnknownValues)
                .await
                .to_string()
                .contains("Quantum")
        );
        assert!(
            spoiled(api, What::MinusOne)
                .await
                .to_string()
                .contains(":-1")
        );
    }
    let list = spoiled(Api::Profiles, What::OddElement(Oddity::NotAnObject)).await;
    assert_eq!(
        (&elements(&list)[0], elements(&list).len()),
        (&serde_json::json!(42), 201)
    );
    let list = spoiled(Api::Scores, What::OddElement(Oddity::WrongTypes)).await;
    assert_eq!(elements(&list)[0]["controlScores"][0]["score"], "some");
    let list = spoiled(Api::Profiles, What::DuplicateElement).await;
    assert_eq!(elements(&list).first(), elements(&list).last());
}

#[tokio::test]
async fn histories_are_spoiled() {
    let list = spoiled(Api::Profiles, What::BareHistory).await;
    let bare = |value: Value| {
        elements(&list)
            .iter()
            .any(|profile| profile["controlStateUpdates"] == value)
    };
    assert!(bare(Value::Null) && bare(serde_json::json!([])));
    let list = spoiled(Api::Profiles, What::UnsortedHistory).await;
    let profile = elements(&list)
        .iter()
        .find(|profile| profile["id"] == "aad_admin_consent_workflow")
        .unwrap();
    assert_eq!(profile["controlStateUpdates"][0]["state"], "Default");
    assert!(profile["controlStateUpdates"][0]["updatedDateTime"].is_string());
}

#[tokio::test]
async fn a_fault_on_the_second_page_leaves_the_first_alone() {
    let stage = Stage::new().await;
    let fault = Fault::new(Api::Profiles, What::Status(500))
        .on_page(2)
        .times(1);
    stage
        .simulator
        .control()
        .inject(Some("contoso"), fault)
        .unwrap();
    let first = stage.list("contoso", PROFILES).await;
    let link = first["@odata.nextLink"].as_str().unwrap();
    assert_eq!(
        stage.get("contoso", link).await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(stage.get("contoso", link).await.status(), StatusCode::OK);
}
