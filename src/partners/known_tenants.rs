//! The tenants of the exporter, by their Entra id.

use crate::config::{Config, Tenant};
use crate::store::Tenants;
use secure_score_model::{Api, TenantHealth};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A tenant that a customer may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownTenant {
    pub(super) alias: Arc<str>,
    /// Where an administrator of the tenant consents to the application.
    pub(super) consent_url: Option<Arc<str>>,
}

impl KnownTenant {
    pub(super) fn new(config: &Config, tenant: &Tenant, id: &str) -> Self {
        let url = config.consent_url(tenant.cloud, id, &tenant.credential);
        Self {
            alias: tenant.alias.as_str().into(),
            consent_url: url.map(Arc::from),
        }
    }
}

/// The tenants of the configuration, of this shard and of others, by Entra id.
#[derive(Debug, Default)]
pub(super) struct KnownTenants {
    by_id: HashMap<Arc<str>, KnownTenant>,
    /// Their aliases.
    pub(super) aliases: BTreeSet<String>,
    /// Whether a tenant that is configured by a domain may still show that it is
    /// one of the customers.
    pub(super) is_settled: bool,
}

impl KnownTenants {
    /// The configured tenants. The id of one that is configured by a domain is
    /// known once Microsoft has answered it.
    pub(super) fn of(config: &Config, current: &Tenants) -> Self {
        let mut known = Self {
            is_settled: true,
            ..Self::default()
        };
        let own = config.tenants.iter().map(|it| (it, true));
        // No response shows the id of one that another shard refreshes.
        let elsewhere = config.elsewhere.iter().map(|it| (it, false));
        for (tenant, is_own) in own.chain(elsewhere) {
            known.aliases.insert(tenant.alias.clone());
            let state = current.find(&tenant.alias);
            let learnt = state.and_then(|it| it.identity.entra_tenant_id.clone());
            match tenant.entra_tenant_id().map(Arc::from).or(learnt) {
                Some(id) => {
                    let tenant = KnownTenant::new(config, tenant, &id);
                    known.add(id, tenant);
                }
                None if is_own => {
                    known.is_settled &= state.is_some_and(|it| was_attempted(&it.health));
                }
                None => {}
            }
        }
        known
    }

    /// Adds a tenant; of two with one id, the first stays.
    pub(super) fn add(&mut self, id: Arc<str>, tenant: KnownTenant) {
        self.by_id.entry(id).or_insert(tenant);
    }

    /// The tenant with this Entra id.
    pub(super) fn find(&self, id: &str) -> Option<&KnownTenant> {
        self.by_id.get(id)
    }
}

/// Whether a request that shows the Entra id was made.
fn was_attempted(health: &TenantHealth) -> bool {
    Api::SECURE_SCORE
        .iter()
        .any(|api| health.of(*api).attempted())
}
