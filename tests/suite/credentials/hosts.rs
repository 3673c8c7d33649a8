//! Tokens and requests are sent to the hosts of their cloud only.
//!
//! The program runs with a proxy that refuses each connection and records its
//! destination.

use super::stage::Outcome;
use crate::simulated::text;
use crate::stub_server::StubServer;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::process::Command;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// Each cloud with Entra's host and Graph's.
const CLOUDS: [(&str, &str, &str); 3] = [
    ("global", "login.microsoftonline.com", "graph.microsoft.com"),
    ("gcc-high", "login.microsoftonline.us", "graph.microsoft.us"),
    ("dod", "login.microsoftonline.us", "dod-graph.microsoft.us"),
];

/// A proxy that refuses each connection.
fn proxy() -> StubServer {
    StubServer::responding("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".into())
}

/// The endpoint of App Service, in plain HTTP.
fn app_service() -> StubServer {
    let claims = format!(r#"{{"tid":"{TENANT}","roles":["SecurityEvents.Read.All"]}}"#);
    let token = format!("e30.{}.c2VhbA", BASE64.encode(claims));
    let body = format!(
        r#"{{"access_token":"{token}","expires_on":"4102444800","resource":"x","token_type":"Bearer"}}"#
    );
    StubServer::responding(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ))
}

/// Checks one tenant of a cloud behind the proxy.
fn check(cloud: &str, credential: &str, proxy: &StubServer, variables: &[(&str, &str)]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret"), "a secret of its own").unwrap();
    let config = folder.path().join("secure-score.yml");
    let yaml = format!(
        "tenants:\n  - {{name: a, tenant_id: {TENANT}, cloud: {cloud}, credential: {{{credential}}}}}\n"
    );
    fs::write(&config, yaml).unwrap();
    let proxy_url = format!("http://{}", proxy.address);
    let output = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
        .arg("check")
        .arg("--config.file")
        .arg(&config)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env_remove("https_proxy")
        .env("HTTPS_PROXY", &proxy_url)
        .env("HTTP_PROXY", &proxy_url)
        .env("http_proxy", &proxy_url)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    Outcome {
        success: output.status.success(),
        output: text(&output.stdout) + &text(&output.stderr),
    }
}

fn only(host: &str) -> BTreeSet<String> {
    both([host, host])
}

fn both(hosts: [&str; 2]) -> BTreeSet<String> {
    hosts
        .map(|host| format!("CONNECT {host}:443 HTTP/1.1"))
        .into()
}

#[test]
fn a_secret_is_sent_to_entra_of_its_cloud_only() {
    for (cloud, login, graph) in CLOUDS {
        let proxy = proxy();
        let secret =
            format!("type: client_secret, client_id: {TENANT}, client_secret_file: secret");
        let checked = check(cloud, &secret, &proxy, &[]);
        let failed = format!("FAIL  {login}:443: proxy: could not connect");
        checked.expect(false, &[&failed, "hint: ", "FAIL  a: not checked further"]);
        // That Graph answers is tried without a token.
        assert_eq!(
            proxy.first_lines(),
            both([login, graph]),
            "{cloud}: {}",
            checked.output
        );
    }
}

#[test]
fn a_token_is_sent_to_graph_of_its_cloud_only_and_requested_without_a_proxy() {
    for (cloud, _, graph) in CLOUDS {
        let (proxy, machine) = (proxy(), app_service());
        let endpoint = format!("http://{}/msi/token", machine.address);
        let variables = [
            ("IDENTITY_ENDPOINT", endpoint.as_str()),
            ("IDENTITY_HEADER", "a header of its own"),
        ];
        let checked = check(cloud, "type: managed_identity", &proxy, &variables);
        checked.expect(false, &["ok    a: token: carries", "could not connect"]);
        assert_eq!(
            proxy.first_lines(),
            only(graph),
            "{cloud}: {}",
            checked.output
        );
        let lines = machine.lines();
        assert!(
            lines[0].contains(&format!("resource=https%3A%2F%2F{graph}")),
            "{lines:?}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line.eq_ignore_ascii_case("x-identity-header: a header of its own")),
            "{lines:?}"
        );
    }
}

#[test]
fn a_missing_managed_identity_is_reported_and_entra_is_not_contacted() {
    let proxy = proxy();
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let endpoint = format!("http://{closed}/msi/token");
    let variables = [
        ("IDENTITY_ENDPOINT", endpoint.as_str()),
        ("IDENTITY_HEADER", "x"),
    ];
    let checked = check("global", "type: managed_identity", &proxy, &variables);
    checked.expect(
        false,
        &[
            "no managed identity answers on this machine",
            "hint: managed identities exist on Azure only",
        ],
    );
    assert_eq!(proxy.first_lines(), only("graph.microsoft.com"));
}
