//! Which tenant of the configuration stands for a tenant of Entra.

use crate::config::{Cloud, Tenant};
use crate::graph::{GraphError, Subject};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The Entra tenants that responses showed, each with its first alias.
///
/// A configuration may name one Entra tenant by its GUID and by a domain, which
/// only a response shows.
#[derive(Default)]
pub(super) struct EntraTenants(HashMap<(Cloud, String), String>);

impl EntraTenants {
    /// Notes the Entra id of a tenant, and refuses it if another alias has it.
    pub(super) fn claim(&mut self, tenant: &Tenant, id: String) -> Result<(), GraphError> {
        match self.0.entry((tenant.cloud, id)) {
            Entry::Vacant(vacant) => {
                vacant.insert(tenant.alias.clone());
                Ok(())
            }
            Entry::Occupied(first) => Err(GraphError::duplicate_tenant(
                Subject::Catalogue,
                first.get(),
            )),
        }
    }
}
