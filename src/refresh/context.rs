//! What a tenant cell is built with.

use super::directories::{Directories, directory};
use super::{Clock, StateWriter};
use crate::config::{Config, Recommendations, Refresh, Tenant, TenantRules};
use crate::events::Events;
use crate::store::Store;
use secure_score_exposition::Policy;
use secure_score_model::{Interner, TenantIdentity};
use std::sync::Arc;

/// What all cells share for the lifetime of the process.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    /// Writes the state directory, where there is one.
    pub(super) state_writer: Option<Arc<StateWriter>>,
    pub(super) interner: Arc<Interner>,
    pub(super) directories: Arc<Directories>,
}

/// What the configuration says about one tenant, until the next reload.
pub(super) struct Settings {
    pub(super) identity: TenantIdentity,
    pub(super) rules: TenantRules,
    /// What labels show of persons and comments.
    pub(super) policy: Arc<Policy>,
    pub(super) refresh: Refresh,
    pub(super) recommendations: Recommendations,
    /// See [`directory`].
    pub(super) directory: String,
    pub(super) events: Option<Arc<Events>>,
}

impl Settings {
    pub(super) fn new(
        config: &Config,
        tenant: &Tenant,
        policy: &Arc<Policy>,
        events: Option<&Arc<Events>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            identity: identity(tenant),
            rules: config.rules(&tenant.alias),
            policy: Arc::clone(policy),
            refresh: config.refresh.clone(),
            recommendations: tenant.recommendations,
            directory: directory(tenant),
            events: events.map(Arc::clone),
        })
    }
}

/// The identity of a tenant as configured. Where the configuration names a
/// domain, the Entra id is learned from the first response.
fn identity(tenant: &Tenant) -> TenantIdentity {
    TenantIdentity {
        entra_tenant_id: tenant.entra_tenant_id().map(Arc::from),
        display_name: tenant.display_name.as_str().into(),
        cloud: tenant.cloud.as_str(),
        target: tenant.target,
        credential_expires: tenant.credential.expires(),
        ..TenantIdentity::new(&tenant.alias)
    }
}
