//! Access tokens, and the requests that they authorise.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use graph_simulator::{Options, TenantAccess};
use reqwest::StatusCode;
use serde_json::{Value, json as object};

use crate::client::{Form, SCORES, TestClient, header, json, send};

/// Status, `error` and AADSTS number of a rejected token request.
async fn rejection(client: &TestClient, tenant_id: &str, form: &Form) -> (u16, String, u64) {
    let response = client.request_token(tenant_id, form).await;
    let status = response.status().as_u16();
    let content_type = header(&response, "content-type");
    assert_eq!(content_type, Some("application/json; charset=utf-8"));
    let body = json(response).await;
    let number = body["error_codes"][0].as_u64().unwrap();
    let description = body["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!("AADSTS{number}: ")));
    for key in ["timestamp", "trace_id", "correlation_id"] {
        assert!(body[key].is_string(), "{key}");
    }
    (status, body["error"].as_str().unwrap().to_owned(), number)
}

fn changed(form: &Form, key: &str, value: &str) -> Form {
    let mut form = form.clone();
    let pair = form.iter_mut().find(|(name, _)| *name == key).unwrap();
    pair.1 = value.to_owned();
    form
}

#[tokio::test]
async fn a_token_contains_tenant_role_and_application() {
    let client = TestClient::new().await;
    let tenant = client.tenant("contoso");
    let form = client.form(&tenant);
    let body = json(client.request_token(&tenant.domain, &form).await).await;
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 3599);
    let token = body["access_token"].as_str().unwrap();
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap());
    let claims: Value = serde_json::from_slice(&payload.unwrap()).unwrap();
    assert_eq!(claims["tid"], tenant.entra_id);
    assert_eq!(claims["appid"], tenant.client_id);
    assert_eq!(claims["aud"], client.simulator.url());
    assert_eq!(claims["roles"], object!(["SecurityEvents.Read.All"]));
}

#[tokio::test]
async fn each_error_has_its_aadsts_number() {
    let client = TestClient::new().await;
    let tenant = client.tenant("contoso");
    let form = client.form(&tenant);
    let id = tenant.entra_id.as_str();
    let wrong = |key, value| changed(&form, key, value);
    for (id, form, status, error, number) in [
        (
            id,
            wrong("client_secret", "no"),
            401,
            "invalid_client",
            7_000_215,
        ),
        (
            id,
            wrong("client_id", "no"),
            400,
            "unauthorized_client",
            700_016,
        ),
        (id, wrong("scope", "openid"), 400, "invalid_scope", 70_011),
        (
            id,
            wrong("grant_type", "password"),
            400,
            "unsupported_grant_type",
            70_003,
        ),
        (
            id,
            wrong("scope", "https://other.example/.default"),
            400,
            "invalid_resource",
            500_011,
        ),
        (id, Form::new(), 400, "invalid_request", 900_144),
        (
            "unknown.example",
            form.clone(),
            400,
            "invalid_request",
            90_002,
        ),
    ] {
        let rejected = rejection(&client, id, &form).await;
        assert_eq!(rejected, (status, error.to_owned(), number));
    }
}

#[tokio::test]
async fn the_scopes_of_the_real_clouds_are_accepted() {
    let client = TestClient::new().await;
    let tenant = client.tenant("contoso");
    let scope = "https://graph.microsoft.com/.default";
    let form = changed(&client.form(&tenant), "scope", scope);
    let response = client.request_token(&tenant.entra_id, &form).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_scopes_of_openid_may_stand_beside_that_of_the_resource() {
    let client = TestClient::new().await;
    let tenant = client.tenant("contoso");
    let resource = "https://graph.microsoft.com/.default";
    for (scope, status) in [
        (format!("{resource} openid profile offline_access"), 200),
        (format!("openid {resource}"), 200),
        ("openid".to_owned(), 400),
        (
            format!("{resource} https://graph.microsoft.us/.default"),
            400,
        ),
    ] {
        let form = changed(&client.form(&tenant), "scope", &scope);
        let response = client.request_token(&tenant.entra_id, &form).await;
        assert_eq!(response.status().as_u16(), status, "{scope}");
    }
}

#[tokio::test]
async fn discovery_names_the_token_endpoint_of_the_tenant() {
    let client = TestClient::new().await;
    let tenant = client.tenant("contoso");
    let discovery = async |tenant: &str| {
        let path = "v2.0/.well-known/openid-configuration";
        let url = format!("{}/{tenant}/{path}", client.simulator.url());
        json(send(client.http.get(url)).await).await
    };
    let root = format!("{}/{}", client.simulator.url(), tenant.entra_id);
    for name in [&tenant.entra_id, &tenant.domain] {
        let configuration = discovery(name).await;
        let endpoint = format!("{root}/oauth2/v2.0/token");
        assert_eq!(configuration["token_endpoint"], endpoint);
        assert_eq!(configuration["issuer"], format!("{root}/v2.0"));
    }
    assert_eq!(discovery("unknown.example").await["error_codes"][0], 90_002);
}

#[tokio::test]
async fn the_link_for_the_consent_leads_to_a_page_that_explains_it() {
    let client = TestClient::new().await;
    let tenant = client.tenant("contoso");
    let page = async |tenant: &str| {
        let query = "adminconsent?client_id=c";
        let url = format!("{}/{tenant}/{query}", client.simulator.url());
        send(client.http.get(url)).await
    };
    let response = page(&tenant.entra_id).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers()["content-type"],
        "text/html; charset=utf-8"
    );
    let text = response.text().await.unwrap();
    assert!(text.contains("<h1>Consent, simulated</h1>"), "{text}");
    let unknown = page("unknown.example").await;
    assert_eq!(json(unknown).await["error_codes"][0], 90_002);
}

#[tokio::test]
async fn a_list_requires_a_token_and_contains_the_data_of_its_tenant() {
    let client = TestClient::new().await;
    for token in ["", "nonsense", "a.b.c"] {
        let response = send(client.request(token, SCORES)).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let error = &json(response).await["error"];
        assert_eq!(error["code"], "InvalidAuthenticationToken");
        assert!(error["innerError"]["request-id"].is_string());
    }
    for name in ["contoso", "litware"] {
        let id = client.tenant(name).entra_id;
        assert_eq!(client.newest_report(name).await["azureTenantId"], id);
        let profiles = client.profiles(name).await;
        assert!(
            profiles
                .iter()
                .all(|profile| profile["azureTenantId"] == id)
        );
    }
}

#[tokio::test]
async fn a_revoked_token_is_rejected_and_a_new_one_accepted() {
    let client = TestClient::new().await;
    let old = client.token("contoso").await;
    let other = client.token("adatum").await;
    client.handle().revoke_tokens("contoso").unwrap();
    let new = client.token("contoso").await;
    for (token, status) in [
        (old, StatusCode::UNAUTHORIZED),
        (other, StatusCode::OK),
        (new, StatusCode::OK),
    ] {
        let response = send(client.request(&token, SCORES)).await;
        assert_eq!(response.status(), status);
    }
}

#[tokio::test]
async fn an_expired_token_is_rejected() {
    let client = TestClient::with(Options {
        token_lifetime: Duration::ZERO,
        ..Options::default()
    })
    .await;
    let status = client.status("contoso", SCORES).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_rotated_secret_replaces_the_old_one() {
    let client = TestClient::new().await;
    let before = client.tenant("contoso");
    let secret = client.handle().rotate_secret("contoso").unwrap();
    let rejected = rejection(&client, &before.entra_id, &client.form(&before)).await;
    assert_eq!(rejected.2, 7_000_215);
    let after = client.tenant("contoso");
    assert_eq!(after.client_secret, secret);
    let form = client.form(&after);
    let response = client.request_token(&after.entra_id, &form).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[test]
fn debug_output_contains_no_secret() {
    let access = TenantAccess {
        name: "a".into(),
        entra_id: "b".into(),
        display_name: "c".into(),
        domain: "d".into(),
        client_id: "e".into(),
        client_secret: "hush".into(),
    };
    assert!(!format!("{access:?}").contains("hush"));
}
