//! The server over real sockets, with raw bytes.

use crate::compression::gunzipped;
use crate::large_fleet;
use crate::test_server::{TestServer, options, start, start_limited, tenant, with_controls};
use exporter_web_config::AccessControl;
use secure_score_exporter::http::{DrainOutcome, SiteOptions};
use secure_score_model::{RefreshHealth, TenantHealth, Timestamp};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// The lines of the tenants: the exporter's own differ from scrape to scrape.
fn tenant_lines(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let own = |line: &&str| !line.contains("process_") && !line.contains("secure_score_exporter_");
    text.lines().filter(own).map(str::to_owned).collect()
}

const OPENMETRICS: &str = "Accept: application/openmetrics-text;version=1.0.0\r\n";

#[tokio::test]
async fn a_scrape_has_type_length_and_vary_headers() {
    let server = start(options()).await;
    server.store.publish(tenant("contoso"));
    let text = server.get("/metrics").await;
    assert_eq!(text.status, 200);
    assert!(
        text.header("content-type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    assert_eq!(text.header("vary"), Some("Accept, Accept-Encoding"));
    assert_eq!(text.header("content-encoding"), None);
    assert_eq!(text.length(), text.body.len());
    assert!(text.body.ends_with(b"\n"));
    assert!(!text.text().contains("# EOF"));

    let open = server.request("GET", "/metrics", OPENMETRICS).await;
    assert!(
        open.header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text; version=1.0.0")
    );
    assert_eq!(open.length(), open.body.len());
    assert!(open.body.ends_with(b"# EOF\n"));
}

#[tokio::test]
async fn the_compressed_body_equals_the_plain_one() {
    let server = start(options()).await;
    server.store.publish(tenant("contoso"));
    for accept in ["", OPENMETRICS] {
        let plain = server.request("GET", "/metrics", accept).await;
        let asked = format!("{accept}Accept-Encoding: gzip, gzip\r\n");
        let packed = server.request("GET", "/metrics", &asked).await;
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        assert_eq!(packed.header("content-type"), plain.header("content-type"));
        assert_eq!(packed.length(), packed.body.len());
        assert_eq!(
            tenant_lines(&gunzipped(&packed.body)),
            tenant_lines(&plain.body)
        );
    }
}

#[tokio::test]
async fn a_head_response_has_no_body() {
    let server = start(options()).await;
    server.store.publish(tenant("contoso"));
    for path in ["/style.css", "/-/healthy", "/-/ready", "/nowhere"] {
        let (full, head) = (
            server.get(path).await,
            server.request("HEAD", path, "").await,
        );
        assert_eq!(head.status, full.status, "{path}");
        assert_eq!(head.header("content-type"), full.header("content-type"));
        assert_eq!(head.length(), full.body.len(), "{path}");
        assert!(head.body.is_empty(), "{path}");
    }
    for path in ["/", "/metrics"] {
        let head = server.request("HEAD", path, "").await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert!(head.length() > 0, "{path}");
    }
}

#[tokio::test]
async fn only_get_and_head_are_allowed() {
    let server = start(options()).await;
    for path in ["/", "/metrics", "/-/healthy", "/readyz"] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
            let response = server.request(method, path, "").await;
            assert_eq!(response.status, 405, "{method} {path}");
            assert_eq!(response.header("allow"), Some("GET, HEAD"));
        }
    }
}

#[tokio::test]
async fn it_is_ready_when_a_refresh_of_every_tenant_was_attempted() {
    let server = start(options()).await;
    for path in ["/-/healthy", "/livez", "/healthz", "/-/ready", "/readyz"] {
        assert_eq!(server.get(path).await.status, 200, "{path} without tenants");
    }
    let mut waiting = tenant("fabrikam");
    waiting.health.scores = RefreshHealth::default();
    server.store.publish(tenant("contoso"));
    server.store.publish(waiting);
    for path in ["/-/ready", "/readyz"] {
        let response = server.get(path).await;
        assert_eq!(response.status, 503, "{path}");
        assert!(
            response.text().contains("1 of 2 tenants"),
            "{}",
            response.text()
        );
        assert!(response.text().contains("fabrikam"));
    }
    assert_eq!(server.get("/-/healthy").await.status, 200);
    let mut kept = with_controls(tenant("fabrikam"), Vec::new());
    kept.health = TenantHealth::default();
    // An earlier process attempted both lists; Microsoft has no report yet.
    let mut without_report = tenant("fabrikam");
    without_report.health = TenantHealth::default();
    for health in [
        &mut without_report.health.profiles,
        &mut without_report.health.scores,
    ] {
        health.next_refresh = Some(Timestamp::from_seconds(1_800_000_000));
    }
    // One list is loaded, the other one was attempted.
    let mut mixed = with_controls(tenant("fabrikam"), Vec::new());
    mixed.health.profiles = RefreshHealth::default();
    for known in [tenant("fabrikam"), kept, without_report, mixed] {
        server.store.publish(known);
        assert_eq!(server.get("/-/ready").await.status, 200);
    }
}

#[tokio::test]
async fn a_prefix_moves_every_route_and_the_root_redirects() {
    let server = start(SiteOptions {
        route_prefix: "/secure".to_owned(),
        ..options()
    })
    .await;
    for path in [
        "/secure/",
        "/secure/metrics",
        "/secure/-/ready",
        "/secure/style.css",
    ] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    for path in ["/", "/secure"] {
        let response = server.get(path).await;
        assert_eq!(
            (response.status, response.header("location")),
            (302, Some("/secure/")),
            "{path}"
        );
    }
    assert_eq!(server.get("/metrics").await.status, 404);
    let page = server.get("/secure/").await;
    assert!(page.text().contains("href=\"/secure/metrics\""));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = start(options()).await;
    let one = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n");
    let all = [
        one("/-/healthy", ""),
        one("/nowhere", ""),
        one("/-/ready", "Connection: close\r\n"),
    ];
    let response = String::from_utf8(server.raw(all.concat().as_bytes()).await).unwrap();
    let statuses: Vec<&str> = response
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|part| &part[..3])
        .collect();
    assert_eq!(statuses, ["200", "404", "200"]);
}

#[tokio::test]
async fn invalid_requests_are_rejected() {
    let server = start(options()).await;
    for invalid in [
        &b"GET / HTTP/1.1\r\nbroken header\r\n\r\n"[..],
        b"GET /\xff\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello tls \r\n\r\n",
        b"GET / HTTP/7.7\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ] {
        assert_eq!(server.send(invalid).await.status, 400, "{invalid:?}");
    }
    assert_eq!(server.get("/-/healthy").await.status, 200);
}

#[tokio::test]
async fn oversized_headers_and_bodies_are_rejected() {
    let server = start(options()).await;
    let long = format!("X-Long: {}\r\n", "a".repeat(20_000));
    assert_eq!(server.request("GET", "/metrics", &long).await.status, 431);
    let many = "X-Many: a\r\n".repeat(200);
    assert_eq!(server.request("GET", "/metrics", &many).await.status, 431);
    let body = server
        .request("GET", "/metrics", "Content-Length: 1000000\r\n")
        .await;
    assert_eq!(body.status, 413);
    let small = server
        .request("GET", "/-/healthy", "Content-Length: 2\r\n\r\nhi")
        .await;
    assert_eq!(small.status, 200);
    assert_eq!(server.get("/-/healthy").await.status, 200);
}

#[tokio::test]
async fn a_kept_connection_does_not_delay_shutdown() {
    let server = start(options()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n";
    for _ in 0..2 {
        stream.write_all(request).await.unwrap();
        let mut buffer = vec![0; 4_096];
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(buffer[..read].starts_with(b"HTTP/1.1 200"));
    }
    let address = server.address;
    assert_eq!(server.stop().await, DrainOutcome::Complete);
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0);
    assert!(TcpStream::connect(address).await.is_err());
}

/// Far more than a test needs, and half of the minute that a response may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Whether a connection serves a request.
async fn is_served(stream: &mut TcpStream) -> bool {
    let request = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut response = [0; 1_024];
    stream.write_all(request).await.is_ok()
        && stream.read(&mut response).await.is_ok_and(|read| read > 0)
}

/// Opens a connection, sends one request and leaves it open.
async fn idle_connection(server: &TestServer) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    assert!(is_served(&mut stream).await);
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_connections_block_no_request() {
    let server = start(options()).await;
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(idle_connection(&server).await);
    }
    assert_eq!(server.get("/metrics").await.status, 200);

    // The longest idle one was closed, the latest was not.
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(TIMEOUT, idle[0].read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the first one is still open");
    assert!(rest.is_empty());
    assert!(is_served(&mut idle[999]).await, "the last one was closed");
}

/// A client that requests everything and reads only the beginning.
async fn slow_reader(server: &TestServer) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut first = [0; 16];
    stream.read_exact(&mut first).await.unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200"), "{first:?}");
    stream
}

/// A server of large answers, each of its two places taken by a slow reader.
async fn fully_occupied() -> (TestServer, Vec<TcpStream>) {
    let server = start_limited(2, AccessControl::default()).await;
    for number in 0..100 {
        server.store.publish(large_fleet::tenant(number, 0, 1));
    }
    let readers = vec![slow_reader(&server).await, slow_reader(&server).await];
    (server, readers)
}

/// Whether a scrape succeeds in time.
async fn is_scraped(server: &TestServer) -> bool {
    let start = Instant::now();
    while start.elapsed() < TIMEOUT {
        if server.get("/metrics").await.status == 200 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_limit_get_503_naming_the_flag() {
    let (server, mut readers) = fully_occupied().await;
    let refused = server.get("/metrics").await;
    assert_eq!(refused.status, 503);
    assert!(
        refused.text().contains("--web.max-requests"),
        "{}",
        refused.text()
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    for probe in ["/-/healthy", "/-/ready", "/livez", "/readyz"] {
        assert_eq!(server.get(probe).await.status, 200, "{probe}");
    }
    drop(readers.pop());
    assert!(is_scraped(&server).await, "the permit is never returned");
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_take_nothing_give_up_their_places_for_a_scrape() {
    let (server, _readers) = fully_occupied().await;
    assert!(is_scraped(&server).await, "the readers keep every place");
}

#[tokio::test]
async fn a_request_has_exactly_one_host() {
    let server = start(options()).await;
    for (head, status) in [
        ("GET / HTTP/1.1\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n", 200),
        ("GET / HTTP/1.0\r\n", 200),
    ] {
        let request = format!("{head}Connection: close\r\n\r\n");
        let response = server.send(request.as_bytes()).await;
        assert_eq!(response.status, status, "{head:?}");
    }
}
