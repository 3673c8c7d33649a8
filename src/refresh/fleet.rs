//! All tenants' loops.

use super::bell::Bell;
use super::desk::Desk;
use super::settings::{Settings, Surroundings};
use super::worker::Worker;
use super::{Clock, OnDemandRefresh, StateWriter};
use crate::config::{Config, RefreshMode, Tenant, TenantRules};
use crate::events::Events;
use crate::graph::{HttpClients, SetupError};
use crate::store::Store;
use crate::telemetry::Telemetry;
use secure_score_exposition::Policy;
use secure_score_model::{Api, TenantIdentity};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What the loops share.
pub struct FleetOptions {
    /// The configuration, resolved.
    pub config: Arc<Config>,
    /// Who and why in labels.
    pub policy: Arc<Policy>,
    /// Where tenants are shown.
    pub store: Arc<Store>,
    /// The exporter's own metrics.
    pub telemetry: Arc<Telemetry>,
    /// Where it is told what happened to a control, if anybody wants to know.
    pub events: Option<Arc<Events>>,
    /// The wall clock.
    pub clock: Clock,
    /// Who remembers the tenants over a restart, if anybody.
    pub keeper: Option<Arc<StateWriter>>,
}

/// The running loops of every tenant; dropping it stops them.
pub struct Fleet {
    config: Arc<Config>,
    surroundings: Surroundings,
    telemetry: Arc<Telemetry>,
    epoch: Instant,
    running: BTreeMap<String, Running>,
    summons: Arc<OnDemandRefresh>,
}

/// A tenant's loops.
struct Running {
    tenant: Tenant,
    desk: Arc<Desk<TenantRules>>,
    loops: JoinSet<()>,
    /// None where time starts the refreshes.
    bells: Vec<Arc<Bell>>,
}

/// What another configuration changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changes {
    /// Tenants that were not watched before.
    pub added: usize,
    /// Tenants that are watched no longer.
    pub removed: usize,
    /// Tenants that keep their data and are asked for in another way, or again
    /// after a failure.
    pub restarted: usize,
}

impl Fleet {
    /// Shows every tenant as not yet refreshed, and starts its loops.
    pub fn start(plan: &FleetOptions) -> Result<Self, SetupError> {
        let mut fleet = Self {
            config: Arc::clone(&plan.config),
            surroundings: Surroundings {
                store: Arc::clone(&plan.store),
                clock: Arc::clone(&plan.clock),
                keeper: plan.keeper.clone(),
                commons: Arc::default(),
            },
            telemetry: Arc::clone(&plan.telemetry),
            epoch: Instant::now(),
            running: BTreeMap::new(),
            summons: Arc::default(),
        };
        fleet.apply(&plan.config, &plan.policy, plan.events.as_ref())?;
        Ok(fleet)
    }

    /// Goes by another configuration. Tenants that it leaves as they were keep
    /// their data, their schedule and their counters; those it no longer names
    /// vanish. Who fails until a person does something is tried again at once:
    /// a reload is how a person says that it is done, perhaps in Entra and not
    /// in the configuration. On an error everything stays as it was.
    pub fn apply(
        &mut self,
        config: &Arc<Config>,
        policy: &Arc<Policy>,
        events: Option<&Arc<Events>>,
    ) -> Result<Changes, SetupError> {
        let pools = HttpClients::new(config)?;
        let places = Arc::new(Semaphore::new(config.refresh.concurrency.get()));
        let same_ways = same_ways(&self.config, config);
        let mut changes = Changes::default();
        let mut before = std::mem::take(&mut self.running);
        for tenant in &config.tenants {
            let known = before.remove(&tenant.alias).and_then(|running| {
                let same = is_same_directory(&running.tenant, tenant);
                if !same {
                    running.desk.retire();
                }
                same.then_some(running)
            });
            let settings = settings(config, tenant, policy, events);
            let (desk, unchanged) = match known {
                Some(running) => {
                    running.desk.reconfigure(identity(tenant), settings);
                    let same = same_ways
                        && running.tenant.credential == tenant.credential
                        && !running.desk.needs_a_person();
                    if !same {
                        running.desk.retry_failed();
                    }
                    changes.restarted += usize::from(!same);
                    let loops = same.then_some((running.loops, running.bells));
                    (running.desk, loops)
                }
                None => {
                    changes.added += 1;
                    (self.set_up(tenant, settings), None)
                }
            };
            let (loops, bells) =
                unchanged.unwrap_or_else(|| self.loops(config, &pools, &places, tenant, &desk));
            let tenant = tenant.clone();
            let running = Running {
                tenant,
                desk,
                loops,
                bells,
            };
            self.running.insert(running.tenant.alias.clone(), running);
        }
        for (alias, gone) in before {
            gone.desk.retire();
            self.surroundings.store.remove(&alias);
            changes.removed += 1;
        }
        self.config = Arc::clone(config);
        self.hang_bells();
        self.telemetry.set_tenants(self.running.len());
        Ok(changes)
    }

    /// A desk for a tenant, with what an earlier process knew of it.
    fn set_up(&self, tenant: &Tenant, settings: Settings<TenantRules>) -> Arc<Desk<TenantRules>> {
        let desk = Desk::new(identity(tenant), settings, self.surroundings.clone());
        let keeper = self.surroundings.keeper.as_ref();
        if let Some(saved) = keeper.and_then(|it| it.recall(&tenant.alias)) {
            desk.restore(saved);
        }
        desk.show_now();
        Arc::new(desk)
    }

    fn loops(
        &self,
        config: &Config,
        pools: &HttpClients,
        places: &Arc<Semaphore>,
        tenant: &Tenant,
        desk: &Arc<Desk<TenantRules>>,
    ) -> (JoinSet<()>, Vec<Arc<Bell>>) {
        let client = Arc::new(pools.line(tenant, &self.telemetry));
        let mut loops = JoinSet::new();
        let mut bells = Vec::new();
        for api in Api::ALL {
            let bell = match config.refresh.mode {
                RefreshMode::Background => None,
                RefreshMode::Scrape => Some(Arc::new(Bell::new())),
            };
            bells.extend(bell.clone());
            let worker = Worker {
                api,
                interval: interval(config, api),
                client: Arc::clone(&client),
                desk: Arc::clone(desk),
                places: Arc::clone(places),
                telemetry: Arc::clone(&self.telemetry),
                epoch: self.epoch,
                bell,
            };
            loops.spawn(worker.run());
        }
        (loops, bells)
    }

    /// Makes the loops' bells known, those of this configuration only.
    fn hang_bells(&self) {
        let bells = self.running.iter();
        let bells = bells.map(|(alias, it)| (alias.as_str().into(), it.bells.clone()));
        self.summons.set(bells.collect());
    }

    /// How a scrape gets what is overdue refreshed.
    pub fn summons(&self) -> Arc<OnDemandRefresh> {
        Arc::clone(&self.summons)
    }

    /// The configuration that is gone by.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How many loops run: two a tenant.
    pub fn loops_running(&self) -> usize {
        self.running.values().map(|it| it.loops.len()).sum()
    }
}

impl Drop for Fleet {
    /// Nobody waits for loops that are gone.
    fn drop(&mut self) {
        self.summons.set(BTreeMap::new());
    }
}

/// Whether Graph is reached in the same way and at the same rhythm.
fn same_ways(before: &Config, after: &Config) -> bool {
    let but_for_staleness = |config: &Config| crate::config::Refresh {
        max_staleness: Duration::ZERO,
        ..config.refresh.clone()
    };
    but_for_staleness(before) == but_for_staleness(after)
        && before.extra_roots == after.extra_roots
        && before.simulator == after.simulator
}

/// Whether an alias still stands for the tenant it stood for.
fn is_same_directory(before: &Tenant, after: &Tenant) -> bool {
    before.tenant_id == after.tenant_id && before.cloud == after.cloud
}

pub(super) fn interval(config: &Config, api: Api) -> Duration {
    match api {
        Api::Profiles => config.refresh.profiles,
        Api::Scores => config.refresh.scores,
    }
}

pub(super) fn settings(
    config: &Config,
    tenant: &Tenant,
    policy: &Arc<Policy>,
    events: Option<&Arc<Events>>,
) -> Settings<TenantRules> {
    Settings {
        rules: config.rules(&tenant.alias),
        policy: Arc::clone(policy),
        max_staleness: config.refresh.max_staleness,
        directory: format!("{}/{}", tenant.cloud.as_str(), tenant.tenant_id),
        events: events.map(Arc::clone),
    }
}

/// A tenant configured by a domain learns its id from the first answer.
pub(super) fn identity(tenant: &Tenant) -> TenantIdentity {
    let by_domain = tenant.tenant_id.contains('.');
    TenantIdentity {
        alias: tenant.alias.as_str().into(),
        entra_tenant_id: (!by_domain).then(|| tenant.tenant_id.as_str().into()),
        display_name: tenant.display_name.as_str().into(),
        cloud: tenant.cloud.as_str(),
        target: tenant.target,
        credential_expires: tenant.credential.expires(),
    }
}
