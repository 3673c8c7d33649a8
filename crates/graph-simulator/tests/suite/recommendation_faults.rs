//! Faults of the recommendations and of the Identity Secure Score.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use graph_simulator::{
    Api, Fault, FaultKind, OddElement, OddField, Options, RecommendationsAccess, RetryAfter,
};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::client::{
    IDENTITY_SCORES, PROFILES, RECOMMENDATIONS, TestClient, elements, header, json, send,
};

const BOTH: [(Api, &str); 2] = [
    (Api::Recommendations, RECOMMENDATIONS),
    (Api::IdentityScores, IDENTITY_SCORES),
];

async fn response(api: Api, kind: FaultKind) -> Response {
    let client = TestClient::granted().await;
    client.inject(api, kind);
    let token = client.token("contoso").await;
    let (_, list) = BOTH.into_iter().find(|both| both.0 == api).unwrap();
    send(client.request(&token, list)).await
}

async fn list(api: Api, kind: FaultKind) -> Vec<Value> {
    elements(&json(response(api, kind).await).await).clone()
}

#[tokio::test]
async fn both_lists_fail_like_the_others() {
    let retry_after = RetryAfter::Seconds(7);
    for (api, _) in BOTH {
        let throttled = response(api, FaultKind::Throttle { retry_after }).await;
        assert_eq!(throttled.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(header(&throttled, "retry-after"), Some("7"));
        let slow = FaultKind::slow(Duration::from_millis(1));
        assert_eq!(response(api, slow).await.status(), StatusCode::OK);
        let partial = response(api, FaultKind::Partial206).await;
        assert_eq!(partial.status(), StatusCode::PARTIAL_CONTENT);
        let malformed = response(api, FaultKind::Malformed).await;
        assert!(serde_json::from_str::<Value>(&malformed.text().await.unwrap()).is_err());
        assert!(list(api, FaultKind::EmptyValue).await.is_empty());
        let truncated = response(api, FaultKind::Truncated).await;
        assert!(truncated.bytes().await.is_err());
        let foreign = FaultKind::NextLinkForeign("evil.example".to_owned());
        let foreign = json(response(api, foreign).await).await;
        let link = foreign["@odata.nextLink"].as_str().unwrap();
        assert!(link.starts_with("https://evil.example/beta/directory/recommendations"));
    }
}

#[tokio::test]
async fn a_missing_permission_and_a_missing_list_have_the_errors_of_graph() {
    for (api, _) in BOTH {
        for (kind, status, code) in [
            (FaultKind::Forbidden, 403, "Authorization_RequestDenied"),
            (FaultKind::NotAvailable(400), 400, "BadRequest"),
            (FaultKind::NotAvailable(404), 404, "ResourceNotFound"),
        ] {
            let response = response(api, kind).await;
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(json(response).await["error"]["code"], code);
        }
    }
}

#[tokio::test]
async fn a_delegated_token_has_scopes_instead_of_roles() {
    let client = TestClient::new().await;
    let scopes = "User.Read DirectoryRecommendations.Read.All".to_owned();
    client.inject(Api::Token, FaultKind::Scopes(scopes.clone()));
    let token = client.token("contoso").await;
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap());
    let claims: Value = serde_json::from_slice(&payload.unwrap()).unwrap();
    assert_eq!(claims["scp"], scopes);
    assert!(claims.get("roles").is_none());
    let status = async |list| send(client.request(&token, list)).await.status();
    assert_eq!(status(RECOMMENDATIONS).await, StatusCode::OK);
    assert_eq!(status(PROFILES).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_id_has_no_tenant_or_another_one() {
    let own = TestClient::new().await.tenant("contoso").entra_id;
    let id = |element: &Value| element["id"].as_str().unwrap().to_owned();
    let bare = list(Api::Recommendations, FaultKind::BareId).await;
    assert_eq!(id(&bare[0]), "userRiskPolicy");
    let foreign = list(Api::Recommendations, FaultKind::WrongTenant).await;
    for element in foreign {
        let id = id(&element);
        let (tenant, name) = id.split_once('_').unwrap();
        assert!(tenant.len() == own.len() && tenant != own && !name.is_empty());
    }
    let upper = list(Api::Recommendations, FaultKind::UpperCaseTenant).await;
    let expected = format!("{}_userRiskPolicy", own.to_ascii_uppercase());
    assert_eq!(id(&upper[0]), expected);
}

#[tokio::test]
async fn recommendations_are_corrupted() {
    let api = Api::Recommendations;
    let first = async |kind| list(api, kind).await[0].clone();
    let unknown = first(FaultKind::UnknownValues).await;
    for key in ["status", "category", "recommendationType"] {
        assert_eq!(unknown[key], "Quantum", "{key}");
    }
    let twice = list(api, FaultKind::DuplicateType).await;
    assert_eq!(
        twice[0]["recommendationType"],
        twice[1]["recommendationType"]
    );
    assert_ne!(twice[0]["id"], twice[1]["id"]);
    let twice = list(api, FaultKind::DuplicateElement).await;
    assert_eq!(twice.first(), twice.last());
    let odd = first(FaultKind::OddElement(OddElement::NotAnObject)).await;
    assert_eq!(odd, 42);
    let odd = first(FaultKind::OddElement(OddElement::WrongTypes)).await;
    assert_eq!(odd["status"], 7);
    assert_eq!(first(FaultKind::MinusOne).await["currentScore"], -1);
    let score = async |odd| first(FaultKind::OddField(odd)).await;
    assert_eq!(score(OddField::TextNumber).await["currentScore"], "many");
    assert!(
        score(OddField::NoNumber)
            .await
            .get("currentScore")
            .is_none()
    );
    for (odd, part) in [
        (OddField::HugeNumber, r#""currentScore":1e400"#),
        (OddField::LoneSurrogate, r#""displayName":"half \ud83d"#),
    ] {
        let text = response(api, FaultKind::OddField(odd)).await.text().await;
        assert_eq!(text.unwrap().matches(part).count(), 1);
    }
}

#[tokio::test]
async fn identity_scores_are_corrupted() {
    let api = Api::IdentityScores;
    let first = async |kind| list(api, kind).await[0].clone();
    assert_eq!(first(FaultKind::MinusOne).await["tenantMaxScore"], -1);
    let score = async |odd| first(FaultKind::OddField(odd)).await;
    assert_eq!(score(OddField::TextNumber).await["tenantScore"], "many");
    assert!(score(OddField::NoNumber).await.get("tenantScore").is_none());
    let odd = first(FaultKind::OddElement(OddElement::WrongTypes)).await;
    assert_eq!(odd["createDateTime"], 7);
    let twice = list(api, FaultKind::DuplicateElement).await;
    assert_eq!(twice.first(), twice.last());
    let handle = TestClient::new().await.handle();
    for kind in [
        FaultKind::WrongTenant,
        FaultKind::UnknownValues,
        FaultKind::BareId,
    ] {
        assert!(handle.inject(None, Fault::new(api, kind)).is_err());
    }
}

#[tokio::test]
async fn a_repeated_page_shows_each_of_its_elements_twice() {
    for page_size in [200, 10] {
        let client = TestClient::with(Options {
            recommendations: RecommendationsAccess::Granted,
            page_size,
            ..Options::default()
        })
        .await;
        let all = client.all("contoso", RECOMMENDATIONS).await;
        client.inject(Api::Recommendations, FaultKind::RepeatedPage);
        let repeated = client.all("contoso", RECOMMENDATIONS).await;
        let page = page_size.min(all.len());
        assert_eq!(repeated[..page], all[..page]);
        assert_eq!(repeated[page..], all);
    }
}

#[tokio::test]
async fn an_echo_is_in_every_text_of_the_list() {
    let echo = list(Api::Recommendations, FaultKind::EchoAnswer).await;
    for key in ["id", "displayName", "lastModifiedBy"] {
        let text = echo[0][key].as_str().unwrap();
        assert!(text.contains("authorization: Bearer "), "{key}");
    }
    let echo = list(Api::IdentityScores, FaultKind::EchoAnswer).await;
    assert!(
        echo[0]["createDateTime"]
            .as_str()
            .unwrap()
            .contains("Bearer")
    );
}
