//! The names and settings of a tenant.

use crate::Timestamp;
use std::sync::Arc;

/// The names and settings of one tenant.
///
/// All but the Entra id come from the configuration, so that labels do not
/// depend on an answer of Graph.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantIdentity {
    /// The alias: the value of the `tenant` label.
    pub alias: Arc<str>,
    /// The tenant's GUID: configured, or taken from the first answer where the
    /// configuration has a domain.
    pub entra_tenant_id: Option<Arc<str>>,
    /// Its display name.
    pub display_name: Arc<str>,
    /// Its national cloud.
    pub cloud: &'static str,
    /// The configured target as a share of the maximum, 0 to 1.
    pub target: Option<f64>,
    /// When its credential expires, where known.
    pub credential_expires: Option<Timestamp>,
}

impl TenantIdentity {
    /// A tenant of the global cloud whose alias is its display name.
    pub fn new(alias: &str) -> Self {
        let alias: Arc<str> = alias.into();
        Self {
            display_name: Arc::clone(&alias),
            alias,
            entra_tenant_id: None,
            cloud: "global",
            target: None,
            credential_expires: None,
        }
    }
}
