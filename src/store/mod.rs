//! The current state of every tenant, replaced atomically.

pub mod event_files;
mod partners;
pub mod saved_partner;
pub mod saved_tenant;
pub mod state_directory;
mod state_file;
mod visible;
mod visible_decisions;

pub use partners::{PartnerState, Partners};
pub use visible::VisibleStore;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use secure_score_exposition::{Chunk, Policy};
use secure_score_model::{TenantHealth, TenantIdentity, TenantSnapshot};
use std::sync::Arc;
use tokio::sync::Notify;

/// Everything that is shown of one tenant at one time.
#[derive(Debug, Clone)]
pub struct TenantState {
    /// Its names and settings.
    pub identity: TenantIdentity,
    /// Its data, without what is older than the maximum staleness.
    pub snapshot: Arc<TenantSnapshot>,
    /// Its refreshes.
    pub health: TenantHealth,
    /// How the snapshot is rendered.
    pub policy: Arc<Policy>,
    /// The snapshot, rendered.
    pub data: Chunk,
    /// The health, rendered.
    pub health_lines: Chunk,
}

impl TenantState {
    /// A tenant that was never refreshed.
    pub fn new(identity: TenantIdentity) -> Self {
        Self {
            identity,
            snapshot: Arc::default(),
            health: TenantHealth::default(),
            data: Chunk::default(),
            health_lines: Chunk::default(),
            policy: Arc::default(),
        }
    }

    /// Whether its catalogue is not known, so that nothing is known of its states.
    pub fn lacks_catalogue(&self) -> bool {
        self.snapshot.catalogue_anomalies.is_none()
    }

    /// Whether its recommendations are read, but none are known now. Without the
    /// permission they are not read.
    pub fn lacks_recommendations(&self) -> bool {
        let is_unknown = self.snapshot.recommendation_anomalies.is_none();
        self.health.recommendations.has_series && is_unknown
    }
}

/// Every tenant at one generation, ordered by alias.
#[derive(Debug, Clone, Default)]
pub struct Tenants {
    /// Grows by one with every change; caches of an older one are invalid.
    pub generation: u64,
    /// The states, ordered by alias.
    pub states: Vec<Arc<TenantState>>,
}

impl Tenants {
    /// The state of one tenant.
    pub fn find(&self, alias: &str) -> Option<&Arc<TenantState>> {
        self.states.get(self.position(alias).ok()?)
    }

    /// The position of a tenant, or the one at which it is to be inserted.
    fn position(&self, alias: &str) -> Result<usize, usize> {
        self.states
            .binary_search_by(|state| (*state.identity.alias).cmp(alias))
    }

    /// Begins the next generation, with this state of its tenant, and returns the one
    /// that it replaces.
    fn insert(&mut self, state: Arc<TenantState>) -> Option<Arc<TenantState>> {
        self.generation += 1;
        let position = self.position(&state.identity.alias);
        let (Ok(index) | Err(index)) = position;
        let replaced = index..index + usize::from(position.is_ok());
        self.states.splice(replaced, [state]).next()
    }

    /// Begins the next generation, without this tenant, and returns its state.
    fn remove(&mut self, alias: &str) -> Option<Arc<TenantState>> {
        self.generation += 1;
        let index = self.position(alias).ok()?;
        Some(self.states.remove(index))
    }
}

/// The current state of every tenant and partner.
///
/// Readers take one pointer and keep a consistent view: the lock is held while it is
/// copied, never while a client reads. A writer changes the list of the tenants in
/// place, or a copy of it where a reader has it. A copy for each refresh of 1,000
/// tenants took 6 % of their CPU, and more with more tenants.
#[derive(Debug, Default)]
pub struct Store {
    tenants: Mutex<Arc<Tenants>>,
    partners: ArcSwap<Partners>,
    tenants_changed: Notify,
}

impl Store {
    /// The current state of all tenants.
    pub fn current(&self) -> Arc<Tenants> {
        Arc::clone(&self.tenants.lock())
    }

    /// Replaces the state of a tenant, or adds a tenant.
    pub fn publish(&self, state: TenantState) {
        let state = Arc::new(state);
        self.change(|tenants| tenants.insert(state));
    }

    /// Removes a tenant.
    pub fn remove(&self, alias: &str) {
        self.change(|tenants| tenants.remove(alias));
    }

    fn change(&self, change: impl FnOnce(&mut Tenants) -> Option<Arc<TenantState>>) {
        let replaced = change(Arc::make_mut(&mut self.tenants.lock()));
        self.tenants_changed.notify_one();
        // After the lock: some hundred kilobytes are returned to the system.
        drop(replaced);
    }

    /// Waits until a tenant is published or removed, or returns at once where one
    /// was since the last call. For one caller only.
    pub async fn tenants_changed(&self) {
        self.tenants_changed.notified().await;
    }

    /// The current state of all partners.
    pub fn partners(&self) -> Arc<Partners> {
        self.partners.load_full()
    }

    /// Replaces the state of all partners.
    pub fn publish_partners(&self, partners: Partners) {
        self.partners.store(Arc::new(partners));
    }
}
