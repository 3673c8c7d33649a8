//! The catalogue of one tenant, and the configuration's rules about controls.

use crate::{Anomalies, CatalogueEntry, Category, Exception};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A tenant's catalogue of controls (Graph: `secureScoreControlProfiles`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// Graph's `azureTenantId`, unchanged; missing in an empty catalogue.
    #[serde(rename = "id")]
    pub entra_tenant_id: Option<Arc<str>>,
    /// The controls, each id once.
    pub entries: Vec<Arc<CatalogueEntry>>,
    /// Values of the answer that could not be used.
    #[serde(rename = "odd")]
    pub anomalies: Anomalies,
}

impl Catalogue {
    /// Lines of the watch list that match none of its controls.
    pub fn unmatched_watches(&self, rules: &impl ControlRules) -> Vec<Arc<str>> {
        let ids: Vec<&str> = self.entries.iter().map(|entry| &*entry.id).collect();
        rules.unmatched_watches(&ids)
    }
}

/// The configuration of controls.
pub trait ControlRules {
    /// The configured category of a control.
    fn category_override(&self, id: &str) -> Option<Category>;
    /// Whether series of a control are exported.
    fn selects(&self, id: &str, category: Category) -> bool;
    /// Whether a control is on the watch list.
    fn watches(&self, id: &str) -> bool;
    /// Lines of the watch list that match none of these ids.
    fn unmatched_watches(&self, ids: &[&str]) -> Vec<Arc<str>>;
    /// The exceptions of the tenant.
    fn exceptions(&self) -> Vec<Arc<Exception>>;
    /// The exceptions of the tenant that name a control.
    fn exceptions_of(&self, id: &str) -> Vec<Arc<Exception>>;
}
