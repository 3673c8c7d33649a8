//! Who a tenant is, whatever its data says.

use super::Timestamp;
use std::sync::Arc;

/// The names of one tenant.
///
/// Everything but the Entra id comes from the configuration, so that no label
/// depends on an answer that may fail to come.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantIdentity {
    /// The alias: the value of the `tenant` label.
    pub alias: Arc<str>,
    /// The directory's GUID: configured, or learnt from the first answer when
    /// the configuration names a domain.
    pub entra_tenant_id: Option<Arc<str>>,
    /// What people call it.
    pub display_name: Arc<str>,
    /// The national cloud it lives in.
    pub cloud: &'static str,
    /// The share of the maximum the configuration aims for, 0 to 1.
    pub target: Option<f64>,
    /// When its credential stops working, where that is known.
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
