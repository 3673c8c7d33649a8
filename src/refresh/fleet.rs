//! The refresh loops of all tenants.

use super::context::{Context, Settings};
use super::decision_ends::DecisionEnds;
use super::on_demand::RefreshTrigger;
use super::past_days::PastDays;
use super::run_loop::RefreshLoop;
use super::saved_cells;
use super::tenant_cell::TenantCell;
use super::{Clock, OnDemandRefresh, StateWriter};
use crate::config::{Config, Partner, Refresh, RefreshMode, Tenant};
use crate::events::Events;
use crate::graph::{Client, HttpClients, RefreshPermits};
use crate::http_client::SetupError;
use crate::store::Store;
use crate::store::saved_tenant::SavedTenant;
use crate::telemetry::Telemetry;
use secure_score_exposition::Policy;
use secure_score_model::{Api, Timestamp};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// What the loops are started with.
pub struct FleetOptions {
    /// The configuration, resolved.
    pub config: Arc<Config>,
    /// What labels show of persons and comments.
    pub policy: Arc<Policy>,
    /// Where tenants are published.
    pub store: Arc<Store>,
    /// The exporter's own metrics.
    pub telemetry: Arc<Telemetry>,
    /// Where events are emitted, if they are.
    pub events: Option<Arc<Events>>,
    /// The wall clock.
    pub clock: Clock,
    /// Writes the state directory, where there is one.
    pub state_writer: Option<Arc<StateWriter>>,
}

impl FleetOptions {
    fn context(&self) -> Context {
        Context {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            state_writer: self.state_writer.clone(),
            interner: Arc::default(),
            directories: Arc::default(),
        }
    }
}

/// The running loops of every tenant; dropping it stops them.
///
/// Clients, connections, permits and waits are those of the process: a reload
/// changes them, and does not add others.
pub struct Fleet {
    config: Arc<Config>,
    policy: Arc<Policy>,
    events: Option<Arc<Events>>,
    context: Context,
    shared: Shared,
    running: BTreeMap<String, Running>,
    /// Replaced with the configuration.
    decision_ends: Option<AbortOnDropHandle<()>>,
    on_demand: Arc<OnDemandRefresh>,
}

/// A tenant and its loops.
struct Running {
    tenant: Tenant,
    cell: Arc<TenantCell>,
    loops: JoinSet<()>,
    /// Empty in `refresh.mode: background`.
    triggers: Vec<Arc<RefreshTrigger>>,
}

/// What a reload changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changes {
    /// Tenants that are new.
    pub added: usize,
    /// Tenants that the configuration no longer names.
    pub removed: usize,
    /// Tenants that keep their data and whose loops were restarted: their
    /// connection, credential or schedule changed, or they were failing.
    pub restarted: usize,
}

/// Why the tenants may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// A reload of the configuration, which may follow a fix elsewhere.
    Reload,
    /// A partner's list of customers.
    Customers,
}

impl Fleet {
    /// Publishes every tenant as not yet refreshed, and starts its loops.
    pub fn start(options: &FleetOptions) -> Result<Self, SetupError> {
        let mut fleet = Self {
            config: Arc::clone(&options.config),
            policy: Arc::clone(&options.policy),
            events: options.events.clone(),
            context: options.context(),
            shared: Shared::new(options)?,
            running: BTreeMap::new(),
            decision_ends: None,
            on_demand: Arc::default(),
        };
        fleet.start_loops(&options.config, Cause::Reload)?;
        Ok(fleet)
    }

    /// Applies another configuration. On an error everything stays as it was.
    ///
    /// A tenant that did not change keeps its data, schedule and counters; a
    /// tenant that is no longer named is removed. A tenant that fails is retried
    /// at once, unless Microsoft asked for a delay: the reload may follow a
    /// change in Entra or the network instead of one in the configuration.
    pub fn apply(
        &mut self,
        config: &Arc<Config>,
        policy: &Arc<Policy>,
        events: Option<&Arc<Events>>,
    ) -> Result<Changes, SetupError> {
        self.shared.clients.reconfigure(config)?;
        self.policy = Arc::clone(policy);
        self.events = events.map(Arc::clone);
        self.start_loops(config, Cause::Reload)
    }

    /// Applies the same configuration with other tenants, those of a partner's
    /// customers. A tenant that stays goes on undisturbed, failing or not.
    pub(crate) fn set_tenants(&mut self, config: &Arc<Config>) -> Result<Changes, SetupError> {
        self.shared.clients.reconfigure(config)?;
        self.start_loops(config, Cause::Customers)
    }

    fn start_loops(&mut self, config: &Arc<Config>, cause: Cause) -> Result<Changes, SetupError> {
        self.shared.permits.resize(config.refresh.concurrency);
        let same_requests = same_requests(&self.config, config);
        let now = (self.context.clock)();
        let mut changes = Changes::default();
        self.context.directories.configure(&config.tenants);
        let mut before = std::mem::take(&mut self.running);
        changes.added = self.add_tenants(config, &mut before);
        for tenant in &config.tenants {
            let Some(mut running) = before.remove(&tenant.alias) else {
                continue;
            };
            if cause == Cause::Reload || running.tenant != *tenant {
                running.cell.reconfigure(self.settings(config, tenant));
                running.cell.attach();
                let unchanged = same_requests
                    && running.tenant.credential == tenant.credential
                    && running.tenant.recommendations == tenant.recommendations
                    && (cause == Cause::Customers || !running.cell.is_failing());
                if !unchanged {
                    running.loops.abort_all();
                    running.cell.retry_failed();
                    running = self.shared.start(&config.refresh, tenant, running.cell);
                    changes.restarted += 1;
                }
                running.tenant = tenant.clone();
            }
            self.running.insert(tenant.alias.clone(), running);
        }
        for (alias, removed) in before {
            removed.cell.stop_publishing();
            self.context.store.remove(&alias);
            changes.removed += 1;
        }
        self.config = Arc::clone(config);
        self.await_decision_ends(now);
        let running = self.running.iter();
        let triggers = running.map(|(alias, it)| (alias.as_str().into(), it.triggers.clone()));
        self.on_demand.set(triggers.collect());
        self.shared.telemetry.set_tenants(self.running.len());
        if let Some(writer) = &self.context.state_writer {
            let aliases = self.running.keys();
            writer.configure(aliases.map(|alias| alias.as_str().into()).collect());
        }
        Ok(changes)
    }

    /// Waits for the ends of decisions after a time, instead of those that the last
    /// configuration had.
    fn await_decision_ends(&mut self, now: Timestamp) {
        let cells = self.running.values().map(|it| &it.cell);
        let ends = DecisionEnds::after(now, cells, Arc::clone(&self.context.clock));
        self.decision_ends = Some(AbortOnDropHandle::new(tokio::spawn(ends.run())));
    }

    /// Publishes the tenants that are new, or stand for another directory than before,
    /// and starts their loops. Returns how many there are.
    fn add_tenants(&mut self, config: &Config, before: &mut BTreeMap<String, Running>) -> usize {
        let mut added = Vec::new();
        for tenant in &config.tenants {
            let known = before.get(&tenant.alias);
            if known.is_some_and(|it| is_same_directory(&it.tenant, tenant)) {
                continue;
            }
            if let Some(replaced) = before.remove(&tenant.alias) {
                replaced.cell.stop_publishing();
            }
            added.push(tenant);
        }
        let settings = added.iter().map(|it| self.settings(config, it));
        let settings: Vec<_> = settings.collect();
        let writer = self.context.state_writer.as_ref();
        let load = |alias: &str| writer.and_then(|it| it.load(alias));
        let cells = saved_cells::publish(&settings, &self.context, load);
        for (tenant, cell) in added.iter().zip(cells) {
            let running = self.shared.start(&config.refresh, tenant, cell);
            self.running.insert(tenant.alias.clone(), running);
        }
        added.len()
    }

    fn settings(&self, config: &Config, tenant: &Tenant) -> Arc<Settings> {
        Settings::new(config, tenant, &self.policy, self.events.as_ref())
    }

    /// A client for a partner's own tenant.
    pub(crate) fn partner_client(&self, partner: &Partner) -> Client {
        let telemetry = &self.shared.telemetry;
        self.shared.clients.client_for_partner(partner, telemetry)
    }

    /// The permits that all refreshes share.
    pub(crate) fn permits(&self) -> RefreshPermits {
        self.shared.permits.clone()
    }

    /// The handle with which a scrape triggers overdue refreshes.
    pub fn on_demand(&self) -> Arc<OnDemandRefresh> {
        Arc::clone(&self.on_demand)
    }

    /// The configuration in use, with the tenants of customers.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How many loops run: one for each list of a tenant.
    pub fn loops_running(&self) -> usize {
        self.running.values().map(|it| it.loops.len()).sum()
    }
}

impl Drop for Fleet {
    /// Ends the waits of scrapes for loops that no longer exist.
    fn drop(&mut self) {
        self.on_demand.set(BTreeMap::new());
    }
}

/// Refreshes the lists of every tenant once, `refresh.concurrency` at a time,
/// and publishes them in the store. Calls `note` with the alias before and after each
/// tenant and after each of its lists. A failed refresh is in the tenant's health.
pub async fn refresh_all_once(
    options: &FleetOptions,
    note: impl Fn(&str, RefreshStep) + Clone + Send + 'static,
) -> Result<(), SetupError> {
    let shared = Shared::new(options)?;
    let context = options.context();
    context.directories.configure(&options.config.tenants);
    let mut refreshes = JoinSet::new();
    for tenant in &options.config.tenants {
        let settings = Settings::new(&options.config, tenant, &options.policy, None);
        let cell = Arc::new(TenantCell::new(settings, context.clone(), None));
        cell.attach();
        let loops = shared.loops(&options.config.refresh, tenant, &cell);
        let (note, alias) = (note.clone(), tenant.alias.clone());
        refreshes.spawn(async move {
            note(&alias, RefreshStep::Begun);
            // The catalogue comes first: it decides the categories.
            for refresh_loop in loops {
                refresh_loop.run_once().await;
                note(&alias, RefreshStep::ListRead);
            }
            note(&alias, RefreshStep::Ended);
        });
    }
    while refreshes.join_next().await.is_some() {}
    Ok(())
}

/// How far the only refresh of a tenant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshStep {
    /// It waits for its turn, or requests the first list.
    Begun,
    /// One more list was read, or could not be.
    ListRead,
    /// It is over.
    Ended,
}

/// Publishes what an exporter saved of each tenant, without a request to Graph.
/// `saved` returns it by alias. Call it in a tokio runtime.
pub fn publish_saved(options: &FleetOptions, saved: impl Fn(&str) -> Option<SavedTenant> + Sync) {
    let FleetOptions { config, policy, .. } = options;
    let context = options.context();
    context.directories.configure(&config.tenants);
    let tenants = config.tenants.iter();
    let settings: Vec<_> = tenants
        .map(|tenant| Settings::new(config, tenant, policy, None))
        .collect();
    saved_cells::publish(&settings, &context, saved);
}

/// What the loops of all tenants share, for the life of the process.
struct Shared {
    clients: HttpClients,
    permits: RefreshPermits,
    telemetry: Arc<Telemetry>,
    epoch: Instant,
}

impl Shared {
    fn new(options: &FleetOptions) -> Result<Self, SetupError> {
        Ok(Self {
            clients: HttpClients::new(&options.config)?,
            permits: RefreshPermits::new(options.config.refresh.concurrency),
            telemetry: Arc::clone(&options.telemetry),
            epoch: Instant::now(),
        })
    }

    fn loops(
        &self,
        refresh: &Refresh,
        tenant: &Tenant,
        cell: &Arc<TenantCell>,
    ) -> Vec<Arc<RefreshLoop>> {
        cell.request_first_lists();
        let client = Arc::new(self.clients.client_for(tenant, &self.telemetry));
        let is_wanted = |api: &Api| !tenant.recommendations.excludes(*api);
        let loops = Api::ALL.into_iter().filter(is_wanted).map(|api| {
            Arc::new(RefreshLoop {
                api,
                interval: refresh.interval(api),
                impacted_resources: tenant.recommendations.impacted_resources,
                client: Arc::clone(&client),
                cell: Arc::clone(cell),
                permits: self.permits.clone(),
                telemetry: Arc::clone(&self.telemetry),
                epoch: self.epoch,
                past_days: (api == Api::Scores).then(|| {
                    Arc::new(PastDays {
                        client: Arc::clone(&client),
                        cell: Arc::clone(cell),
                        permits: self.permits.clone(),
                    })
                }),
                trigger: match refresh.mode {
                    RefreshMode::Background => None,
                    RefreshMode::Scrape => Some(Arc::new(RefreshTrigger::new())),
                },
            })
        });
        loops.collect()
    }

    fn start(&self, refresh: &Refresh, tenant: &Tenant, cell: Arc<TenantCell>) -> Running {
        let loops = self.loops(refresh, tenant, &cell);
        Running {
            tenant: tenant.clone(),
            cell,
            triggers: loops.iter().filter_map(|it| it.trigger.clone()).collect(),
            loops: loops.into_iter().map(RefreshLoop::run).collect(),
        }
    }
}

/// Whether Graph is asked in the same way and as often. Loops that run get
/// another concurrency from the permits.
fn same_requests(before: &Config, after: &Config) -> bool {
    let of_loops = |config: &Config| Refresh {
        max_staleness: Duration::ZERO,
        concurrency: NonZeroUsize::MIN,
        ..config.refresh.clone()
    };
    of_loops(before) == of_loops(after)
        && before.extra_roots == after.extra_roots
        && before.simulator == after.simulator
}

/// Whether an alias stands for the same tenant as before.
fn is_same_directory(before: &Tenant, after: &Tenant) -> bool {
    before.tenant_id == after.tenant_id && before.cloud == after.cloud
}
