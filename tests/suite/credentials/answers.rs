//! Odd answers of the token endpoint. None is a fault of the exporter.

use super::stage::{Outcome, Stage};
use graph_simulator::{Api, Fault, FaultKind};
use serde_json::{Value, json};

/// Runs `check` with a secret while the token endpoint answers so.
async fn check(stage: &Stage, what: FaultKind) -> Outcome {
    stage.write("secret", &stage.tenant("contoso").client_secret);
    let credential = "type: client_secret, client_id: {client_id}, client_secret_file: secret";
    check_with(stage, credential, what).await
}

async fn check_with(stage: &Stage, credential: &str, what: FaultKind) -> Outcome {
    stage.handle().clear_faults();
    stage
        .handle()
        .inject(None, Fault::new(Api::Token, what.clone()))
        .unwrap();
    let checked = stage.check(credential).await;
    for fault in ["panic", "internal error"] {
        assert!(
            !checked.output.contains(fault),
            "{what:?}: {}",
            checked.output
        );
    }
    checked
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lifetime_of_a_token_is_a_fault_of_the_exporter() {
    let stage = Stage::new().await;
    for accepted in [
        json!(1_000_000_000_000_u64),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!("1e300"),
        json!("NaN"),
        json!("infinity"),
        json!("soon"),
        Value::Null,
        json!([3_599]),
    ] {
        let checked = check(&stage, FaultKind::ExpiresIn(accepted)).await;
        checked.expect(true, &["ok    contoso: token"]);
    }
    for refused in [json!(-5), json!(i64::MIN)] {
        let checked = check(&stage, FaultKind::ExpiresIn(refused)).await;
        checked.expect(false, &["the access token is not as documented"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_a_token_is_a_fault_of_the_exporter() {
    let stage = Stage::new().await;
    for token in [
        json!("two\nlines"),
        json!("\u{0}"),
        json!("a".repeat(100_000)),
        json!(""),
        Value::Null,
        json!(7),
    ] {
        let body = json!({"token_type": "Bearer", "expires_in": 3_599, "access_token": token});
        let checked = check(&stage, FaultKind::Body(body.to_string())).await;
        checked.expect(false, &["the access token is not as documented"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_about_a_managed_identity_is_a_fault_of_the_exporter() {
    let stage = Stage::new().await;
    for expires_on in [
        json!("253402300799"),
        json!("9999999999999999"),
        json!("-9999999999999999"),
        json!("1e300"),
        json!(253_402_300_799_u64),
        Value::Null,
    ] {
        let body = json!({
            "token_type": "Bearer",
            "resource": "https://graph.microsoft.com",
            "expires_on": expires_on,
            "access_token": "two\nlines",
        });
        let what = FaultKind::Body(body.to_string());
        let checked = check_with(&stage, "type: managed_identity", what).await;
        checked.expect(false, &["the access token is not as documented"]);
    }
}
