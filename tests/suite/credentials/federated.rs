//! Federated tokens: the application trusts another issuer.

use super::stage::{Stage, until};
use graph_simulator::{Api, FederatedClaims};
use strict_yaml::testing::saved_on_windows;

const APPLICATION: &str = "type: workload_identity, client_id: {client_id}, token_file: token";

fn token(stage: &Stage, claims: &FederatedClaims) -> String {
    stage.handle().federated_token(claims).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_signs_in_with_the_token_of_its_cluster() {
    let stage = Stage::new().await;
    stage.write("token", &token(&stage, &FederatedClaims::default()));
    let checked = stage.check(APPLICATION).await;
    checked.expect(true, &["ok    contoso: token"]);

    // The variables that the webhook of Azure Workload Identity injects.
    stage.configure("contoso", "type: workload_identity");
    let file = stage.folder().join("token").display().to_string();
    let variables = [
        ("AZURE_CLIENT_ID", stage.tenant("contoso").client_id),
        ("AZURE_FEDERATED_TOKEN_FILE", file),
        ("AZURE_TENANT_ID", stage.tenant("contoso").entra_id),
    ];
    let variables = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let checked = stage.run(&["check"], &variables).await;
    checked.expect(true, &["ok    contoso: token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_saved_by_an_editor_of_windows_is_read() {
    let stage = Stage::new().await;
    let token = token(&stage, &FederatedClaims::default());
    for bytes in saved_on_windows(&format!("{token} \n")) {
        stage.write_bytes("token", &bytes);
        let checked = stage.check(APPLICATION).await;
        checked.expect(true, &["ok    contoso: token"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_does_not_match_is_refused_with_a_fix() {
    let stage = Stage::new().await;
    let trusted = FederatedClaims::default;
    let mut forged = token(&stage, &trusted());
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'Q' } else { 'A' });
    let rows = [
        (
            FederatedClaims {
                issuer: "https://other.example/".into(),
                ..trusted()
            },
            700_211,
        ),
        (
            FederatedClaims {
                audience: "api://other".into(),
                ..trusted()
            },
            700_212,
        ),
        (
            FederatedClaims {
                subject: "system:serviceaccount:default:default".into(),
                ..trusted()
            },
            700_213,
        ),
        (
            FederatedClaims {
                lifetime_seconds: -600,
                ..trusted()
            },
            700_024,
        ),
    ];
    let rows = rows.map(|(claims, number)| (token(&stage, &claims), number));
    let bad = [(forged, 50_013), ("no token at all".to_owned(), 50_027)];
    for (token, number) in rows.into_iter().chain(bad) {
        stage.write("token", &token);
        let checked = stage.check(APPLICATION).await;
        checked.expect(false, &[&format!("AADSTS{number}"), "hint: "]);
        assert!(!checked.output.contains(&token), "{}", checked.output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_read_for_each_token_and_its_loss_is_reported() {
    let stage = Stage::new().await;
    stage.write("token", &token(&stage, &FederatedClaims::default()));
    stage.configure("contoso", APPLICATION);
    let exporter = stage.serve();
    exporter.word_after("address=");
    let stranger = FederatedClaims {
        issuer: "https://other.example/".into(),
        ..FederatedClaims::default()
    };
    until(|| {
        let requests = stage.handle().requests();
        let answered = requests
            .iter()
            .any(|it| it.api == Some(Api::Profiles) && it.status == 200);
        async move { answered }
    })
    .await;
    stage.write("token", &token(&stage, &stranger));
    stage.handle().revoke_tokens("contoso").unwrap();
    exporter.word_after("AADSTS700211");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_identity_reaches_other_tenants_without_a_secret() {
    let stage = Stage::new().await;
    let identity = stage.tenant("contoso").client_id;
    let application =
        format!("type: workload_identity, client_id: {{client_id}}, managed_identity: {identity}");
    stage.configure_each(&[("contoso", &application), ("fabrikam", &application)]);
    let checked = stage.run(&["check"], &[]).await;
    checked.expect(true, &["ok    contoso: token", "ok    fabrikam: token"]);
}
