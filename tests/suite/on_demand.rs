//! Refreshes that a scrape triggers.

use crate::access;
use crate::compression::gunzipped;
use crate::test_server::{options, start_serving, start_with};
use crate::world::World;
use graph_simulator::{Api as Struck, Fault, FaultKind, Options, RetryAfter};
use secure_score_exporter::config::RefreshMode;
use secure_score_exporter::http::ServerOptions;
use secure_score_model::{Control, ControlState};
use std::sync::Arc;
use std::time::{Duration, Instant};

const RISK_ACCEPTED: Option<ControlState> = Some(ControlState::RiskAccepted);

/// Long enough that all requests are made before it is over again.
const INTERVAL: Duration = Duration::from_secs(4);

async fn on_demand() -> World {
    with_tenants(Options::default().tenants).await
}

async fn with_tenants(tenants: usize) -> World {
    let options = Options {
        tenants,
        ..Options::default()
    };
    let world = World::with(options).await.configure(|config| {
        config.refresh.mode = RefreshMode::Scrape;
        config.refresh.profiles = INTERVAL;
        config.refresh.scores = INTERVAL;
    });
    let world = world.watch();
    world.attempted().await;
    world
}

fn refreshes(world: &World, alias: &str) -> (u64, u64) {
    let health = &world.tenant(alias).health;
    (health.profiles.refreshes, health.scores.refreshes)
}

async fn overdue() {
    tokio::time::sleep(INTERVAL + INTERVAL / 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scrapes_there_is_no_refresh_and_many_scrapes_share_one() {
    let world = on_demand().await;
    let refresh = world.on_demand();
    refresh.refreshed(|_| true).await;
    assert_eq!(refreshes(&world, "contoso"), (1, 1), "it is not due");
    overdue().await;
    assert_eq!(refreshes(&world, "contoso"), (1, 1), "there was no request");

    let scrapes = (0..50).map(|_| {
        let refresh = Arc::clone(&refresh);
        async move { refresh.refreshed(|alias| alias == "contoso").await }
    });
    let mut together = tokio::task::JoinSet::new();
    scrapes.for_each(|scrape| {
        together.spawn(scrape);
    });
    together.join_all().await;
    assert_eq!(refreshes(&world, "contoso"), (2, 2));
    assert_eq!(
        refreshes(&world, "fabrikam"),
        (1, 1),
        "the other tenants are not refreshed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_returns_the_data_it_triggered() {
    let world = on_demand().await;
    let server = start_with(Arc::clone(&world.store), options()).await;
    server.site.set_on_demand_refresh(world.on_demand());
    overdue().await;
    for (path, refreshed) in [("/probe?tenant=contoso", 2), ("/metrics", 2)] {
        let answer = server.get(path).await;
        let series = r#"secure_score_refreshes_total{tenant="contoso",api="profiles"}"#;
        let line = format!("{series} {refreshed}\n");
        assert!(answer.text().contains(&line), "{path}");
    }
    assert_eq!(
        refreshes(&world, "fabrikam"),
        (2, 2),
        "/metrics refreshes all tenants"
    );
}

/// Of so many tenants a scrape is sent the newest compressed body in the background,
/// which may be a second old.
#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_scrape_returns_the_data_it_triggered() {
    let world = with_tenants(50).await;
    let server = start_with(Arc::clone(&world.store), options()).await;
    server.site.set_on_demand_refresh(world.on_demand());
    let scrape = async || {
        let header = "Accept-Encoding: gzip\r\n";
        server.request("GET", "/metrics", header).await
    };
    let is_compressed = async || scrape().await.header("content-encoding") == Some("gzip");
    let compressed = async {
        while !is_compressed().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), compressed)
        .await
        .unwrap();
    let by = "dana@example.org";
    let handle = world.handle();
    handle.accept("contoso", "UserRiskPolicy", by, "").unwrap();
    overdue().await;
    let answer = scrape().await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let body = String::from_utf8(gunzipped(&answer.body)).unwrap();
    let start = r#"secure_score_control_risk_accepted{tenant="contoso",control="UserRiskPolicy""#;
    let mut lines = body.lines();
    assert!(lines.any(|line| line.starts_with(start) && line.ends_with(" 1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_refreshes_no_tenant_that_its_client_does_not_see() {
    let world = on_demand().await;
    let serving = ServerOptions {
        access: Arc::new(access::web_config()),
        ..ServerOptions::default()
    };
    let server = start_serving(Arc::clone(&world.store), options(), serving).await;
    server.site.set_on_demand_refresh(world.on_demand());
    server.site.set_access(Some(access::rules(&["contoso"])));
    overdue().await;
    let header = format!("Authorization: {}\r\n", access::authorization());
    let hidden = server.request("GET", "/probe?tenant=fabrikam", &header);
    assert_eq!(hidden.await.status, 404);
    assert_eq!(server.request("GET", "/metrics", &header).await.status, 200);
    assert_eq!(refreshes(&world, "contoso"), (2, 2));
    assert_eq!(refreshes(&world, "fabrikam"), (1, 1));
}

/// On a busy machine the report may come after more than the second that the
/// catalogue waits, or both may be there before they are looked at; not each time.
#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_waits_for_the_report_that_is_requested_with_it() {
    let world = on_demand().await;
    let slow = FaultKind::Slow { millis: 600 };
    world.inject(Some("contoso"), Fault::new(Struck::Scores, slow));
    let mut waited = false;
    for attempt in 2..10 {
        let before = Arc::clone(&world.tenant("contoso").snapshot);
        let handle = world.handle();
        let comment = format!("attempt {attempt}");
        handle
            .accept("contoso", "UserRiskPolicy", "dana@example.org", &comment)
            .unwrap();
        overdue().await;
        let refresh = world.on_demand();
        let scrape = tokio::spawn(async move { refresh.refreshed(|_| true).await });
        world
            .until("the catalogue was read", |_| {
                refreshes(&world, "contoso").0 == attempt
            })
            .await;
        let waiting = world.tenant("contoso");
        waited =
            waiting.health.scores.refreshes < attempt && Arc::ptr_eq(&waiting.snapshot, &before);
        scrape.await.unwrap();
        assert_eq!(refreshes(&world, "contoso"), (attempt, attempt));
        let after = world.tenant("contoso");
        let accepted = |it: &&Control| *it.id == *"UserRiskPolicy" && it.state() == RISK_ACCEPTED;
        assert!(after.snapshot.controls.iter().any(|it| accepted(&it)));
        if waited {
            break;
        }
    }
    assert!(waited, "the catalogue was always rendered alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_near_its_timeout_returns_the_last_good_data() {
    let world = on_demand().await;
    let server = start_with(Arc::clone(&world.store), options()).await;
    server.site.set_on_demand_refresh(world.on_demand());
    let stall = Fault::new(Struck::Profiles, FaultKind::Stall);
    world.inject(Some("contoso"), stall);
    overdue().await;
    let began = Instant::now();
    let header = "X-Prometheus-Scrape-Timeout-Seconds: 1.0\r\n";
    let answer = server.request("GET", "/probe?tenant=contoso", header).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("secure_score_control_score{"));
    assert!(began.elapsed() >= Duration::from_millis(500), "it waited");
    assert_eq!(refreshes(&world, "contoso").0, 1, "not until the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_scrape_shortens_a_retry_after() {
    let world = on_demand().await;
    let throttle = FaultKind::Throttle {
        retry_after: RetryAfter::Seconds(120),
    };
    world.inject(Some("contoso"), Fault::new(Struck::Profiles, throttle));
    overdue().await;
    let refresh = world.on_demand();
    refresh.refreshed(|_| true).await;
    let failed = refreshes(&world, "contoso").0;
    assert_eq!(failed, 2);
    overdue().await;
    refresh.refreshed(|alias| alias == "contoso").await;
    assert_eq!(refreshes(&world, "contoso").0, failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_when_the_loops_are_stopped() {
    let world = on_demand().await;
    let stall = Fault::new(Struck::Profiles, FaultKind::Stall);
    world.inject(None, stall);
    overdue().await;
    let refresh = world.on_demand();
    let waiting = tokio::spawn(async move { refresh.refreshed(|_| true).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    drop(world);
    waiting.await.unwrap();
}
