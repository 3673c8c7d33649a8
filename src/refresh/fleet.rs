//! All tenants' loops.

use super::Clock;
use super::desk::Desk;
use super::worker::Worker;
use crate::config::{Config, Tenant, TenantRules};
use crate::events::Events;
use crate::exposition::Policy;
use crate::graph::{Pools, SetupError};
use crate::model::{Api, TenantIdentity};
use crate::store::Store;
use crate::telemetry::Telemetry;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What the loops share.
pub struct Plan {
    /// The configuration, resolved.
    pub config: Arc<Config>,
    /// Who and why in labels.
    pub policy: Arc<Policy>,
    /// Where tenants are shown.
    pub store: Arc<Store>,
    /// The exporter's own metrics.
    pub telemetry: Arc<Telemetry>,
    /// Where it is told what happened to a control.
    pub events: Arc<Events>,
    /// The wall clock.
    pub clock: Clock,
}

/// The running loops of every tenant; dropping it stops them.
pub struct Fleet {
    loops: JoinSet<()>,
}

impl Fleet {
    /// Shows every tenant as not yet refreshed, and starts its loops.
    pub fn start(plan: &Plan) -> Result<Self, SetupError> {
        let pools = Pools::new(&plan.config)?;
        let places = Arc::new(Semaphore::new(plan.config.refresh.concurrency.get()));
        let epoch = Instant::now();
        let mut loops = JoinSet::new();
        for tenant in &plan.config.tenants {
            let client = Arc::new(pools.line(tenant, &plan.telemetry));
            let desk = Arc::new(desk(tenant, plan));
            desk.show_now();
            for api in Api::ALL {
                loops.spawn(
                    Worker {
                        api,
                        interval: match api {
                            Api::Profiles => plan.config.refresh.profiles,
                            Api::Scores => plan.config.refresh.scores,
                        },
                        client: Arc::clone(&client),
                        desk: Arc::clone(&desk),
                        places: Arc::clone(&places),
                        telemetry: Arc::clone(&plan.telemetry),
                        epoch,
                    }
                    .run(),
                );
            }
        }
        plan.telemetry.set_tenants(plan.config.tenants.len());
        Ok(Self { loops })
    }

    /// How many loops run: two a tenant.
    pub fn loops(&self) -> usize {
        self.loops.len()
    }
}

fn desk(tenant: &Tenant, plan: &Plan) -> Desk<TenantRules> {
    Desk::new(
        identity(tenant),
        Arc::clone(&plan.store),
        plan.config.rules(&tenant.alias),
        Arc::clone(&plan.policy),
        Arc::clone(&plan.events),
        Arc::clone(&plan.clock),
        plan.config.refresh.max_staleness,
    )
}

/// A tenant configured by a domain learns its id from the first answer.
fn identity(tenant: &Tenant) -> TenantIdentity {
    let by_domain = tenant.tenant_id.contains('.');
    TenantIdentity {
        alias: tenant.alias.as_str().into(),
        entra_tenant_id: (!by_domain).then(|| tenant.tenant_id.as_str().into()),
        display_name: tenant.display_name.as_str().into(),
        cloud: tenant.cloud.as_str(),
        target: tenant.target,
    }
}
