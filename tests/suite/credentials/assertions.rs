//! The simulated Entra verifies assertions: valid and invalid ones, signed by
//! openssl.

use super::openssl::{certificate, openssl};
use super::stage::Stage;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use std::fs;

const PSS: &str = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest";

/// Signs a header and claims with the key of `app`, by openssl.
fn signed(stage: &Stage, header: &Value, claims: &Value) -> String {
    signed_with(stage, PSS, header, claims)
}

fn signed_with(stage: &Stage, padding: &str, header: &Value, claims: &Value) -> String {
    let folder = stage.folder();
    let message = format!(
        "{}.{}",
        BASE64.encode(header.to_string()),
        BASE64.encode(claims.to_string())
    );
    fs::write(folder.join("message"), &message).unwrap();
    let command = format!("dgst -sha256 -sign app-key.pem {padding} -out signature message");
    openssl(folder, &command);
    let signature = fs::read(folder.join("signature")).unwrap();
    format!("{message}.{}", BASE64.encode(signature))
}

/// Entra's error number for an assertion, if it refuses it.
async fn error_number(stage: &Stage, assertion: &str) -> Option<u64> {
    let tenant = stage.tenant("contoso");
    let ca = reqwest::Certificate::from_pem(stage.simulator.ca_pem().as_bytes()).unwrap();
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([ca])
        .build()
        .unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &tenant.client_id),
        ("scope", "https://graph.microsoft.com/.default"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let answer = http.post(audience(stage)).body(body).send().await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(
        answer["access_token"].is_string(),
        answer["error_codes"].is_null()
    );
    answer["error_codes"][0].as_u64()
}

fn audience(stage: &Stage) -> String {
    let id = stage.tenant("contoso").entra_id;
    format!("{}/{id}/oauth2/v2.0/token", stage.simulator.url())
}

#[tokio::test]
async fn entra_verifies_the_signature_and_each_claim() {
    let stage = Stage::new().await;
    certificate(stage.folder(), "app", 365);
    openssl(stage.folder(), "x509 -in app.pem -outform der -out app.der");
    openssl(
        stage.folder(),
        "dgst -sha256 -binary -out thumbprint app.der",
    );
    let thumbprint = fs::read(stage.folder().join("thumbprint")).unwrap();
    let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": BASE64.encode(thumbprint)});
    let client = stage.tenant("contoso").client_id;
    let now = jiff::Timestamp::now().as_second();
    let good = json!({
        "aud": audience(&stage), "iss": client, "sub": client, "jti": "1",
        "nbf": now, "exp": now + 600,
    });
    let but = |change: Value| {
        let mut claims = good.clone();
        let claims_of = claims.as_object_mut().unwrap();
        claims_of.extend(change.as_object().unwrap().clone());
        claims
    };

    let unknown = signed(&stage, &header, &good);
    assert_eq!(
        error_number(&stage, &unknown).await,
        Some(700_027),
        "not registered"
    );
    stage.register("app.pem");
    assert_eq!(error_number(&stage, &unknown).await, None, "good");
    for (claims, number) in [
        (but(json!({"aud": "https://elsewhere.example"})), 700_023),
        (but(json!({"iss": "another"})), 700_021),
        (but(json!({"sub": "another"})), 700_021),
        (but(json!({"jti": ""})), 700_027),
        (but(json!({"exp": now + 3600})), 700_027),
        (but(json!({"nbf": now - 1000, "exp": now - 400})), 700_024),
        (but(json!({"nbf": now + 1000, "exp": now + 1600})), 700_024),
    ] {
        let assertion = signed(&stage, &header, &claims);
        assert_eq!(
            error_number(&stage, &assertion).await,
            Some(number),
            "{claims}"
        );
    }
    let (message, signature) = unknown.rsplit_once('.').unwrap();
    let mut bytes = BASE64.decode(signature).unwrap();
    bytes[0] ^= 1;
    let forged = format!("{message}.{}", BASE64.encode(bytes));
    assert_eq!(
        error_number(&stage, &forged).await,
        Some(700_027),
        "another signature"
    );
    assert_eq!(error_number(&stage, "no token").await, Some(50_027));
    let claimed = json!({"alg": "none", "x5t#S256": header["x5t#S256"]});
    let unsigned = signed(&stage, &claimed, &good);
    assert_eq!(
        error_number(&stage, &unsigned).await,
        Some(700_027),
        "another algorithm"
    );

    openssl(stage.folder(), "dgst -sha1 -binary -out thumbprint app.der");
    let sha1 = BASE64.encode(fs::read(stage.folder().join("thumbprint")).unwrap());
    let older = json!({"alg": "RS256", "typ": "JWT", "x5t": format!("{sha1}=")});
    let mut claims = good.clone();
    claims.as_object_mut().unwrap().remove("nbf");
    claims["iat"] = json!(now as f64 + 0.5);
    claims["exp"] = json!(now as f64 + 600.5);
    let assertion = signed_with(&stage, "", &older, &claims);
    assert_eq!(error_number(&stage, &assertion).await, None, "SHA-1");
    let padded = format!("{assertion}=");
    assert_eq!(error_number(&stage, &padded).await, None, "padded");
    let mixed = json!({"alg": "PS256", "x5t": sha1});
    let assertion = signed(&stage, &mixed, &claims);
    assert_eq!(error_number(&stage, &assertion).await, Some(700_027));
}
