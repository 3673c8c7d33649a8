//! The fleet, and the partners whose customers are compared with it.

use super::customer_states;
use super::known_tenants::KnownTenants;
use super::partner_cell::{CellContext, PartnerCell};
use super::partner_data::PartnerData;
use super::partner_loop::PartnerLoop;
use super::watch_list::{self, WatchedCustomer};
use crate::config::{Cloud, Config};
use crate::events::{CustomerEvent, Events};
use crate::http_client::SetupError;
use crate::refresh::{Changes, Fleet, FleetOptions, Shard};
use crate::store::{PartnerState, Partners, Store};
use crate::telemetry::Telemetry;
use secure_score_exposition::Policy;
use secure_score_model::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// The shortest time between two comparisons: tenants are refreshed one by one,
/// and their states are compared together.
const MIN_PAUSE: Duration = Duration::from_millis(100);

/// The longest one.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// A pause is this many times as long as the comparison before it: rendering
/// thousands of customers must not occupy a core.
const PAUSE_FACTOR: u32 = 9;

/// The fleet of the configured tenants and of the customers that are watched
/// without a configured tenant; dropping it stops all loops.
///
/// With shards, each shard reads the lists of all partners, since each watches
/// customers: that with the highest hash of shard and Entra id, which no alias
/// changes. Only the shard that owns a partner's name exports its families.
pub struct Discovery {
    fleet: Fleet,
    /// As loaded, without customers.
    config: Arc<Config>,
    events: Option<Arc<Events>>,
    shard: Shard,
    store: Arc<Store>,
    telemetry: Arc<Telemetry>,
    context: CellContext,
    /// In the order of the configuration.
    partners: Vec<RunningPartner>,
    /// The tenants of customers that this shard watches.
    customers: Vec<WatchedCustomer>,
    epoch: Instant,
    /// When the next comparison is due, because something changed since the last
    /// one. A wait for it that is cancelled goes on where it was.
    due: Option<Instant>,
    /// The earliest time of the next one.
    earliest: Instant,
}

/// A partner and its loop.
struct RunningPartner {
    cell: Arc<PartnerCell>,
    /// Missing until the fleet runs.
    task: Option<AbortOnDropHandle<()>>,
}

impl Discovery {
    /// Starts the fleet, with the customers that an earlier process watched, and
    /// the loops of the partners.
    pub fn start(options: FleetOptions, shard: Shard) -> Result<Self, SetupError> {
        let context = CellContext {
            clock: Arc::clone(&options.clock),
            state_writer: options.state_writer.clone(),
            refreshed: Arc::new(Notify::new()),
        };
        let config = Arc::clone(&options.config);
        warn_of_unknown_ids(&config);
        let partners = running(&config, Vec::new(), &context);
        let (store, telemetry) = (Arc::clone(&options.store), Arc::clone(&options.telemetry));
        let events = options.events.clone();
        let now = (context.clock)();
        let customers = watched(&config, &partners, &[], shard, &store, now).0;
        // The state files of watched customers stay only while the fleet has them.
        let fleet = Fleet::start(&FleetOptions {
            config: with_customers(&config, &customers),
            ..options
        })?;
        let mut discovery = Self {
            fleet,
            config,
            events,
            shard,
            store,
            telemetry,
            context,
            partners,
            customers,
            epoch: Instant::now(),
            due: None,
            earliest: Instant::now(),
        };
        discovery.start_loops();
        discovery.update();
        Ok(discovery)
    }

    /// Applies another configuration, see [`Fleet::apply`]. A partner of the same
    /// tenant, also under another name, keeps its list and the customers that it has
    /// watched.
    pub fn apply(
        &mut self,
        config: &Arc<Config>,
        policy: &Arc<Policy>,
        events: Option<&Arc<Events>>,
    ) -> Result<Changes, SetupError> {
        let before = Arc::clone(&self.config);
        warn_of_unknown_ids(config);
        self.set_partners(config);
        let customers = self.watched().0;
        let applied = self
            .fleet
            .apply(&with_customers(config, &customers), policy, events);
        match &applied {
            Ok(_) => {
                self.customers = customers;
                self.events = events.map(Arc::clone);
            }
            Err(_) => self.set_partners(&before),
        }
        self.start_loops();
        self.update();
        applied
    }

    /// The configuration as loaded.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The fleet, of which the configuration has the tenants of customers too.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Waits until a list of customers or a tenant changed, or the data of a
    /// customer that left are too old; for ever without partners.
    pub async fn changed(&mut self) {
        if self.partners.is_empty() {
            return std::future::pending().await;
        }
        let due = match self.due {
            Some(due) => due,
            None => {
                let expiry = self.time_to_expiry();
                tokio::select! {
                    () = self.context.refreshed.notified() => {}
                    () = self.store.tenants_changed() => {}
                    () = tokio::time::sleep(expiry) => {}
                }
                let due = self.earliest.max(Instant::now() + MIN_PAUSE);
                *self.due.insert(due)
            }
        };
        tokio::time::sleep_until(due).await;
    }

    /// Watches the customers that are new, stops watching those that are gone, and
    /// publishes the state of each customer. Returns whether other tenants are
    /// watched than before.
    pub fn update(&mut self) -> bool {
        self.due = None;
        let began = Instant::now();
        self.find_same_tenants();
        let (customers, known) = self.watched();
        let is_changed = customers != self.customers;
        if is_changed {
            self.watch(customers);
        }
        self.publish(&known);
        // A reader that an event brings finds the tenant; a crash before the state
        // is saved repeats an event instead of losing it.
        self.emit_events(&known);
        for partner in &self.partners {
            partner.cell.save();
        }
        let pause = (began.elapsed() * PAUSE_FACTOR).min(MAX_PAUSE);
        self.earliest = Instant::now() + pause;
        is_changed
    }

    fn watch(&mut self, customers: Vec<WatchedCustomer>) {
        let config = with_customers(&self.config, &customers);
        match self.fleet.set_tenants(&config) {
            Ok(changes) => tracing::info!(
                added = changes.added,
                removed = changes.removed,
                "other customers are watched than before"
            ),
            Err(error) => {
                tracing::error!(hint = error.hint(), "customers cannot be watched: {error}")
            }
        }
        self.customers = customers;
    }

    fn set_partners(&mut self, config: &Arc<Config>) {
        let before = std::mem::take(&mut self.partners);
        self.partners = running(config, before, &self.context);
        self.config = Arc::clone(config);
        self.find_same_tenants();
    }

    fn start_loops(&mut self) {
        for running in &mut self.partners {
            let partner = Arc::clone(&running.cell.data().config);
            let partner_loop = PartnerLoop {
                client: Arc::new(self.fleet.partner_client(&partner)),
                partner,
                cell: Arc::clone(&running.cell),
                permits: self.fleet.permits(),
                telemetry: Arc::clone(&self.telemetry),
                epoch: self.epoch,
            };
            running.task = Some(partner_loop.start());
        }
    }

    fn watched(&self) -> (Vec<WatchedCustomer>, KnownTenants) {
        let now = (self.context.clock)();
        let (partners, before) = (&self.partners, &self.customers);
        watched(&self.config, partners, before, self.shard, &self.store, now)
    }

    /// Notes the partners that are one tenant in Entra, of which one may be
    /// configured by a domain: the list of the first is enough.
    fn find_same_tenants(&self) {
        let mut first: HashMap<(Cloud, Arc<str>), String> = HashMap::new();
        for partner in &self.partners {
            let mut data = partner.cell.data();
            let name = data.config.name.clone();
            let id = data.entra_tenant_id.clone();
            let key = id.map(|id| (data.config.cloud, id));
            let same_as = key.map(|key| first.entry(key).or_insert_with(|| name.clone()).clone());
            let same_as = same_as.filter(|it| *it != name);
            if let Some(same_as) = same_as.as_ref().filter(|_| data.same_as.is_none()) {
                tracing::warn!(
                    partner = name,
                    same_as,
                    hint = "keep one of the two in the configuration",
                    "two partners are the same tenant in Entra, and the list of the second is not refreshed"
                );
            }
            data.same_as = same_as;
        }
    }

    /// Publishes each partner whose snapshot changed.
    fn publish(&self, known: &KnownTenants) {
        let (current, before) = (self.store.current(), self.store.partners());
        let states = self.partners.iter().map(|partner| {
            let mut data = partner.cell.data();
            let name = &data.config.name;
            let is_exported = self.shard.owns(name);
            let known_state = before.find(name);
            let last = known_state.map(|it| &*it.snapshot);
            let snapshot =
                customer_states::snapshot(&mut data, &self.config, known, &current, last);
            match known_state.filter(|it| *it.snapshot == snapshot) {
                Some(same) => Arc::clone(same),
                None => Arc::new(PartnerState::new(snapshot, is_exported)),
            }
        });
        let states: Vec<_> = states.collect();
        let is_same = |(a, b): (&Arc<PartnerState>, &Arc<PartnerState>)| Arc::ptr_eq(a, b);
        let is_unchanged =
            states.len() == before.states.len() && states.iter().zip(&before.states).all(is_same);
        if !is_unchanged {
            self.store.publish_partners(Partners::new(states));
        }
    }

    /// Emits the events of the customers that this shard watches.
    fn emit_events(&self, known: &KnownTenants) {
        let now = (self.context.clock)();
        let current = self.store.current();
        let mut events = Vec::new();
        for partner in &self.partners {
            let mut data = partner.cell.data();
            let name: Arc<str> = data.config.name.as_str().into();
            let changes = data.take_unreported();
            for (kind, id) in changes {
                let tenant = known.find(&id).map(|it| Arc::clone(&it.alias));
                if let Some(tenant) = tenant.filter(|it| current.find(it).is_some()) {
                    events.push(CustomerEvent {
                        kind,
                        partner: Arc::clone(&name),
                        tenant,
                        entra_tenant_id: id,
                        seen_at: now,
                    });
                }
            }
        }
        if let Some(receivers) = &self.events {
            receivers.emit_of_customers(&events);
        }
    }

    /// How long it takes until the data of a customer that left are too old.
    fn time_to_expiry(&self) -> Duration {
        let now = (self.context.clock)();
        let max_staleness = self.config.refresh.max_staleness;
        let rest = |partner: &RunningPartner| {
            let data = partner.cell.data();
            let left = data.left.iter();
            let watched = left.filter(|(id, _)| data.watched.contains(*id));
            let rests = watched.map(|(_, it)| it.at.plus(max_staleness).since(now));
            rests.min()
        };
        let rests = self.partners.iter().filter_map(rest);
        rests.min().unwrap_or(max_staleness)
    }
}

/// The partners of a configuration, with the cells of those that stay.
fn running(
    config: &Config,
    mut before: Vec<RunningPartner>,
    context: &CellContext,
) -> Vec<RunningPartner> {
    let partners = config.partners.iter().map(|partner| {
        let known = before.iter().position(|it| it.cell.is_of(partner));
        let known = known.or_else(|| {
            let is_of_another = |it: &RunningPartner| {
                let mut all = config.partners.iter();
                all.any(|other| it.cell.is_of(other))
            };
            let is_renamed =
                |it: &RunningPartner| it.cell.is_in_directory_of(partner) && !is_of_another(it);
            before.iter().position(is_renamed)
        });
        let cell = match known.map(|index| before.swap_remove(index)) {
            Some(running) => {
                let partner = Arc::new(partner.clone());
                running.cell.data().reconfigure(partner);
                running.cell
            }
            None => {
                let configured = &config.partners;
                Arc::new(PartnerCell::new(partner, configured, context.clone()))
            }
        };
        RunningPartner { cell, task: None }
    });
    let partners = partners.collect();
    if let Some(writer) = &context.state_writer {
        let names = config.partners.iter().map(|it| it.name.as_str().into());
        writer.configure_partners(names.collect());
    }
    partners
}

/// The customers that this shard watches, and the tenants known with them. `before`
/// are those that it watched last.
fn watched(
    config: &Config,
    partners: &[RunningPartner],
    before: &[WatchedCustomer],
    shard: Shard,
    store: &Store,
    now: Timestamp,
) -> (Vec<WatchedCustomer>, KnownTenants) {
    let mut known = KnownTenants::of(config, &store.current());
    let mut cells: Vec<_> = partners.iter().map(|it| it.cell.data()).collect();
    let mut data: Vec<&mut PartnerData> = cells.iter_mut().map(|it| &mut **it).collect();
    let mut watched = watch_list::watch(&mut data, config, &mut known, before, now);
    watched.retain(|it| shard.owns(&it.id));
    (watched, known)
}

/// The configuration with the tenants of customers.
fn with_customers(config: &Arc<Config>, customers: &[WatchedCustomer]) -> Arc<Config> {
    if customers.is_empty() {
        return Arc::clone(config);
    }
    let mut with_customers = Config::clone(config);
    for customer in customers {
        with_customers.add_customer(&customer.partner, customer.tenant.clone());
    }
    Arc::new(with_customers)
}

/// Warns of tenants that cannot be compared with the customers.
fn warn_of_unknown_ids(config: &Config) {
    let unknown = config
        .elsewhere
        .iter()
        .filter(|it| it.entra_tenant_id().is_none());
    let aliases: Vec<&str> = unknown.map(|it| it.alias.as_str()).collect();
    if !config.partners.is_empty() && !aliases.is_empty() {
        tracing::warn!(
            tenants = aliases.join(", "),
            hint = "write the tenant's GUID instead of a domain as its tenant_id",
            "another shard refreshes these tenants, so this one cannot find them among a partner's customers"
        );
    }
}
