//! A server of its own for a test, and tenants to show on it.

use bytes::Bytes;
use secure_score_exporter::http::{Closed, Drained, Options, PersonDetail, Site, bind, serve};
use secure_score_exporter::store::{Store, TenantState};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_model::{
    ActionType, Anomalies, CatalogueEntry, Category, Control, ControlScore, ControlState, History,
    Level, Persons, Points, Reason, Report, StateUpdate, TenantHealth, TenantIdentity,
    TenantSnapshot, Tier, Timestamp, Trouble,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server on a port of its own.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<Store>,
    pub(crate) site: Arc<Site>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) ended: JoinHandle<Drained>,
}

pub(crate) fn options() -> Options {
    Options {
        telemetry_path: "/metrics".to_owned(),
        route_prefix: "/".to_owned(),
        external_url: None,
        persons: PersonDetail::Shown(Persons::Plain),
        exposed: false,
        access: Arc::default(),
        closed: Closed::default(),
        lifecycle: None,
        version: "1.2.3".to_owned(),
        started: SystemTime::now(),
    }
}

pub(crate) async fn start(options: Options) -> Running {
    over(Arc::default(), options).await
}

/// A server over a store that others fill.
pub(crate) async fn over(store: Arc<Store>, options: Options) -> Running {
    let telemetry = Arc::new(Telemetry::new().unwrap());
    let site = Site::new(Arc::clone(&store), Arc::clone(&telemetry), options);
    let site = Arc::new(site);
    let listeners = bind(&["127.0.0.1:0"]).await.unwrap();
    let address = listeners[0].local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(serve(listeners, Arc::clone(&site), async {
        let _ = stopped.await;
    }));
    Running {
        address,
        store,
        site,
        telemetry,
        stop,
        ended,
    }
}

/// What came back, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Bytes,
}

impl Answer {
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

pub(crate) fn parsed(bytes: Vec<u8>) -> Answer {
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
    pub(crate) async fn raw(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
        );
        parsed(self.raw(request.as_bytes()).await)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    pub(crate) async fn stop(self) -> Drained {
        let _ = self.stop.send(());
        self.ended.await.unwrap()
    }
}

pub(crate) fn attempted() -> TenantHealth {
    let mut health = TenantHealth::default();
    for refreshes in [&mut health.profiles, &mut health.scores] {
        refreshes.refreshes = 1;
        refreshes.up = true;
        refreshes.last_success = Some(Timestamp::from(SystemTime::now()));
    }
    health
}

pub(crate) fn tenant(alias: &str) -> TenantState {
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
        policy: Arc::default(),
        vitals: Default::default(),
    }
}

pub(crate) fn change(state: ControlState, at: i64, by: &str, comment: &str) -> StateUpdate {
    StateUpdate {
        state,
        at: Some(Timestamp::from_seconds(at)),
        by: Some(Arc::from(by)),
        comment: Some(Arc::from(comment)),
        assigned_to: None,
    }
}

pub(crate) fn control(id: &str, category: Category, updates: Vec<StateUpdate>) -> Control {
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
        history: History::from_updates(updates),
        ..CatalogueEntry::new(id)
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

pub(crate) fn with_controls(mut tenant: TenantState, controls: Vec<Control>) -> TenantState {
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

pub(crate) fn troubled(mut tenant: TenantState) -> TenantState {
    tenant.health.profiles.trouble = Some(Trouble {
        reason: Reason::Permission,
        message: "Graph refused the catalogue: 403 Forbidden".to_owned(),
        hint: Some("grant the application permission SecurityEvents.Read.All".to_owned()),
    });
    tenant
}

pub(crate) const HOSTILE: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&";

pub(crate) fn with_history() -> TenantState {
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
