//! Refreshes that wait for a scrape.

use crate::served::{options, over};
use crate::world::World;
use graph_simulator::{Api as Struck, Fault, FaultKind, RetryAfter};
use secure_score_exporter::config::RefreshMode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Long enough that everybody has rung before it is over again.
const INTERVAL: Duration = Duration::from_secs(4);

async fn summoned() -> World {
    let world = World::new().await.configure(|config| {
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
async fn what_nobody_scrapes_is_not_refreshed_and_what_many_scrape_is_once() {
    let world = summoned().await;
    let summons = world.summons();
    summons.refreshed(|_| true).await;
    assert_eq!(refreshes(&world, "contoso"), (1, 1), "it is young enough");
    overdue().await;
    assert_eq!(refreshes(&world, "contoso"), (1, 1), "nobody asked");

    let scrapes = (0..50).map(|_| {
        let summons = Arc::clone(&summons);
        async move { summons.refreshed(|alias| alias == "contoso").await }
    });
    let mut together = tokio::task::JoinSet::new();
    scrapes.for_each(|scrape| {
        together.spawn(scrape);
    });
    together.join_all().await;
    assert_eq!(refreshes(&world, "contoso"), (2, 2));
    assert_eq!(refreshes(&world, "fabrikam"), (1, 1), "of the others none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_shows_what_it_had_refreshed() {
    let world = summoned().await;
    let server = over(Arc::clone(&world.store), options()).await;
    server.site.summon(world.summons());
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
        "the whole asks for all"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_that_cannot_wait_longer_is_shown_the_last_good_data() {
    let world = summoned().await;
    let server = over(Arc::clone(&world.store), options()).await;
    server.site.summon(world.summons());
    let stall = Fault::new(Struck::Profiles, FaultKind::Stall);
    world.inject(Some("contoso"), stall);
    overdue().await;
    let began = Instant::now();
    let header = "X-Prometheus-Scrape-Timeout-Seconds: 1.0\r\n";
    let answer = server.ask("GET", "/probe?tenant=contoso", header).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("secure_score_control_score{"));
    assert!(began.elapsed() >= Duration::from_millis(500), "it waited");
    assert_eq!(refreshes(&world, "contoso").0, 1, "not for the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_scrape_shortens_a_wait_that_graph_asked_for() {
    let world = summoned().await;
    let throttle = FaultKind::Throttle {
        retry_after: RetryAfter::Seconds(120),
    };
    world.inject(Some("contoso"), Fault::new(Struck::Profiles, throttle));
    overdue().await;
    let summons = world.summons();
    summons.refreshed(|_| true).await;
    let failed = refreshes(&world, "contoso").0;
    assert_eq!(failed, 2);
    overdue().await;
    summons.refreshed(|alias| alias == "contoso").await;
    assert_eq!(refreshes(&world, "contoso").0, failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_loops_that_are_stopped_is_let_go() {
    let world = summoned().await;
    let stall = Fault::new(Struck::Profiles, FaultKind::Stall);
    world.inject(None, stall);
    overdue().await;
    let summons = world.summons();
    let waiting = tokio::spawn(async move { summons.refreshed(|_| true).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    drop(world);
    waiting.await.unwrap();
}
