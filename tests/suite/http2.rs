//! HTTP/2 over TLS: clients that do not read, and floods of frames.

use crate::test_server::{TestServer, options, start, start_limited, tenant};
use exporter_web_config::{AccessControl, WebConfig};
use rcgen::{CertificateParams, KeyPair};
use reqwest::Certificate;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use secure_score_exporter::http::DrainOutcome;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Half of the minute that a response may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;

/// A server of one tenant, with TLS.
struct TlsServer {
    server: TestServer,
    certificate: CertificateDer<'static>,
}

impl TlsServer {
    /// It answers so many requests at once.
    async fn start(max_requests: usize) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let config = WebConfig {
            tls: Some(Arc::new(tls)),
            ..WebConfig::default()
        };
        let server = start_limited(max_requests, AccessControl::new(config)).await;
        server.store.publish(tenant("contoso"));
        Self {
            server,
            certificate,
        }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.server.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.unwrap()
    }

    /// Whether a scrape with HTTP/1.1 succeeds.
    async fn is_scraped(&self) -> bool {
        let mut stream = self.connect().await;
        let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).await.unwrap();
        response.starts_with(b"HTTP/1.1 200")
    }
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// So many requests of a client that opens no window for bodies. Returns when
/// the first response has begun.
async fn requests_without_window(stream: &mut TlsStream<TcpStream>, count: u32) {
    let mut bytes = PREFACE.to_vec();
    // SETTINGS_INITIAL_WINDOW_SIZE = 0.
    bytes.extend(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]));
    // GET / of localhost, with indexes of the static table, without a body.
    let request = [&[0x82, 0x86, 0x84, 0x41, 9][..], b"localhost"].concat();
    for number in 0..count {
        bytes.extend(frame(HEADERS, 0x5, 2 * number + 1, &request));
    }
    stream.write_all(&bytes).await.unwrap();
    let mut received = vec![0; 4096];
    loop {
        let length = stream.read(&mut received).await.unwrap();
        assert!(length > 0, "the connection ended without a response");
        // The status 200, from the static table.
        if received[..length].contains(&0x88) {
            return;
        }
    }
}

#[tokio::test]
async fn http2_is_served_over_tls() {
    let tls = TlsServer::start(40).await;
    let certificate = Certificate::from_der(&tls.certificate).unwrap();
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .tls_certs_only([certificate])
        .no_proxy()
        .build()
        .unwrap();
    let url = format!("https://localhost:{}/metrics", tls.server.address.port());
    for _ in 0..3 {
        let response = client.get(&url).send().await.unwrap();
        assert_eq!(response.version(), reqwest::Version::HTTP_2);
        assert_eq!(response.status(), 200);
        assert!(response.text().await.unwrap().ends_with('\n'));
    }
    drop(client);
    assert_eq!(tls.server.stop().await, DrainOutcome::Complete);
}

#[tokio::test]
async fn a_plain_port_speaks_http_1_only() {
    let server = start(options()).await;
    let response = server.raw(PREFACE).await;
    assert!(
        response.is_empty() || response.starts_with(b"HTTP/1.1 400"),
        "{}",
        String::from_utf8_lossy(&response)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_with_a_closed_window_do_not_take_every_permit() {
    let tls = TlsServer::start(40).await;
    let mut stream = tls.connect().await;
    requests_without_window(&mut stream, 48).await;
    for _ in 0..20 {
        assert!(tls.is_scraped().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_with_a_closed_window_give_up_their_places_for_a_scrape() {
    let tls = TlsServer::start(16).await;
    let mut streams = [tls.connect().await, tls.connect().await];
    for stream in &mut streams {
        requests_without_window(stream, 8).await;
    }
    let start = Instant::now();
    while !tls.is_scraped().await {
        assert!(start.elapsed() < TIMEOUT, "the streams keep every place");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Sends these frames a hundred thousand times; whether the server ends the
/// connection before.
async fn is_ended_by(tls: &TlsServer, frames: &[u8]) -> bool {
    let mut stream = tls.connect().await;
    requests_without_window(&mut stream, 1).await;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let answers = tokio::spawn(async move {
        let mut answers = [0; 4096];
        while reader.read(&mut answers).await.is_ok_and(|read| read > 0) {}
    });
    let chunk = frames.repeat(1_000);
    for _ in 0..100 {
        if writer.write_all(&chunk).await.is_err() {
            return true;
        }
    }
    // The end may arrive after the last frame was sent.
    tokio::time::timeout(TIMEOUT, answers).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_frames_end_the_connection() {
    let tls = TlsServer::start(40).await;
    for (name, frames) in [
        ("WINDOW_UPDATE", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("PRIORITY", frame(PRIORITY, 0, 3, &[0, 0, 0, 0, 16])),
        ("PING", frame(PING, 0, 0, &[0; 8])),
    ] {
        assert!(is_ended_by(&tls, &frames).await, "{name} without end");
        assert!(tls.is_scraped().await, "{name}");
    }
}
