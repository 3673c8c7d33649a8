//! A connection that fails: the error names host, port, proxy and cause, the
//! same for Entra and Graph, the webhook and a time series database.

use crate::simulated::text;
use crate::stub_server::StubServer;
use crate::stuck_server::StuckServer;
use exporter_web_config::certificates;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secure_score_exporter::config::{self, PemFile, Secret};
use secure_score_exporter::events::{DeliveryResult, Webhook, WebhookPayload, WebhookTransport};
use secure_score_exporter::http_client::Headers;
use secure_score_exporter::tsdb::{Server, ServerError};
use secure_score_model::{EventKind, Timestamp};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// Runs `check` for one tenant, with variables of a proxy.
fn check(variables: &[(&str, &str)]) -> String {
    check_trusting(None, variables)
}

/// The same with an authority, in PEM.
fn check_trusting(authority: Option<&str>, variables: &[(&str, &str)]) -> String {
    let graph = authority.map_or("", |_| "graph: {ca_file: ca.pem}\n");
    check_with(("global", graph), authority, variables)
}

/// Runs `check` where Entra and Graph are a server of this machine, which no
/// proxy is asked for.
fn check_at(address: SocketAddr, authority: &str) -> String {
    let simulator = format!("simulator: {{url: \"https://{address}\", ca_file: ca.pem}}\n");
    check_with(("simulator", &simulator), Some(authority), &[])
}

/// The same for a cloud, whose servers a section of the configuration names.
fn check_with(
    (cloud, section): (&str, &str),
    authority: Option<&str>,
    variables: &[(&str, &str)],
) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret"), "a secret of its own").unwrap();
    fs::write(folder.path().join("ca.pem"), authority.unwrap_or_default()).unwrap();
    let config = folder.path().join("secure-score.yml");
    let yaml = format!(
        "refresh: {{timeout: 5s}}\n{section}\
         tenants: [{{name: a, tenant_id: {TENANT}, cloud: {cloud}, credential: {{type: client_secret, client_id: {TENANT}, client_secret_file: secret}}}}]\n"
    );
    fs::write(&config, yaml).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"));
    for name in ["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.arg("check").arg("--config.file").arg(&config);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(!output.status.success());
    text(&output.stdout) + &text(&output.stderr)
}

#[track_caller]
fn expect(output: &str, parts: &[&str]) {
    for part in parts {
        assert!(output.contains(part), "{part:?} in:\n{output}");
    }
}

/// A server without TLS, which answers the first bytes of a handshake.
fn plain_http() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let received = stream.read(&mut [0; 16 * 1024]);
            if received.is_ok() {
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok();
            }
        }
    });
    address
}

/// An address that refuses connections.
fn closed() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

#[test]
fn a_proxy_that_refuses_is_named_with_its_status_and_without_its_password() {
    for (status, cause, hint) in [
        (
            "407 Proxy Authentication Required",
            "the proxy wants a user and password (407)",
            "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
        ),
        (
            "403 Forbidden",
            "the proxy refused the connection (403)",
            "let the proxy allow CONNECT",
        ),
        (
            "501 Not Implemented",
            "the proxy refused the connection (501)",
            "let the proxy allow CONNECT",
        ),
    ] {
        let proxy =
            StubServer::responding(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        let address = proxy.address;
        let url = format!("http://someone:hush-hush@{address}");
        let output = check(&[("HTTPS_PROXY", &url)]);
        let place = format!(
            "could not connect to login.microsoftonline.com:443 through the proxy http://{address}: {cause}"
        );
        expect(&output, &[&place, hint]);
        for secret in ["someone", "hush-hush"] {
            assert!(!output.contains(secret), "{output}");
        }
        let lines = proxy.lines();
        let authorizations = lines.iter().filter(|line| {
            line.to_lowercase()
                .starts_with("proxy-authorization: basic ")
        });
        assert!(authorizations.count() >= 1, "the user is sent");
        let is_of_entra = |it: &&String| it.starts_with("CONNECT login.");
        let connects = lines.iter().filter(is_of_entra).count();
        // The HTTP library names 407; any other status is requested again.
        let expected = if status.starts_with("407") { 1 } else { 2 };
        assert_eq!(connects, expected, "{status}");
    }
}

#[test]
fn a_connection_cut_behind_the_proxy_is_not_the_proxys_address() {
    let proxy = StubServer::responding("HTTP/1.1 200 Connection established\r\n\r\n".to_owned());
    let url = format!("http://{}", proxy.address);
    let output = check(&[("HTTPS_PROXY", &url)]);
    let place = format!("through the proxy {url}: after the proxy connected, ");
    expect(
        &output,
        &[&place, "hint: let the proxy, and any firewall behind it"],
    );
    assert!(!output.contains("HTTPS_PROXY"), "{output}");
    // It is there, and ends the connection without an answer.
    let proxy = StubServer::responding(String::new());
    let output = check(&[("HTTPS_PROXY", &format!("http://{}", proxy.address))]);
    let cause = "the proxy made no connection";
    expect(&output, &[cause, "hint: let the proxy allow CONNECT"]);
}

/// An authority, and a certificate that it issued.
struct Issued {
    authority: String,
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

fn issued(name: &str) -> Issued {
    issued_until(name, 2100)
}

/// The same with the year in which it ends.
fn issued_until(name: &str, end: i32) -> Issued {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    leaf.not_after = rcgen::date_time_ymd(end, 1, 1);
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    Issued {
        authority: authority.pem(),
        chain: vec![leaf.der().clone()],
        key,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_407_of_a_proxy_with_tls_is_named() {
    let issued = issued("127.0.0.1");
    let response = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
    let address = serve_responding(issued.chain, &issued.key, response).await;
    let url = format!("https://{address}");
    let output = tokio::task::spawn_blocking(move || {
        let output = check_trusting(Some(&issued.authority), &[("HTTPS_PROXY", &url)]);
        (output, url)
    });
    let (output, url) = output.await.unwrap();
    let place = format!("through the proxy {url}: the proxy wants a user and password (407)");
    expect(&output, &[&place]);
}

fn no_roots() -> PemFile {
    PemFile {
        path: PathBuf::new(),
        certificates: Vec::new(),
    }
}

#[tokio::test]
async fn without_a_proxy_no_error_names_one() {
    // No TLS for such a name: the connection fails without an error of the network.
    let reason = post("https://-hook.example/", &no_roots()).await;
    expect(&reason, &["could not connect to -hook.example:443: "]);
    assert!(!reason.contains("proxy"), "{reason}");
}

#[tokio::test]
async fn a_host_without_an_address_is_named() {
    // Too long for a host name, so no resolver is asked, and TLS would refuse it.
    let host = format!("{}.example", "x".repeat(70));
    let reason = post(&format!("http://{host}/"), &no_roots()).await;
    let place =
        format!("could not connect to {host}:80: the name of the host has no address (DNS: ");
    expect(&reason, &[&place]);
}

#[tokio::test]
async fn a_host_that_answers_no_handshake_is_not_a_slow_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let webhook = webhook(
        &format!("https://{address}/"),
        Duration::from_secs(2),
        &no_roots(),
    );
    let DeliveryResult::Unavailable { reason, .. } = webhook.send(&payload()).await else {
        panic!("it does not answer");
    };
    let place = format!("could not connect to {address}: no connection in time");
    assert_eq!(reason.to_string(), place);
}

#[test]
fn socks_is_named_as_not_supported() {
    let proxy = StubServer::responding(String::new());
    let url = format!("socks5://someone:hush-hush@{}", proxy.address);
    let output = check(&[("ALL_PROXY", &url)]);
    let place = format!(
        "through the proxy socks5://{}: SOCKS is not supported",
        proxy.address
    );
    expect(&output, &[&place, "hint: name an HTTP proxy"]);
    assert!(!output.contains("hush-hush"), "{output}");
    assert!(proxy.lines().is_empty(), "nothing is sent to it");
}

#[test]
fn a_proxy_that_cannot_be_read_is_named_and_not_passed_by() {
    let place = "could not connect to login.microsoftonline.com:443: the proxy in";
    for (variable, value) in [
        ("HTTPS_PROXY", "http://someone:hush-hush@[::1"),
        (
            "https_proxy",
            "http://someone:hush-hush@proxy.example:99999",
        ),
        ("HTTPS_PROXY", "http://someone:hush hush@proxy.example"),
        ("ALL_PROXY", "ftp://someone:hush-hush@proxy.example"),
    ] {
        let output = check(&[(variable, value)]);
        let place = format!("{place} {variable} cannot be read");
        expect(&output, &[&place, "hint: write it as http://HOST:PORT"]);
        for secret in ["someone", "hush"] {
            assert!(!output.contains(secret), "{output}");
        }
    }
    // Another one counts, or none is needed: the answer is that of the proxy below.
    let proxy = StubServer::responding("HTTP/1.1 403 Forbidden\r\n\r\n".to_owned());
    let url = format!("http://{}", proxy.address);
    let output = check(&[("HTTPS_PROXY", &url), ("ALL_PROXY", "ftp://proxy.example")]);
    expect(&output, &["the proxy refused the connection (403)"]);
    let output = check(&[("HTTPS_PROXY", ""), ("ALL_PROXY", &url)]);
    expect(&output, &["the proxy refused the connection (403)"]);
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let closed = closed();
    let output = check(&[("HTTPS_PROXY", &format!("http://{closed}"))]);
    let place = format!("through the proxy http://{closed}: the proxy refused the connection");
    expect(
        &output,
        &[&place, "hint: check the proxy's address in HTTPS_PROXY"],
    );
    // Too long for a host name, so no resolver is asked.
    let url = format!("http://{}.example:3128", "x".repeat(70));
    let output = check(&[("HTTPS_PROXY", &url)]);
    expect(
        &output,
        &[&url, "the name of the proxy has no address (DNS: "],
    );
}

#[test]
fn a_connection_that_takes_too_long_is_not_a_slow_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let output = check(&[("HTTPS_PROXY", &url)]);
    let place = format!("through the proxy {url}: no connection in time");
    expect(
        &output,
        &[&place, "hint: check the proxy's address in HTTPS_PROXY"],
    );
}

/// A server that ends each TLS handshake, with the certificate that was made.
async fn serve(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> SocketAddr {
    serve_responding(chain, key, "").await
}

/// The same with a response to what comes first.
async fn serve_responding(
    chain: Vec<CertificateDer<'static>>,
    key: &KeyPair,
    response: &'static str,
) -> SocketAddr {
    let acceptor = acceptor(chain, key);
    serve_in_turn(vec![], (acceptor, response)).await
}

fn acceptor(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// How a server answers a connection, and what to its first request.
type Turn = (TlsAcceptor, &'static str);

/// A server that answers its first connections thus, and the later ones alike.
async fn serve_in_turn(first: Vec<Turn>, later: Turn) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut turns = first.into_iter().chain(std::iter::repeat(later));
        while let (Ok((stream, _)), Some((acceptor, response))) =
            (listener.accept().await, turns.next())
        {
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await?;
                if !response.is_empty() {
                    let _request = stream.read(&mut [0; 4096]).await?;
                    stream.write_all(response.as_bytes()).await?;
                }
                stream.shutdown().await
            });
        }
    });
    address
}

struct Receivers {
    /// The authority of all of them but one.
    authority: CertificateDer<'static>,
    /// A certificate of `openssl req -x509`: CA:TRUE, signed by itself.
    own: CertificateDer<'static>,
    at: Vec<(SocketAddr, bool, &'static str)>,
}

/// A receiver for each fault of a certificate: its address, whether its
/// authority is trusted, and the expected cause.
async fn receivers() -> Receivers {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut at = Vec::new();
    for (name, years, trusted, cause) in [
        (
            "127.0.0.1",
            (2020, 2100),
            false,
            "an authority that is not trusted here",
        ),
        (
            "127.0.0.1",
            (2020, 2021),
            true,
            "the certificate expired on 2021-01-01",
        ),
        (
            "127.0.0.1",
            (2090, 2100),
            true,
            "the certificate is not valid yet; it is from 2090-01-01",
        ),
        (
            "hook.example",
            (2020, 2100),
            true,
            "the certificate is not for this name, but for hook.example",
        ),
    ] {
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
        leaf.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let leaf = leaf.signed_by(&key, &authority).unwrap();
        at.push((serve(vec![leaf.der().clone()], &key).await, trusted, cause));
    }
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = params.self_signed(&key).unwrap().der().clone();
    at.push((
        serve(vec![own.clone()], &key).await,
        true,
        "that of an authority (CA:TRUE)",
    ));
    at.push((plain_http(), true, "the answer is not TLS"));
    at.push((closed(), true, "the host refused the connection"));
    Receivers {
        authority: authority.der().clone(),
        own,
        at,
    }
}

async fn post(url: &str, roots: &PemFile) -> String {
    let webhook = webhook(url, Duration::from_secs(5), roots);
    match webhook.send(&payload()).await {
        DeliveryResult::Unavailable { reason, .. } => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A payload of some event.
fn payload() -> WebhookPayload {
    WebhookPayload {
        id: "0".repeat(32).try_into().unwrap(),
        kind: EventKind::StateChanged,
        tenant: "contoso".into(),
        control: "A".into(),
        seen_at: Timestamp::from_seconds(0),
        body: "{}".to_owned(),
    }
}

fn webhook(url: &str, timeout: Duration, roots: &PemFile) -> Webhook {
    let webhook = config::Webhook {
        url: Secret::new(url.to_owned()),
        authorization: None,
        timeout,
    };
    Webhook::new(&webhook, Some(roots)).unwrap()
}

async fn query(url: &str, roots: &PemFile) -> ServerError {
    let server = Server::new(
        url.parse().unwrap(),
        Headers::default(),
        &roots.certificates,
    );
    let query = server.unwrap().query("up", 0..=1, 1).await;
    query.err().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fault_of_a_certificate_is_named() {
    let receivers = receivers().await;
    for (address, trusted, cause) in &receivers.at {
        let mut certificates = vec![receivers.own.clone()];
        certificates.extend(trusted.then(|| receivers.authority.clone()));
        let roots = PemFile {
            path: PathBuf::new(),
            certificates,
        };
        let url = format!("https://{address}/the-path-is-a-secret");
        let reason = post(&url, &roots).await;
        expect(
            &reason,
            &[&format!("could not connect to {address}: "), cause],
        );
        assert!(!reason.contains("secret"), "{reason}");
    }
}

/// Runs [`check_at`] beside the server.
async fn checked_at(address: SocketAddr, authority: String) -> String {
    let check = tokio::task::spawn_blocking(move || check_at(address, &authority));
    check.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fault_of_a_certificate_of_entra_is_named() {
    let expired = issued_until("127.0.0.1", 2021);
    let other = issued("login.example");
    let stranger = issued("127.0.0.1");
    for (server, authority, cause, hint) in [
        (
            &expired,
            &expired,
            "the certificate expired on 2021-01-01",
            "check this machine's clock",
        ),
        (
            &other,
            &other,
            "the certificate is not for this name, but for login.example",
            "use a name of the certificate",
        ),
        (
            &stranger,
            &other,
            "an authority that is not trusted here",
            "graph.ca_file",
        ),
    ] {
        let address = serve(server.chain.clone(), &server.key).await;
        let output = checked_at(address, authority.authority.clone()).await;
        let place = format!("FAIL  {address}: TLS: could not connect to {address}: TLS: ");
        expect(&output, &[&place, cause, "hint: ", hint]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fault_of_a_certificate_of_graph_is_named() {
    let token = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 65\r\n\r\n\
        {\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"opaque\"}";
    let (entra, graph) = (issued("127.0.0.1"), issued_until("127.0.0.1", 2021));
    let entra_turn = (acceptor(entra.chain, &entra.key), token);
    let graph_turn = (acceptor(graph.chain, &graph.key), "");
    // The server is reached once before.
    let turns = vec![entra_turn.clone(), entra_turn];
    let address = serve_in_turn(turns, graph_turn).await;
    let output = checked_at(address, entra.authority + &graph.authority).await;
    let cause =
        format!("could not connect to {address}: TLS: the certificate expired on 2021-01-01");
    expect(&output, &[&cause, "hint: check this machine's clock"]);
    assert!(!output.contains("FAIL  a: token"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_step_that_broke_and_those_that_work_are_named_once() {
    let issued = issued_until("127.0.0.1", 2021);
    let address = serve(issued.chain, &issued.key).await;
    let output = checked_at(address, issued.authority.clone()).await;
    let failure = format!("FAIL  {address}: TLS: could not connect");
    assert_eq!(output.matches(&failure).count(), 1, "{output}");
    assert_eq!(output.matches("expired on").count(), 1, "{output}");
    let blocked =
        format!("FAIL  a: not checked further, since {address} cannot be reached\n      hint: ");
    expect(
        &output,
        &[
            " (DNS and TCP work)\n",
            &blocked,
            "0 of 1 tenant can be watched\n",
        ],
    );
    let closed = closed();
    let output = checked_at(closed, issued.authority).await;
    let failure = format!("FAIL  {closed}: TCP: could not connect to {closed}: the host refused");
    expect(&output, &[&failure, "(DNS works)\n"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_a_warning_with_the_difference() {
    let response = "HTTP/1.1 404 Not Found\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\n\
        Connection: close\r\nContent-Length: 0\r\n\r\n";
    let issued = issued("127.0.0.1");
    let address = serve_responding(issued.chain, &issued.key, response).await;
    let output = checked_at(address, issued.authority).await;
    let (_, clock) = output.split_once("warn  clock: this machine is ").unwrap();
    let clock = clock.lines().next().unwrap_or_default();
    assert!(clock.ends_with(&format!(" behind {address}")), "{clock}");
    expect(
        &output,
        &[
            &format!("ok    {address}: DNS, TCP, TLS and HTTP work\n"),
            "hint: set this machine's clock",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_to_a_port_of_tls_is_named_with_its_fix() {
    let issued = issued("127.0.0.1");
    let address = serve(issued.chain, &issued.key).await;
    let webhook = webhook(
        &format!("http://{address}/the-path-is-a-secret"),
        Duration::from_secs(5),
        &no_roots(),
    );
    let DeliveryResult::Unavailable { reason, .. } = webhook.send(&payload()).await else {
        panic!("it has no answer of HTTP");
    };
    expect(&reason.to_string(), &["the answer is not HTTP"]);
}

/// A retry takes a minute in all, so one fault is enough: the cause comes from
/// the same function.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_series_database_that_cannot_be_reached_is_named_with_the_cause() {
    let receivers = receivers().await;
    let (address, _, cause) = receivers.at[1];
    let roots = PemFile {
        path: PathBuf::new(),
        certificates: vec![receivers.authority.clone()],
    };
    let error = query(&format!("https://{address}"), &roots).await;
    expect(
        &error.to_string(),
        &[&format!("could not connect to {address}: "), cause],
    );
    expect(error.hint().unwrap(), &["check this machine's clock"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_connection_to_the_webhook_is_given_up() {
    let stuck = StuckServer::start().await;
    let roots = PemFile {
        path: PathBuf::new(),
        certificates: certificates(stuck.ca_pem.as_bytes()).unwrap(),
    };
    let url = format!("https://{}/", stuck.address);
    let webhook = webhook(&url, Duration::from_secs(2), &roots);
    for _ in 0..2 {
        let sent = webhook.send(&payload()).await;
        let DeliveryResult::Unavailable { reason, .. } = sent else {
            panic!("{sent:?}");
        };
        assert_eq!(reason.to_string(), "no whole answer in time");
    }
    assert_eq!(stuck.unanswered(), 2, "they were sent");
    assert_eq!(webhook.send(&payload()).await, DeliveryResult::Accepted);
}
