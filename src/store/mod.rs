//! The current state of every tenant, replaced atomically and read without locks.

pub mod disk;

use arc_swap::ArcSwap;
use secure_score_exposition::{Chunk, Policy};
use secure_score_model::{TenantHealth, TenantIdentity, TenantSnapshot};
use std::sync::Arc;

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
}

/// Every tenant at one generation, ordered by alias.
#[derive(Debug, Default)]
pub struct Tenants {
    /// Grows by one with every change; caches of an older one are invalid.
    pub generation: u64,
    /// The states, ordered by alias.
    pub states: Vec<Arc<TenantState>>,
}

impl Tenants {
    /// The state of one tenant.
    pub fn find(&self, alias: &str) -> Option<&Arc<TenantState>> {
        let index = self.index(alias).ok()?;
        self.states.get(index)
    }

    fn index(&self, alias: &str) -> Result<usize, usize> {
        self.states
            .binary_search_by(|state| (*state.identity.alias).cmp(alias))
    }

    fn with(&self, state: Arc<TenantState>) -> Self {
        let mut states = self.states.clone();
        match self.index(&state.identity.alias) {
            Ok(index) => {
                if let Some(slot) = states.get_mut(index) {
                    *slot = state;
                }
            }
            Err(index) => states.insert(index, state),
        }
        self.next(states)
    }

    fn without(&self, alias: &str) -> Self {
        let mut states = self.states.clone();
        states.retain(|state| *state.identity.alias != *alias);
        self.next(states)
    }

    fn next(&self, states: Vec<Arc<TenantState>>) -> Self {
        Self {
            generation: self.generation + 1,
            states,
        }
    }
}

/// The current state of every tenant.
///
/// Readers take one pointer and keep a consistent view; writers replace the list
/// of pointers. With a lock, a slow client could delay a refresh.
#[derive(Debug, Default)]
pub struct Store {
    tenants: ArcSwap<Tenants>,
}

impl Store {
    /// The current state of all tenants.
    pub fn current(&self) -> Arc<Tenants> {
        self.tenants.load_full()
    }

    /// Replaces the state of a tenant, or adds a tenant.
    pub fn publish(&self, state: TenantState) {
        let state = Arc::new(state);
        self.tenants.rcu(|tenants| tenants.with(Arc::clone(&state)));
    }

    /// Removes a tenant.
    pub fn remove(&self, alias: &str) {
        self.tenants.rcu(|tenants| tenants.without(alias));
    }
}
