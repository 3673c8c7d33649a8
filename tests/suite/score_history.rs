//! The scores of the days before the exporter's first start.

use crate::world::World;
use graph_simulator::{Api, Fault, FaultKind};
use secure_score_model::ScoreHistory;
use std::sync::Arc;

const TENANT: &str = "contoso";

fn history(world: &World) -> Arc<ScoreHistory> {
    Arc::clone(&world.tenant(TENANT).snapshot.score_history)
}

/// Waits until the past days of the tenant were read.
async fn until_read(world: &World) -> Arc<ScoreHistory> {
    world
        .until("the past days", |tenants| {
            let state = tenants.find(TENANT).unwrap();
            let history = &state.snapshot.score_history;
            !history.days().is_empty() && !history.lacks_days()
        })
        .await;
    history(world)
}

/// The requests for past days, as paths with queries.
fn requests(world: &World) -> Vec<String> {
    let requests = world.handle().requests().into_iter();
    let of_scores = requests.filter(|it| it.api == Some(Api::Scores));
    let of_tenant = of_scores.filter(|it| it.tenant.as_deref() == Some(TENANT));
    let paths = of_tenant.map(|it| it.path_and_query);
    paths
        .filter(|it| !it.contains("$top=1&") && !it.ends_with("$top=1"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_days_that_graph_keeps_are_read_with_one_request() {
    let world = World::new().await.watch();
    let first = until_read(&world).await;
    assert_eq!(first.days().len(), 90);
    let newest = world.tenant(TENANT).snapshot.report.clone().unwrap();
    let last = first.days().last().unwrap();
    assert_eq!(Some(last.as_of), newest.as_of);
    assert_eq!(Some(last.score), newest.current_score);
    assert!(first.days()[0].share() > 0.0);

    let refreshes = || world.tenant(TENANT).health.scores.refreshes;
    let so_far = refreshes();
    world
        .until("further refreshes", |_| refreshes() > so_far + 1)
        .await;
    let requests = requests(&world);
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(requests[0].contains("$select=id,azureTenantId,createdDateTime"));
    assert_eq!(*history(&world), *first);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_select_the_days_are_read_page_by_page() {
    let world = World::new().await;
    world.inject(
        Some(TENANT),
        Fault::new(Api::Scores, FaultKind::SelectUnsupported(400)),
    );
    let world = world.watch();
    assert_eq!(until_read(&world).await.days().len(), 90);
    let requests = requests(&world);
    assert_eq!(requests.len(), 7, "{requests:?}");
    let lean = requests.iter().filter(|it| it.contains("$select"));
    assert_eq!(lean.count(), 1, "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn past_days_that_cannot_be_read_fail_no_refresh_and_are_not_requested_at_each() {
    let world = World::new().await;
    world.inject(
        Some(TENANT),
        Fault::new(Api::Scores, FaultKind::SelectUnsupported(403)),
    );
    let mut world = world.watch();
    let refreshes = |world: &World| world.tenant(TENANT).health.scores.refreshes;
    world.until("refreshes", |_| refreshes(&world) > 2).await;
    let state = world.tenant(TENANT);
    assert!(state.health.scores.up, "{:?}", state.health);
    assert!(state.health.scores.failures.is_empty());
    assert_eq!(history(&world).days().len(), 1);
    assert_eq!(requests(&world).len(), 1, "the next one is an hour later");

    world.handle().clear_faults();
    world.reconfigure(|config| config.refresh.scores = std::time::Duration::from_secs(3));
    assert_eq!(until_read(&world).await.days().len(), 90);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_list_of_past_days_ends_after_some_pages() {
    let world = World::new().await;
    world.inject(
        Some(TENANT),
        Fault::new(Api::Scores, FaultKind::EndlessPages),
    );
    let world = world.watch();
    let refreshes = || world.tenant(TENANT).health.scores.refreshes;
    world.until("refreshes", |_| refreshes() > 2).await;
    let requests = requests(&world).len();
    assert!((2..=10).contains(&requests), "{requests}");
    assert!(world.tenant(TENANT).health.scores.up);
}
