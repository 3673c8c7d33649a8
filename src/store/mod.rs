//! Who is current: one state per tenant, swapped whole, read without waiting.

pub mod disk;

use arc_swap::ArcSwap;
use secure_score_exposition::Chunk;
use secure_score_model::{TenantHealth, TenantIdentity, TenantSnapshot};
use std::sync::Arc;

/// All that is shown of one tenant, at one moment.
#[derive(Debug, Clone)]
pub struct TenantState {
    /// Its names.
    pub identity: TenantIdentity,
    /// What Graph said last and is still young enough to be shown.
    pub snapshot: Arc<TenantSnapshot>,
    /// How its refreshes fare.
    pub health: TenantHealth,
    /// The snapshot as sample lines.
    pub data: Chunk,
    /// The health as sample lines.
    pub vitals: Chunk,
}

impl TenantState {
    /// A tenant that was never refreshed.
    pub fn new(identity: TenantIdentity) -> Self {
        Self {
            identity,
            snapshot: Arc::default(),
            health: TenantHealth::default(),
            data: Chunk::default(),
            vitals: Chunk::default(),
        }
    }
}

/// Every tenant at one generation, ordered by alias.
#[derive(Debug, Default)]
pub struct Tenants {
    /// Grows by one with every change; what is cached for an older one is void.
    pub generation: u64,
    /// The states, ordered by alias.
    pub states: Vec<Arc<TenantState>>,
}

impl Tenants {
    /// The state of one tenant.
    pub fn find(&self, alias: &str) -> Option<&Arc<TenantState>> {
        let place = self.place(alias).ok()?;
        self.states.get(place)
    }

    fn place(&self, alias: &str) -> Result<usize, usize> {
        self.states
            .binary_search_by(|state| (*state.identity.alias).cmp(alias))
    }

    fn with(&self, state: Arc<TenantState>) -> Self {
        let mut states = self.states.clone();
        match self.place(&state.identity.alias) {
            Ok(place) => {
                if let Some(slot) = states.get_mut(place) {
                    *slot = state;
                }
            }
            Err(place) => states.insert(place, state),
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
/// Readers take one pointer and keep a consistent picture for as long as they
/// like; writers replace the list of pointers. A lock would let one slow
/// client hold up a refresh.
#[derive(Debug, Default)]
pub struct Store {
    tenants: ArcSwap<Tenants>,
}

impl Store {
    /// Everything as it is now.
    pub fn current(&self) -> Arc<Tenants> {
        self.tenants.load_full()
    }

    /// Shows a tenant's new state, or a new tenant.
    pub fn publish(&self, state: TenantState) {
        let state = Arc::new(state);
        self.tenants.rcu(|tenants| tenants.with(Arc::clone(&state)));
    }

    /// Stops showing a tenant.
    pub fn remove(&self, alias: &str) {
        self.tenants.rcu(|tenants| tenants.without(alias));
    }
}
