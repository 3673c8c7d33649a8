//! Every tenant refreshed once, for those who do not stay.

use super::FleetOptions;
use super::desk::Desk;
use super::fleet::{identity, interval, settings};
use super::settings::Surroundings;
use super::worker::Worker;
use crate::config::{Tenant, TenantRules};
use crate::graph::{HttpClients, SetupError};
use secure_score_model::Api;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Refreshes both lists of every tenant, as many at once as the configuration
/// allows, and shows them in the plan's store. `done` is called after each
/// tenant. A refresh that fails is told by the tenant's health.
pub async fn refresh_all_once(plan: &FleetOptions, done: impl Fn()) -> Result<(), SetupError> {
    let pools = HttpClients::new(&plan.config)?;
    let places = Arc::new(Semaphore::new(plan.config.refresh.concurrency.get()));
    let surroundings = Surroundings {
        store: Arc::clone(&plan.store),
        clock: Arc::clone(&plan.clock),
        keeper: None,
        commons: Arc::default(),
    };
    let mut refreshes = JoinSet::new();
    for tenant in &plan.config.tenants {
        let settings = settings(&plan.config, tenant, &plan.policy, None);
        let desk = Desk::new(identity(tenant), settings, surroundings.clone());
        let workers = workers(plan, &pools, &places, tenant, &Arc::new(desk));
        refreshes.spawn(async move {
            for worker in workers {
                worker.run_once().await;
            }
        });
    }
    while refreshes.join_next().await.is_some() {
        done();
    }
    Ok(())
}

/// The catalogue first: its word on categories wins.
fn workers(
    plan: &FleetOptions,
    pools: &HttpClients<'_>,
    places: &Arc<Semaphore>,
    tenant: &Tenant,
    desk: &Arc<Desk<TenantRules>>,
) -> [Worker<TenantRules>; 2] {
    let client = Arc::new(pools.line(tenant, &plan.telemetry));
    Api::ALL.map(|api| Worker {
        api,
        interval: interval(&plan.config, api),
        client: Arc::clone(&client),
        desk: Arc::clone(desk),
        places: Arc::clone(places),
        telemetry: Arc::clone(&plan.telemetry),
        epoch: Instant::now(),
        bell: None,
    })
}
