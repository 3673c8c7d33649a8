//! A server for one test, and the tenants it shows.

use bytes::Bytes;
use exporter_web_config::AccessControl;
use secure_score_exporter::http::{DrainOutcome, ServerOptions, Site, SiteOptions, bind, serve};
use secure_score_exporter::http_types::PersonPolicy;
use secure_score_exporter::store::{Store, TenantState};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_model::{
    Anomalies, CatalogueEntry, Category, Control, ControlScore, ControlState, History, Persons,
    Points, Reason, Report, StateUpdate, TenantHealth, TenantIdentity, TenantSnapshot, Timestamp,
    Trouble,
};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server on a port of its own.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<Store>,
    pub(crate) site: Arc<Site>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) ended: JoinHandle<DrainOutcome>,
}

/// Of a site that shows persons to every client.
pub(crate) fn options() -> SiteOptions {
    options_with(Persons::Plain, true)
}

/// Of a site that shows persons thus.
pub(crate) fn options_with(persons: Persons, without_authentication: bool) -> SiteOptions {
    SiteOptions {
        persons: PersonPolicy {
            persons,
            without_authentication,
        },
        ..SiteOptions::default()
    }
}

pub(crate) fn site(store: &Arc<Store>, telemetry: &Arc<Telemetry>, options: SiteOptions) -> Site {
    Site::new(Arc::clone(store), Arc::clone(telemetry), options)
}

pub(crate) async fn start(options: SiteOptions) -> TestServer {
    start_with(Arc::default(), options).await
}

/// A server that shows one tenant.
pub(crate) async fn start_showing(state: TenantState) -> TestServer {
    let server = start(options()).await;
    server.store.publish(state);
    server
}

/// A server over an existing store.
pub(crate) async fn start_with(store: Arc<Store>, options: SiteOptions) -> TestServer {
    start_serving(store, options, ServerOptions::default()).await
}

/// A server that answers so many requests at once, with `access`.
pub(crate) async fn start_limited(max: usize, access: AccessControl) -> TestServer {
    let serving = ServerOptions {
        access: Arc::new(access),
        max_requests: NonZeroUsize::new(max),
    };
    start_serving(Arc::default(), options(), serving).await
}

/// A server over an existing store, served thus.
pub(crate) async fn start_serving(
    store: Arc<Store>,
    options: SiteOptions,
    serving: ServerOptions,
) -> TestServer {
    let telemetry = Arc::new(Telemetry::new().unwrap());
    let site = Arc::new(site(&store, &telemetry, options));
    let listeners = bind(&["127.0.0.1:0"]).await.unwrap();
    let address = listeners[0].local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let serving = serve(serving, listeners, Arc::clone(&site), shutdown);
    TestServer {
        address,
        store,
        site,
        telemetry,
        stop,
        ended: tokio::spawn(serving),
    }
}

/// A parsed response.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Bytes,
}

impl HttpResponse {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn length(&self) -> usize {
        self.header("content-length").unwrap().parse().unwrap()
    }
}

fn parse_response(bytes: Vec<u8>) -> HttpResponse {
    let bytes = Bytes::from(bytes);
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no head in {bytes:?}"));
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    HttpResponse {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head,
        body: bytes.slice(end + 4..),
    }
}

impl TestServer {
    /// Sends bytes unchanged and parses the response.
    pub(crate) async fn send(&self, request: &[u8]) -> HttpResponse {
        parse_response(self.raw(request).await)
    }

    /// Sends bytes unchanged and reads until the server closes.
    pub(crate) async fn raw(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response).await;
        response
    }

    pub(crate) async fn request(&self, method: &str, path: &str, headers: &str) -> HttpResponse {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
        );
        self.send(request.as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str) -> HttpResponse {
        self.request("GET", path, "").await
    }

    pub(crate) async fn stop(self) -> DrainOutcome {
        let _ = self.stop.send(());
        self.ended.await.unwrap()
    }
}

/// The part of a page between two texts.
#[track_caller]
pub(crate) fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let found = page.split_once(start);
    let (_, rest) = found.unwrap_or_else(|| panic!("no {start}\n{page}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end}")).0
}

/// The section of a page with this heading.
pub(crate) async fn section(server: &TestServer, path: &str, id: &str) -> String {
    let page = server.get(path).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let start = format!("<section aria-labelledby=\"{id}\">");
    between(page.text(), &start, "</section>").to_owned()
}

/// A text has these words.
#[track_caller]
pub(crate) fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word}\n{text}");
    }
}

/// The health after one successful refresh of each list.
pub(crate) fn refreshed() -> TenantHealth {
    let mut health = TenantHealth::default();
    for list in [&mut health.profiles, &mut health.scores] {
        list.refreshes = 1;
        list.up = true;
        list.last_success = Some(Timestamp::from(SystemTime::now()));
    }
    health
}

pub(crate) fn tenant(alias: &str) -> TenantState {
    let mut state = TenantState::new(TenantIdentity::new(alias));
    state.identity.target = Some(0.8);
    state.health = refreshed();
    state
}

pub(crate) fn change(state: ControlState, at: i64, by: &str, comment: &str) -> StateUpdate {
    StateUpdate {
        at: Some(Timestamp::from_seconds(at)),
        by: Some(Arc::from(by)),
        comment: Some(Arc::from(comment)),
        ..StateUpdate::new(state)
    }
}

pub(crate) fn entry(id: &str, category: Category, updates: Vec<StateUpdate>) -> CatalogueEntry {
    CatalogueEntry {
        title: Arc::from(format!("Title of {id}")),
        category,
        max_score: Points::new(8.0),
        history: History::from_updates(updates),
        ..CatalogueEntry::new(id)
    }
}

/// A control with a score of 0.
pub(crate) fn scored(entry: CatalogueEntry) -> Control {
    let score = ControlScore::new(&entry.id, entry.category, Points::ZERO);
    Control {
        score: Some(Arc::new(score)),
        ..Control::listed(entry)
    }
}

pub(crate) fn control(id: &str, category: Category, updates: Vec<StateUpdate>) -> Control {
    scored(entry(id, category, updates))
}

pub(crate) fn report() -> Report {
    Report {
        as_of: Some(Timestamp::from(SystemTime::now())),
        current_score: Points::new(41.5),
        max_score: Points::new(50.0),
        ..Report::new("00000000-0000-0000-0000-000000000001")
    }
}

/// A snapshot of a catalogue alone.
pub(crate) fn snapshot(controls: Vec<Control>) -> TenantSnapshot {
    TenantSnapshot {
        controls,
        catalogue_anomalies: Some(Anomalies::default()),
        ..TenantSnapshot::default()
    }
}

/// The tenant with a report and these controls.
pub(crate) fn with_controls(mut tenant: TenantState, controls: Vec<Control>) -> TenantState {
    tenant.snapshot = Arc::new(TenantSnapshot {
        report: Some(Arc::new(report())),
        ..snapshot(controls)
    });
    tenant
}

/// The tenant with a failed refresh of the catalogue.
pub(crate) fn troubled(mut tenant: TenantState) -> TenantState {
    let message = "Graph refused the catalogue: 403 Forbidden";
    tenant.health.profiles.trouble = Some(Trouble {
        hint: Some("grant the application permission SecurityEvents.Read.All".to_owned()),
        ..Trouble::new(Reason::Permission, message)
    });
    tenant
}

pub(crate) const HOSTILE: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&";

/// Contoso, with risks accepted and one withdrawn.
pub(crate) fn with_history() -> TenantState {
    use Category::{Apps, Identity};
    use ControlState::{RiskAccepted, ToAddress};
    let (old, new) = (1_700_000_000, 1_763_626_530);
    let accepted = |at, by: &str, why: &str| change(RiskAccepted, at, by, why);
    let reverted = vec![
        accepted(old, "dan@x.example", "oops"),
        change(ToAddress, new, "eve@x.example", ""),
    ];
    let controls = [
        (
            "apps",
            Apps,
            vec![accepted(new + 9, "amy@x.example", "apps are late")],
        ),
        (
            "older",
            Identity,
            vec![accepted(old, "bob@x.example", "for now")],
        ),
        (
            "newer",
            Identity,
            vec![accepted(new, "cleo@x.example", "budget")],
        ),
        ("reverted", Identity, reverted),
        ("untouched", Identity, Vec::new()),
    ];
    let controls = controls.map(|(id, category, updates)| control(id, category, updates));
    with_controls(tenant("contoso"), controls.into())
}
