//! The tenants of a simulator, by name, id and domain.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::tenant::Tenant;

/// Tenants are added, never removed: a customer that leaves a partner still exists.
#[derive(Debug, Default)]
pub(crate) struct TenantTable(RwLock<Tenants>);

#[derive(Debug, Default)]
struct Tenants {
    all: Vec<Arc<Tenant>>,
    /// Indices of `all`, by name, Entra id and domain in lower case.
    indices: HashMap<String, usize>,
}

impl TenantTable {
    /// Adds a tenant, unless its name exists; returns the one with the name.
    pub(crate) fn add(&self, tenant: Tenant) -> Arc<Tenant> {
        let mut tenants = self.0.write();
        let name = tenant.name.to_ascii_lowercase();
        let known = tenants.indices.get(&name).copied();
        if let Some(known) = known.and_then(|index| tenants.all.get(index)) {
            return Arc::clone(known);
        }
        let (index, tenant) = (tenants.all.len(), Arc::new(tenant));
        for key in [&tenant.name, &tenant.entra_id, &tenant.domain] {
            tenants.indices.insert(key.to_ascii_lowercase(), index);
        }
        tenants.all.push(Arc::clone(&tenant));
        tenant
    }

    /// The tenant with a name, id or domain, whatever the case.
    pub(crate) fn find(&self, key: &str) -> Option<Arc<Tenant>> {
        let tenants = self.0.read();
        let index = *tenants.indices.get(&key.to_ascii_lowercase())?;
        tenants.all.get(index).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Tenant>> {
        self.0.read().all.clone()
    }
}
