//! One exporter with everything switched on, from its start to its end.

use super::net::Net;
use super::people::{secrets, stage};
use crate::credentials::stage::{Stage, until};
use crate::process::Process;
use crate::stub_server::StubServer;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use graph_simulator::{Api, Fault, FaultKind};
use std::fs;
use std::path::Path;

const WEB_PASSWORD: &str = "pages-are-for-members-only";
const SALT: &str = "a pinch of salt, and some more of it";
const HOOK: &str = "the-path-is-the-secret-of-a-webhook";
const BEARER: &str = "a-bearer-token-for-the-receiver";

/// A receiver that repeats the request in its error answer.
fn receiver() -> StubServer {
    let body = format!("no: /{HOOK} with Authorization: Bearer {BEARER}");
    StubServer::responding(format!(
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ))
}

/// Everything that can be configured with a secret, is.
fn configure(stage: &Stage, receiver: &StubServer) -> Net {
    let hash = bcrypt::hash(WEB_PASSWORD, 5).unwrap();
    let url = format!("http://{}/{HOOK}", receiver.address);
    stage.write(
        "web.yml",
        &format!("basic_auth_users: {{prometheus: \"{hash}\"}}\n"),
    );
    stage.write("salt", SALT);
    stage.write("hook", &url);
    stage.write("bearer", BEARER);
    let path = stage.folder().join("secure-score.yml");
    let config = fs::read_to_string(&path).unwrap();
    let more = "labels: {accepted_by: hash, salt_file: salt}\n\
                events: {webhook: {url_file: hook, authorization_file: bearer}}\n";
    fs::write(&path, format!("{config}{more}")).unwrap();
    let mut net = secrets(stage);
    for (name, secret) in [
        ("the password of the pages", WEB_PASSWORD),
        ("its hash", &hash),
        ("the salt", SALT),
        ("the webhook's address", HOOK),
        ("the webhook's token", BEARER),
    ] {
        net.hide(name, secret);
    }
    net
}

fn serve(stage: &Stage) -> Process {
    let state = stage.folder().join("state").display().to_string();
    let web = stage.folder().join("web.yml").display().to_string();
    stage.serve_with(&[
        "--log.level=trace",
        "--web.enable-lifecycle",
        "--state.dir",
        &state,
        "--web.config.file",
        &web,
    ])
}

/// Asks for a path in several ways and keeps every byte of the answers.
async fn visit(address: &str, path: &str, answers: &mut Vec<(String, Vec<u8>)>) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let credentials = BASE64_STANDARD.encode(format!("prometheus:{WEB_PASSWORD}"));
    let wrong = BASE64_STANDARD.encode("prometheus:not-the-password-at-all");
    for authorization in [
        format!("Basic {credentials}"),
        format!("Basic {wrong}"),
        format!("Bearer {credentials}"),
        String::new(),
    ] {
        for method in ["GET", "POST"] {
            let method: reqwest::Method = method.parse().unwrap();
            let url = format!("http://{address}{path}");
            let request = http
                .request(method.clone(), url)
                .header("authorization", &authorization);
            let answer = request.send().await.unwrap();
            let head = format!("{:?}", answer.headers());
            answers.push((format!("the head of {method} {path}"), head.into_bytes()));
            let body = answer.bytes().await.unwrap();
            answers.push((format!("{method} {path}"), body.to_vec()));
        }
    }
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| match path.is_dir() {
        true => files(&path),
        false => vec![(path.display().to_string(), fs::read(path).unwrap())],
    };
    entries.flat_map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_output_log_page_request_or_file_contains_a_secret() {
    let stage = stage().await;
    let receiver = receiver();
    let mut net = configure(&stage, &receiver);
    let mut exporter = serve(&stage);
    let address = exporter.word_after("address=");
    let asked = |api: Api, status: u16| {
        let requests = stage.handle().requests();
        let happened = requests
            .iter()
            .any(|it| it.api == Some(api) && it.status == status);
        async move { happened }
    };
    until(|| asked(Api::Profiles, 200)).await;
    let handle = stage.handle();
    let (by, why) = ("alex@contoso.example", "we do not need it");
    handle.accept("contoso", "AdminMFAV2", by, why).unwrap();
    until(|| {
        let delivered = !receiver.bodies().is_empty();
        async move { delivered }
    })
    .await;
    for fault in [
        Fault::new(Api::Token, FaultKind::Echo),
        Fault::new(Api::Profiles, FaultKind::Echo),
        Fault::new(Api::Scores, FaultKind::EchoPage),
    ] {
        handle.inject(None, fault).unwrap();
    }
    until(|| asked(Api::Profiles, 400)).await;
    for tenant in ["contoso", "fabrikam", "northwind", "litware", "adatum"] {
        handle.revoke_tokens(tenant).unwrap();
    }
    until(|| asked(Api::Token, 400)).await;

    let mut outputs = Vec::new();
    for path in [
        "/",
        "/acceptances",
        "/tenants/contoso",
        "/tenants/missing",
        "/nothing",
        "/metrics",
        "/metrics?tenant[]=contoso",
        "/probe?tenant=fabrikam",
        "/probe?tenant=nobody",
        "/sd/tenants",
        "/api/v1/acceptances",
        "/api/v1/tenants",
        "/-/healthy",
        "/-/ready",
        "/-/reload",
    ] {
        visit(&address, path, &mut outputs).await;
    }
    // A secret on the wrong line, and another reading of it all.
    let path = stage.folder().join("secure-score.yml");
    let good = fs::read_to_string(&path).unwrap();
    let secret = fs::read_to_string(stage.folder().join("secret")).unwrap();
    fs::write(
        &path,
        good.replace(
            "client_secret_file: secret",
            &format!("client_secret_file: {secret}"),
        ),
    )
    .unwrap();
    visit(&address, "/-/reload", &mut outputs).await;
    fs::write(&path, format!("{good}\n{secret}: {secret}\n")).unwrap();
    visit(&address, "/-/reload", &mut outputs).await;

    exporter.terminate();
    exporter.word_after("message=stopped");
    outputs.push(("the log".to_owned(), exporter.output().into_bytes()));
    let bodies = receiver.bodies().into_iter();
    outputs.extend(bodies.map(|body| ("an event".to_owned(), body)));
    let kept = files(&stage.folder().join("state"));
    assert!(kept.len() >= 5, "the state of each tenant: {kept:?}");
    outputs.extend(kept);
    for token in handle.issued_secrets() {
        net.hide_token("a token or assertion", &token);
    }
    assert!(outputs.len() > 100, "{} outputs", outputs.len());
    for (output, bytes) in &outputs {
        net.must_be_empty(output, bytes);
    }
    let log = exporter.output();
    assert!(
        log.contains("This was not understood"),
        "nothing was repeated:\n{log}"
    );
}
