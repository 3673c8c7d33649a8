//! Tenants that each sign in another way, and all that they keep secret.

use super::net::Net;
use crate::credentials::openssl::{certificate, openssl};
use crate::credentials::stage::Stage;
use graph_simulator::FederatedClaims;
use secure_score_exporter::config::{self, Environment};
use std::fs;

const PASSWORD: &str = "correct horse battery staple";

/// Five tenants with a secret, two kinds of certificate files, a federated
/// token and a managed identity.
pub(crate) async fn stage() -> Stage {
    let stage = Stage::new().await;
    let folder = stage.folder();
    certificate(folder, "app", 365);
    stage.register("app.pem");
    stage.write("password", PASSWORD);
    openssl(
        folder,
        "pkcs12 -export -inkey app-key.pem -in app.pem -passout file:password -out app.p12",
    );
    for file in ["app-key.pem", "app.p12"] {
        let bytes = fs::read(folder.join(file)).unwrap();
        fs::remove_file(folder.join(file)).unwrap();
        stage.write_bytes(file, &bytes);
    }
    stage.write("secret", &stage.tenant("contoso").client_secret);
    let token = stage.handle().federated_token(&FederatedClaims::default());
    stage.write("token", &token.unwrap());
    stage.configure_each(&[
        ("contoso", "type: client_secret, client_id: {client_id}, client_secret_file: secret"),
        ("fabrikam", "type: client_certificate, client_id: {client_id}, certificate_file: app.pem, key_file: app-key.pem"),
        ("northwind", "type: client_certificate, client_id: {client_id}, certificate_file: app.p12, password_file: password"),
        ("litware", "type: workload_identity, client_id: {client_id}, token_file: token"),
        ("adatum", "type: managed_identity, client_id: {client_id}"),
    ]);
    stage
}

/// Everything that must not appear in an output.
pub(crate) fn secrets(stage: &Stage) -> Net {
    let mut net = Net::default();
    let read = |file: &str| fs::read_to_string(stage.folder().join(file)).unwrap();
    net.hide("the client secret", &read("secret"));
    net.hide("the password of a certificate", PASSWORD);
    net.hide_key("a private key", &read("app-key.pem"));
    net.hide_token("the federated token", &read("token"));
    net.hide("App Service's header", &stage.handle().identity_header());
    for token in stage.handle().issued_secrets() {
        net.hide_token("a token or assertion", &token);
    }
    net
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_prints_no_secret() {
    let stage = stage().await;
    let path = stage.folder().join("secure-score.yml");
    let loaded = config::load(&path, &Environment::default()).unwrap();
    let printed = format!("{loaded:?} {loaded:#?}");
    assert!(printed.contains("ClientCertificate") && printed.contains("<secret>"));
    secrets(&stage).must_be_empty("the configuration, printed", printed.as_bytes());
}
