//! The server as a client meets it: real sockets, raw bytes.

use bytes::Bytes;
use secure_score_exporter::model::{
    ActionType, Anomalies, CatalogueEntry, Category, Control, ControlScore, ControlState, History,
    Level, Persons, Points, Reason, Report, StateUpdate, TenantHealth, TenantIdentity,
    TenantSnapshot, Tier, Timestamp, Trouble,
};
use secure_score_exporter::store::{Store, TenantState};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exporter::web::{Drained, Options, PersonDetail, Redaction, Site, bind, serve};
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server on a port of its own.
struct Running {
    address: SocketAddr,
    store: Arc<Store>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

fn options() -> Options {
    Options {
        telemetry_path: "/metrics".to_owned(),
        route_prefix: "/".to_owned(),
        external_url: None,
        persons: PersonDetail::Shown(Persons::Plain),
        version: "1.2.3".to_owned(),
        started: SystemTime::now(),
    }
}

async fn start(options: Options) -> Running {
    let store = Arc::new(Store::default());
    let site = Site::new(
        Arc::clone(&store),
        Arc::new(Telemetry::new().unwrap()),
        options,
    );
    let listeners = bind(&["127.0.0.1:0"]).await.unwrap();
    let address = listeners[0].local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(serve(listeners, Arc::new(site), async {
        let _ = stopped.await;
    }));
    Running {
        address,
        store,
        stop,
        ended,
    }
}

/// What came back, taken apart.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn length(&self) -> usize {
        self.header("content-length").unwrap().parse().unwrap()
    }
}

fn parsed(bytes: Vec<u8>) -> Answer {
    let bytes = Bytes::from(bytes);
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no head in {bytes:?}"));
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head,
        body: bytes.slice(end + 4..),
    }
}

impl Running {
    /// Sends bytes as they are and reads until the server closes.
    async fn raw(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    }

    async fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
        );
        parsed(self.raw(request.as_bytes()).await)
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    async fn stop(self) -> Drained {
        let _ = self.stop.send(());
        self.ended.await.unwrap()
    }
}

fn attempted() -> TenantHealth {
    let mut health = TenantHealth::default();
    for refreshes in [&mut health.profiles, &mut health.scores] {
        refreshes.refreshes = 1;
        refreshes.up = true;
        refreshes.last_success = Some(Timestamp::from(SystemTime::now()));
    }
    health
}

fn tenant(alias: &str) -> TenantState {
    TenantState {
        identity: TenantIdentity {
            alias: Arc::from(alias),
            entra_tenant_id: None,
            display_name: Arc::from(alias),
            cloud: "global",
            target: Some(0.8),
            credential_expires: None,
        },
        snapshot: Arc::default(),
        health: attempted(),
        data: Default::default(),
        vitals: Default::default(),
    }
}

fn change(state: ControlState, at: i64, by: &str, comment: &str) -> StateUpdate {
    StateUpdate {
        state,
        at: Some(Timestamp::from_seconds(at)),
        by: Some(Arc::from(by)),
        comment: Some(Arc::from(comment)),
        assigned_to: None,
    }
}

fn control(id: &str, category: Category, updates: Vec<StateUpdate>) -> Control {
    let entry = CatalogueEntry {
        id: Arc::from(id),
        title: Arc::from(format!("Title of {id}")),
        category,
        product: Arc::from("Entra"),
        tier: Tier::Core,
        user_impact: Level::Low,
        implementation_cost: Level::Low,
        action_type: ActionType::Config,
        max_score: Points::new(8.0),
        deprecated: false,
        action_url: None,
        history: History::from_updates(updates),
    };
    let score = ControlScore {
        id: Arc::from(id),
        category,
        score: Points::ZERO,
        percentage: Some(0.0),
        last_synced: None,
        implementation_status: None,
    };
    Control {
        id: Arc::from(id),
        category,
        entry: Some(Arc::new(entry)),
        score: Some(Arc::new(score)),
        selected: false,
        watched: false,
        exceptions: Vec::new(),
    }
}

fn with_controls(mut tenant: TenantState, controls: Vec<Control>) -> TenantState {
    let report = Report {
        entra_tenant_id: Arc::from("00000000-0000-0000-0000-000000000001"),
        as_of: Some(Timestamp::from(SystemTime::now())),
        current_score: Points::new(41.5),
        max_score: Points::new(50.0),
        active_users: None,
        licensed_users: None,
        comparisons: Vec::new(),
        scores: Vec::new(),
        anomalies: Anomalies::default(),
    };
    tenant.snapshot = Arc::new(TenantSnapshot {
        controls,
        report: Some(Arc::new(report)),
        catalogue_anomalies: Some(Anomalies::default()),
        ..TenantSnapshot::default()
    });
    tenant
}

fn troubled(mut tenant: TenantState) -> TenantState {
    tenant.health.profiles.trouble = Some(Trouble {
        reason: Reason::Permission,
        message: "Graph refused the catalogue: 403 Forbidden".to_owned(),
        hint: Some("grant the application permission SecurityEvents.Read.All".to_owned()),
    });
    tenant
}

/// Lines that differ from scrape to scrape: what the process says of itself.
fn lasting(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let own = |line: &&str| !line.contains("process_") && !line.contains("secure_score_exporter_");
    text.lines().filter(own).map(str::to_owned).collect()
}

fn gunzipped(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(body);
    decoder.read_to_end(&mut plain).unwrap();
    plain
}

const OPENMETRICS: &str = "Accept: application/openmetrics-text;version=1.0.0\r\n";

#[tokio::test]
async fn a_scrape_is_labelled_measured_and_says_what_it_depends_on() {
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

    let open = server.ask("GET", "/metrics", OPENMETRICS).await;
    assert!(
        open.header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text; version=1.0.0")
    );
    assert_eq!(open.length(), open.body.len());
    assert!(open.body.ends_with(b"# EOF\n"));
}

#[tokio::test]
async fn the_compressed_body_is_the_plain_one() {
    let server = start(options()).await;
    server.store.publish(tenant("contoso"));
    for accept in ["", OPENMETRICS] {
        let plain = server.ask("GET", "/metrics", accept).await;
        let asked = format!("{accept}Accept-Encoding: gzip, gzip\r\n");
        let packed = server.ask("GET", "/metrics", &asked).await;
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        assert_eq!(packed.header("content-type"), plain.header("content-type"));
        assert_eq!(packed.length(), packed.body.len());
        assert_eq!(lasting(&gunzipped(&packed.body)), lasting(&plain.body));
    }
}

#[tokio::test]
async fn a_head_is_the_answer_without_its_body() {
    let server = start(options()).await;
    server.store.publish(tenant("contoso"));
    for path in ["/style.css", "/-/healthy", "/-/ready", "/nowhere"] {
        let (full, head) = (server.get(path).await, server.ask("HEAD", path, "").await);
        assert_eq!(head.status, full.status, "{path}");
        assert_eq!(head.header("content-type"), full.header("content-type"));
        assert_eq!(head.length(), full.body.len(), "{path}");
        assert!(head.body.is_empty(), "{path}");
    }
    for path in ["/", "/metrics"] {
        let head = server.ask("HEAD", path, "").await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert!(head.length() > 0, "{path}");
    }
}

#[tokio::test]
async fn only_looking_is_allowed() {
    let server = start(options()).await;
    for path in ["/", "/metrics", "/-/healthy", "/readyz"] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
            let answer = server.ask(method, path, "").await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
    }
}

#[tokio::test]
async fn an_unknown_path_names_the_known_ones_and_repeats_nothing_raw() {
    let server = start(options()).await;
    let answer = server.get("/a\"onload=\"b&c").await;
    assert_eq!(answer.status, 404);
    for known in ["/metrics", "/-/healthy", "/-/ready"] {
        assert!(answer.text().contains(&format!("href=\"{known}\"")));
    }
    assert!(answer.text().contains("/a&quot;onload=&quot;b&amp;c"));
}

#[tokio::test]
async fn it_is_ready_when_every_tenant_was_attempted() {
    let server = start(options()).await;
    for path in ["/-/healthy", "/livez", "/healthz", "/-/ready", "/readyz"] {
        assert_eq!(server.get(path).await.status, 200, "{path} without tenants");
    }
    let mut waiting = tenant("fabrikam");
    waiting.health.scores.refreshes = 0;
    server.store.publish(tenant("contoso"));
    server.store.publish(waiting);
    for path in ["/-/ready", "/readyz"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 503, "{path}");
        assert!(
            answer.text().contains("1 of 2 tenants"),
            "{}",
            answer.text()
        );
        assert!(answer.text().contains("fabrikam"));
    }
    assert_eq!(server.get("/-/healthy").await.status, 200);
    let mut kept = with_controls(tenant("fabrikam"), Vec::new());
    kept.health = TenantHealth::default();
    for known in [tenant("fabrikam"), kept] {
        server.store.publish(known);
        assert_eq!(server.get("/-/ready").await.status, 200);
    }
}

#[tokio::test]
async fn a_prefix_moves_everything_and_the_root_leads_there() {
    let server = start(Options {
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
        let answer = server.get(path).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (302, Some("/secure/")),
            "{path}"
        );
    }
    assert_eq!(server.get("/metrics").await.status, 404);
    let page = server.get("/secure/").await;
    assert!(page.text().contains("href=\"/secure/metrics\""));
}

const HOSTILE: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&";

#[tokio::test]
async fn words_of_strangers_are_shown_and_never_obeyed() {
    let server = start(options()).await;
    let mut hostile = control(
        HOSTILE,
        Category::Identity,
        vec![change(
            ControlState::RiskAccepted,
            1_763_626_530,
            HOSTILE,
            HOSTILE,
        )],
    );
    hostile.id = Arc::from(HOSTILE);
    let mut state = troubled(with_controls(tenant("contoso"), vec![hostile]));
    state.identity.display_name = Arc::from(HOSTILE);
    if let Some(trouble) = &mut state.health.profiles.trouble {
        trouble.message = HOSTILE.to_owned();
        trouble.hint = Some(HOSTILE.to_owned());
    }
    server.store.publish(state);
    let page = server.get("/").await;
    let text = page.text();
    assert!(text.contains("&lt;script&gt;alert('x')&lt;/script&gt;"));
    for dangerous in ["<script", "</script", "<img"] {
        assert!(!text.contains(dangerous), "{dangerous}");
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
}

fn with_history() -> TenantState {
    use ControlState::{RiskAccepted, ToAddress};
    let (old, new) = (1_700_000_000, 1_763_626_530);
    with_controls(
        tenant("contoso"),
        vec![
            control(
                "apps",
                Category::Apps,
                vec![change(
                    RiskAccepted,
                    new + 9,
                    "amy@x.example",
                    "apps are late",
                )],
            ),
            control(
                "older",
                Category::Identity,
                vec![change(RiskAccepted, old, "bob@x.example", "for now")],
            ),
            control(
                "newer",
                Category::Identity,
                vec![change(RiskAccepted, new, "cleo@x.example", "budget")],
            ),
            control(
                "reverted",
                Category::Identity,
                vec![
                    change(RiskAccepted, old, "dan@x.example", "oops"),
                    change(ToAddress, new, "eve@x.example", ""),
                ],
            ),
            control("untouched", Category::Identity, Vec::new()),
        ],
    )
}

#[tokio::test]
async fn accepted_risks_stand_identity_first_and_newest_first() {
    let server = start(options()).await;
    server.store.publish(with_history());
    let page = server.get("/").await;
    let place = |word: &str| {
        page.text()
            .find(word)
            .unwrap_or_else(|| panic!("no {word}"))
    };
    let places = [
        "Title of newer",
        "Title of older",
        "Title of apps",
        "Title of reverted",
    ]
    .map(place);
    assert!(places.is_sorted(), "{places:?}");
    assert!(place("id=\"withdrawn\"") > places[2] && place("id=\"withdrawn\"") < places[3]);
    assert!(!page.text().contains("Title of untouched"));
    for shown in [
        "2025-11-20 08:15 UTC",
        "cleo@x.example",
        "budget",
        "41.5 of 50 (83 %)",
        "eve@x.example",
        "to address",
    ] {
        assert!(page.text().contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn who_and_why_are_shown_to_this_machine_and_not_through_a_proxy() {
    let server = start(options()).await;
    server.store.publish(with_history());
    assert!(server.get("/").await.text().contains("cleo@x.example"));
    let proxied = server
        .ask("GET", "/", "X-Forwarded-For: 192.0.2.1\r\n")
        .await;
    let foreign = b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    for page in [proxied, parsed(server.raw(foreign).await)] {
        assert_eq!(page.status, 200);
        assert!(page.text().contains("Title of newer"));
        assert!(page.text().contains("through a proxy"));
        for person in ["x.example", "budget", "oops", "for now"] {
            assert!(!page.text().contains(person), "{person}");
        }
    }
}

#[tokio::test]
async fn who_and_why_are_hidden_where_anybody_can_look() {
    for (redaction, remedy) in [
        (Redaction::Unprotected, "--web.listen-address"),
        (Redaction::Configured, "privacy.events: full"),
    ] {
        let server = start(Options {
            persons: PersonDetail::Redacted(redaction),
            ..options()
        })
        .await;
        server.store.publish(with_history());
        let page = server.get("/").await;
        assert!(page.text().contains("Title of newer"));
        assert!(page.text().contains(remedy));
        for person in ["x.example", "budget", "oops", "for now"] {
            assert!(!page.text().contains(person), "{person}");
        }
    }
}

#[tokio::test]
async fn nothing_accepted_and_nothing_known_are_told_apart() {
    let server = start(options()).await;
    assert!(
        server
            .get("/")
            .await
            .text()
            .contains("No tenant is configured here")
    );
    server.store.publish(tenant("contoso"));
    assert!(
        server
            .get("/")
            .await
            .text()
            .contains("The catalogue of controls of 1 of 1 tenants is not known")
    );
    server
        .store
        .publish(with_controls(tenant("contoso"), Vec::new()));
    let page = server.get("/").await;
    assert!(!page.text().contains("is not known now"));
    assert!(
        page.text()
            .contains("No control that we know of has its risk accepted now")
    );
}

#[tokio::test]
async fn of_a_thousand_tenants_those_in_trouble_are_shown_first() {
    let server = start(options()).await;
    let long = "\"&<".repeat(2_000);
    for number in 0..1_000 {
        let accepted = (0..5).map(|n| {
            let update = change(ControlState::RiskAccepted, 1_763_626_530 + n, &long, &long);
            control(&format!("control-{n}"), Category::Identity, vec![update])
        });
        let state = with_controls(tenant(&format!("tenant-{number:04}")), accepted.collect());
        server.store.publish(match number {
            900.. => troubled(state),
            _ => state,
        });
    }
    let page = server.get("/").await;
    let place = |word: &str| {
        page.text()
            .find(word)
            .unwrap_or_else(|| panic!("no {word}"))
    };
    assert!(place("tenant-0900") < place("tenant-0000"));
    assert!(page.text().contains("1000 tenants, 100 in trouble"));
    assert!(
        page.text()
            .contains("and more: 800 tenants, none in trouble")
    );
    assert!(page.text().contains("5000 accepted now"));
    assert!(page.body.len() < 1_000_000, "{}", page.body.len());
}

#[tokio::test]
async fn requests_sent_in_one_go_are_all_answered_in_order() {
    let server = start(options()).await;
    let one = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n");
    let all = [
        one("/-/healthy", ""),
        one("/nowhere", ""),
        one("/-/ready", "Connection: close\r\n"),
    ];
    let answer = String::from_utf8(server.raw(all.concat().as_bytes()).await).unwrap();
    let statuses: Vec<&str> = answer
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|part| &part[..3])
        .collect();
    assert_eq!(statuses, ["200", "404", "200"]);
}

#[tokio::test]
async fn rubbish_is_refused_and_harms_nobody() {
    let server = start(options()).await;
    for rubbish in [
        &b"GET / HTTP/1.1\r\nbroken header\r\n\r\n"[..],
        b"GET /\xff\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello tls \r\n\r\n",
        b"GET / HTTP/7.7\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ] {
        assert_eq!(parsed(server.raw(rubbish).await).status, 400, "{rubbish:?}");
    }
    assert_eq!(server.get("/-/healthy").await.status, 200);
}

#[tokio::test]
async fn too_much_header_and_too_much_body_are_refused() {
    let server = start(options()).await;
    let long = format!("X-Long: {}\r\n", "a".repeat(20_000));
    assert_eq!(server.ask("GET", "/metrics", &long).await.status, 431);
    let many = "X-Many: a\r\n".repeat(200);
    assert_eq!(server.ask("GET", "/metrics", &many).await.status, 431);
    let body = server
        .ask("GET", "/metrics", "Content-Length: 1000000\r\n")
        .await;
    assert_eq!(body.status, 413);
    let small = server
        .ask("GET", "/-/healthy", "Content-Length: 2\r\n\r\nhi")
        .await;
    assert_eq!(small.status, 200);
    assert_eq!(server.get("/-/healthy").await.status, 200);
}

#[tokio::test]
async fn http2_is_spoken_with_those_who_begin_with_it() {
    let server = start(options()).await;
    server.store.publish(tenant("contoso"));
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .unwrap();
    let url = format!("http://{}/metrics", server.address);
    let answer = client.get(url).send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().ends_with('\n'));
    drop(client);
    assert_eq!(server.stop().await, Drained::Completely);
}

#[tokio::test]
async fn a_kept_connection_does_not_delay_the_end() {
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
    assert_eq!(server.stop().await, Drained::Completely);
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0);
    assert!(TcpStream::connect(address).await.is_err());
}

/// Opens a connection, has one answer on it, and leaves it open.
async fn idle_connection(server: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = [0; 1_024];
    assert!(stream.read(&mut answer).await.unwrap() > 0);
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_connections_keep_nobody_out() {
    let server = start(options()).await;
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(idle_connection(&server).await);
    }
    assert_eq!(server.get("/metrics").await.status, 200);

    // Those that had to go are the longest idle ones, and no more than needed.
    let open = |stream: &TcpStream| {
        let nothing = stream.try_read(&mut [0; 1]);
        nothing.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    };
    let still_open = idle.iter().filter(|stream| open(stream)).count();
    assert!(still_open >= 400, "{still_open} are open");
    assert!(!open(&idle[0]) && open(&idle[999]));
}
