//! The tenants of the file of `--write`, by their GUIDs.

use super::Graph;
use crate::commands::config_source::EditableConfig;
use crate::config::{ListedTenant, ProposedFile, ProposedList, Tenant};
use crate::partners::tenant_file::TenantFile;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The entries of the file.
#[derive(Default)]
pub(super) struct FileTenants {
    /// With GUIDs in place of domains, as far as these are known.
    pub(super) listed: Vec<ListedTenant>,
    /// The aliases, or else the domains, of those of which no response shows the GUID.
    /// The tenants of the configuration are not among them.
    pub(super) unresolved: Vec<String>,
}

/// What the entries are resolved with.
pub(super) struct Resolver<'a> {
    pub(super) config: &'a EditableConfig<'a>,
    /// The file.
    pub(super) path: &'a Path,
    /// The configured tenants whose GUID is known, by GUID.
    pub(super) configured: &'a BTreeMap<String, &'a Tenant>,
}

impl Resolver<'_> {
    /// Finds the GUIDs of domains. For entries that the configuration does not read
    /// it requests tokens, as if it did.
    pub(super) async fn resolve(&self, file: &TenantFile, graph: &mut Graph<'_>) -> FileTenants {
        let mut listed = file.tenants().to_vec();
        let configured = self.configured.iter();
        let mut ids: BTreeMap<String, String> = configured
            .map(|(id, tenant)| (tenant.tenant_id.clone(), id.clone()))
            .collect();
        let domains: BTreeSet<String> = listed
            .iter()
            .filter(|it| self.is_unread_domain(it))
            .map(|it| it.tenant_id.clone())
            .collect();
        if !domains.is_empty() {
            let mut tenants = self.tenants_with(file);
            tenants.retain(|it| domains.contains(&it.tenant_id));
            let (found, _) = graph.by_guid(&tenants).await;
            ids.extend(found.into_iter().map(|(id, it)| (it.tenant_id.clone(), id)));
        }
        let is_unresolved = |it: &&ListedTenant| {
            domains.contains(&it.tenant_id) && !ids.contains_key(&it.tenant_id)
        };
        let unresolved = listed
            .iter()
            .filter(is_unresolved)
            .map(|it| match &*it.alias {
                "" => it.tenant_id.clone(),
                alias => alias.to_owned(),
            });
        let unresolved = unresolved.collect();
        for entry in &mut listed {
            if let Some(id) = ids.get(&entry.tenant_id) {
                entry.tenant_id.clone_from(id);
            }
        }
        FileTenants { listed, unresolved }
    }

    fn is_unread_domain(&self, entry: &ListedTenant) -> bool {
        let id = &entry.tenant_id;
        id.contains('.')
            && self
                .config
                .config
                .tenants
                .iter()
                .all(|it| it.tenant_id != *id)
    }

    /// The tenants of the configuration and the file; none where they are invalid
    /// together.
    fn tenants_with(&self, file: &TenantFile) -> Vec<Tenant> {
        let loaded = self.config.with(ProposedFile {
            list: ProposedList::Tenants,
            path: self.path,
            text: file.text(),
        });
        loaded.map_or_else(|_| Vec::new(), |loaded| loaded.config.tenants)
    }
}
