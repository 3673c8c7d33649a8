//! Attacks over HTTP: no request makes the exporter call another host, inject a
//! header, serve a file or mix up tenants.

use crate::process::Process;
use crate::simulated::Simulated;
use crate::test_server::{start_showing, with_history};
use crate::world::World;
use graph_simulator::{Api, Fault, FaultKind};
use std::collections::BTreeSet;
use std::net::TcpListener;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Sends bytes to a server and reads the whole response.
async fn raw(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.ok();
    String::from_utf8_lossy(&response).into_owned()
}

/// Requests known to make servers call another one.
fn forgery_requests(trap: &str) -> Vec<String> {
    let url = format!("http://{trap}/x");
    let encoded: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
    let mut targets = vec![
        url.clone(),
        format!("//{trap}/metrics"),
        format!("/{url}"),
        format!("/@{trap}/"),
        format!("/tenants/{encoded}"),
    ];
    for key in [
        "tenant",
        "target",
        "url",
        "uri",
        "host",
        "module",
        "next",
        "$skiptoken",
        "tenant[]",
    ] {
        for path in [
            "/probe",
            "/metrics",
            "/sd/tenants",
            "/acceptances",
            "/api/v1/acceptances",
        ] {
            targets.push(format!("{path}?{key}={encoded}"));
        }
    }
    let close = "Connection: close\r\n\r\n";
    let mut requests: Vec<_> = targets
        .iter()
        .map(|target| format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{close}"))
        .collect();
    requests.push(format!(
        "CONNECT {trap} HTTP/1.1\r\nHost: {trap}\r\n{close}"
    ));
    for header in [
        "Host",
        "X-Forwarded-Host",
        "X-Forwarded-For",
        "X-Forwarded-Server",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Real-IP",
        "Forwarded",
        "Referer",
        "Origin",
        "Proxy",
        "Destination",
        "True-Client-IP",
        "Content-Location",
    ] {
        let host = if header == "Host" {
            ""
        } else {
            "Host: localhost\r\n"
        };
        for path in [
            "/",
            "/metrics",
            "/probe?tenant=contoso",
            "/sd/tenants",
            "/-/reload",
        ] {
            for value in [trap, &url, &format!("host={trap};proto=http")] {
                requests.push(format!(
                    "GET {path} HTTP/1.1\r\n{host}{header}: {value}\r\n{close}"
                ));
            }
        }
    }
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_makes_the_exporter_call_a_given_host() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let simulated = Simulated::start();
    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-lifecycle",
        "--config.file",
        &simulated.config(),
    ]);
    let address = exporter.word_after("address=");
    let requests = forgery_requests(&trap.local_addr().unwrap().to_string());
    assert!(requests.len() > 200, "{}", requests.len());
    let ready = "GET /-/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    while !raw(&address, ready).await.contains(" 200 ") {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for request in &requests {
        let response = raw(&address, request).await;
        let status = response.split(' ').nth(1).unwrap_or_default();
        assert!(
            ["200", "302", "400", "404", "405"].contains(&status),
            "{request}\n{response}"
        );
    }
    let called = trap.accept().map(|(_, by)| by);
    let uncalled = called
        .as_ref()
        .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(uncalled, "the trap was called: {called:?}");
    let log = simulated.paths_asked().await;
    let known = [
        "/oauth2/v2.0/token",
        "/v1.0/security/secureScores?",
        "/v1.0/security/secureScoreControlProfiles?",
        "/beta/directory/recommendations",
        "/v1.0/tenantRelationships/delegatedAdminCustomers?",
        "/v1.0/tenantRelationships/delegatedAdminRelationships?",
    ];
    for path in &log {
        assert!(known.iter().any(|known| path.contains(known)), "{path}");
    }
    assert!(!log.is_empty());
}

#[tokio::test]
async fn line_breaks_in_a_request_inject_no_header() {
    let server = start_showing(with_history()).await;
    for attack in [
        "%0d%0aX-Injected:%201",
        "%0aX-Injected:%201",
        "%E5%98%8D%E5%98%8AX-Injected:%201",
    ] {
        for path in [
            format!("/{attack}"),
            format!("/tenants/{attack}"),
            format!("/probe?tenant={attack}"),
            format!("/metrics?tenant[]={attack}"),
            format!("/acceptances?tenant={attack}"),
            format!("/api/v1/acceptances?tenant={attack}"),
            format!("/sd/tenants?{attack}=1"),
        ] {
            let response = server.get(&path).await;
            assert!(response.header("x-injected").is_none(), "{path}");
            assert!(
                (200..500).contains(&response.status),
                "{path}: {}",
                response.status
            );
        }
    }
    for header in [
        "Host: a%0d%0aX-Injected: 1",
        "X-Forwarded-Host: a\u{b}X-Injected: 1",
        "Accept: text/plain;x=\"%0d%0aX-Injected:1\"",
    ] {
        let host = if header.starts_with("Host") {
            ""
        } else {
            "Host: localhost\r\n"
        };
        let request =
            format!("GET /sd/tenants HTTP/1.1\r\n{host}{header}\r\nConnection: close\r\n\r\n");
        let response = server.send(request.as_bytes()).await;
        assert!(response.header("x-injected").is_none(), "{header}");
    }
}

#[tokio::test]
async fn no_path_serves_a_file() {
    let server = start_showing(with_history()).await;
    let file = "etc/passwd";
    for climb in [
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "%252e%252e%252f",
        "..\\",
        "..%5c",
        "%c0%ae%c0%ae/",
        "....//",
        "..;/",
        ".%00./",
    ] {
        for start in [
            "/",
            "/tenants/",
            "/tenants/contoso/",
            "/style.css/",
            "/api/v1/",
            "//",
        ] {
            let path = format!("{start}{}{file}", climb.repeat(8));
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            let response = server.send(request.as_bytes()).await;
            assert!(
                [400, 404].contains(&response.status),
                "{path}: {}",
                response.status
            );
            assert!(!response.text().contains("root:"), "{path}");
        }
    }
    for path in [
        "/\0",
        "/%00",
        "/metrics%00",
        "/file:///etc/passwd",
        "/C:\\boot.ini",
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let response = server.send(request.as_bytes()).await;
        assert!(
            [400, 404].contains(&response.status),
            "{path:?}: {}",
            response.status
        );
    }
}

/// Alias and GUID of each tenant in the metrics.
fn identities(metrics: &str) -> BTreeSet<(String, String)> {
    let lines = metrics
        .lines()
        .filter(|line| line.starts_with("secure_score_tenant_info{"));
    let label = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    lines
        .map(|line| (label(line, "tenant"), label(line, "entra_tenant_id")))
        .collect()
}

/// One tenant's lines without the timestamps of refreshes.
fn lines_of(metrics: &str, alias: &str) -> Vec<String> {
    let label = format!("tenant=\"{alias}\"");
    let lines = metrics.lines().filter(|line| line.contains(&label));
    let data =
        lines.filter(|line| line.starts_with("secure_score_control") || line.contains("_score{"));
    data.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_shows_its_own_data_after_its_tokens_are_revoked() {
    let world = World::watched().await;
    let before = world.metrics();
    let tenants = world.simulator.tenants();
    let expected: BTreeSet<_> = tenants
        .iter()
        .map(|it| (it.name.clone(), it.entra_id.clone()))
        .collect();
    assert_eq!(identities(&before), expected);
    for round in 0..3_u32 {
        for (number, tenant) in (0_u32..).zip(&tenants) {
            world.handle().revoke_tokens(&tenant.name).unwrap();
            if number % 2 == round % 2 {
                let brief = Fault::new(Api::Token, FaultKind::ShortLived(12)).times(2);
                world.inject(Some(&tenant.name), brief);
            }
        }
        let asked = world.handle().requests().len();
        let enough = asked + 4 * tenants.len();
        world
            .until("every tenant is requested again", |_| {
                world.handle().requests().len() >= enough
            })
            .await;
    }
    let after = world.metrics();
    assert_eq!(identities(&after), expected);
    for tenant in &tenants {
        let (then, now) = (
            lines_of(&before, &tenant.name),
            lines_of(&after, &tenant.name),
        );
        assert!(then.len() > 50, "{}: {}", tenant.name, then.len());
        assert_eq!(then, now, "{}", tenant.name);
    }
    let requests = world.handle().requests();
    for request in requests.iter().filter(|it| it.api == Some(Api::Token)) {
        let of = tenants
            .iter()
            .find(|it| Some(&it.name) == request.tenant.as_ref())
            .unwrap();
        assert!(request.path_and_query.contains(&of.entra_id), "{request:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_data_of_another_tenant_are_rejected() {
    let world = World::new().await;
    world.inject(
        Some("contoso"),
        Fault::new(Api::Token, FaultKind::WrongTenant),
    );
    world.inject(
        Some("fabrikam"),
        Fault::new(Api::Scores, FaultKind::WrongTenant),
    );
    world.inject(
        Some("litware"),
        Fault::new(Api::Profiles, FaultKind::WrongTenant),
    );
    let world = world.watch();
    world.attempted().await;
    let metrics = world.metrics();
    for (alias, family) in [
        ("contoso", "secure_score_tenant_score{"),
        ("contoso", "secure_score_control_risk_accepted{"),
        ("fabrikam", "secure_score_tenant_score{"),
        ("litware", "secure_score_control_risk_accepted{"),
    ] {
        let label = format!("tenant=\"{alias}\"");
        let found = metrics
            .lines()
            .find(|line| line.starts_with(family) && line.contains(&label));
        assert_eq!(found, None, "{alias}");
    }
    let requests = world.handle().requests();
    let lists = requests.iter().filter(|it| it.api != Some(Api::Token));
    let for_contoso = lists
        .filter(|it| it.tenant.as_deref() == Some("contoso"))
        .count();
    assert_eq!(for_contoso, 0, "the token of another tenant was sent");
    let reason = "reason=\"wrong_tenant\"";
    let failed = metrics
        .lines()
        .filter(|line| line.contains(reason) && !line.ends_with(" 0"));
    let failed: BTreeSet<_> = failed
        .filter_map(|line| line.split("tenant=\"").nth(1)?.split('"').next())
        .collect();
    assert_eq!(failed, BTreeSet::from(["contoso", "fabrikam", "litware"]));
}
