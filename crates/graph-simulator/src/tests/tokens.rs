//! Tokens and who may use them.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json as object;

use super::*;

async fn refusal(stage: &Stage, path_tenant: &str, form: &[(&str, String)]) -> (u16, String, u64) {
    let response = stage.ask_token(path_tenant, form).await;
    let status = response.status().as_u16();
    let content_type = response.headers()["content-type"].to_str().unwrap();
    assert_eq!(content_type, "application/json; charset=utf-8");
    let body = json(response).await;
    let number = body["error_codes"][0].as_u64().unwrap();
    let description = body["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!("AADSTS{number}: ")));
    for key in ["timestamp", "trace_id", "correlation_id"] {
        assert!(body[key].is_string(), "{key}");
    }
    (status, body["error"].as_str().unwrap().to_owned(), number)
}

fn changed(form: &[(&'static str, String)], key: &str, value: &str) -> Vec<(&'static str, String)> {
    let change = |(name, old): &(&'static str, String)| match *name == key {
        true => (*name, value.to_owned()),
        false => (*name, old.clone()),
    };
    form.iter().map(change).collect()
}

#[tokio::test]
async fn a_token_tells_its_tenant_role_and_application() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("contoso");
    let answer = json(stage.ask_token(&tenant.domain, &stage.form(&tenant)).await).await;
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"]),
        (&object!("Bearer"), &object!(3599))
    );
    let token = answer["access_token"].as_str().unwrap();
    let payload = URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(claims["tid"], tenant.entra_id);
    assert_eq!(claims["appid"], tenant.client_id);
    assert_eq!(claims["aud"], stage.simulator.url());
    assert_eq!(claims["roles"], object!(["SecurityEvents.Read.All"]));
}

#[tokio::test]
async fn each_mistake_has_its_number() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("contoso");
    let form = stage.form(&tenant);
    let id = tenant.entra_id.as_str();
    let wrong = |key, value| changed(&form, key, value);
    assert_eq!(
        refusal(&stage, id, &wrong("client_secret", "no")).await,
        (401, "invalid_client".into(), 7_000_215)
    );
    assert_eq!(
        refusal(&stage, id, &wrong("client_id", "no")).await,
        (400, "unauthorized_client".into(), 700_016)
    );
    assert_eq!(
        refusal(&stage, id, &wrong("scope", "openid")).await,
        (400, "invalid_scope".into(), 70_011)
    );
    assert_eq!(
        refusal(&stage, id, &wrong("grant_type", "password"))
            .await
            .2,
        70_003
    );
    assert_eq!(
        refusal(
            &stage,
            id,
            &wrong("scope", "https://other.example/.default")
        )
        .await
        .2,
        500_011
    );
    assert_eq!(refusal(&stage, id, &[]).await.2, 900_144);
    assert_eq!(
        refusal(&stage, "nobody.example", &form).await,
        (400, "invalid_request".into(), 90_002)
    );
}

#[tokio::test]
async fn the_scopes_of_the_real_clouds_are_taken() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("contoso");
    let form = changed(
        &stage.form(&tenant),
        "scope",
        "https://graph.microsoft.com/.default",
    );
    assert_eq!(
        stage.ask_token(&tenant.entra_id, &form).await.status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_list_needs_a_token_and_gives_that_tenants_data_only() {
    let stage = Stage::new().await;
    for token in ["", "nonsense", "a.b.c"] {
        let response = stage.try_get(token, "secureScores?$top=1").await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let error = json(response).await;
        assert_eq!(error["error"]["code"], "InvalidAuthenticationToken");
        assert!(error["error"]["innerError"]["request-id"].is_string());
    }
    for name in ["contoso", "litware"] {
        let id = stage.tenant(name).entra_id;
        assert_eq!(stage.newest_report(name).await["azureTenantId"], id);
        assert!(
            stage
                .profiles(name)
                .await
                .iter()
                .all(|profile| profile["azureTenantId"] == id)
        );
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_a_new_one_taken() {
    let stage = Stage::new().await;
    let old = stage.token("contoso").await;
    let other = stage.token("adatum").await;
    stage.simulator.control().revoke_tokens("contoso").unwrap();
    let status = async |token: &str| {
        stage
            .try_get(token, "secureScores?$top=1")
            .await
            .unwrap()
            .status()
    };
    assert_eq!(status(&old).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&other).await, StatusCode::OK);
    assert_eq!(status(&stage.token("contoso").await).await, StatusCode::OK);
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let stage = Stage::with(Options {
        token_lifetime: Duration::ZERO,
        ..Options::default()
    })
    .await;
    assert_eq!(
        stage.get("contoso", "secureScores?$top=1").await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_rotated_secret_voids_the_old_one() {
    let stage = Stage::new().await;
    let before = stage.tenant("contoso");
    let secret = stage.simulator.control().rotate_secret("contoso").unwrap();
    assert_eq!(
        refusal(&stage, &before.entra_id, &stage.form(&before))
            .await
            .2,
        7_000_215
    );
    let after = stage.tenant("contoso");
    assert_eq!(after.client_secret, secret);
    assert_eq!(
        stage
            .ask_token(&after.entra_id, &stage.form(&after))
            .await
            .status(),
        StatusCode::OK
    );
}

#[test]
fn an_access_does_not_print_its_secret() {
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
