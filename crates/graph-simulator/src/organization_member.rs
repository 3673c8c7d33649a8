//! A tenant of a multitenant organization.

use serde_json::{Value, json};

/// When the organization was founded.
const FOUNDED: &str = "2025-03-04T08:00:00Z";

/// A tenant of the organization that the partner's tenant owns.
#[derive(Debug, Clone)]
pub(crate) struct OrganizationMember {
    pub(crate) tenant_id: String,
    pub(crate) display_name: String,
    /// Graph's word: `active`, `pending` or `removed`.
    pub(crate) state: String,
}

impl OrganizationMember {
    /// The element of the list. `owner` is the id of the tenant that founded it.
    pub(crate) fn to_json(&self, owner: &str) -> Value {
        let role = match self.tenant_id == owner {
            true => "owner",
            false => "member",
        };
        let joined = (self.state != "pending").then_some(FOUNDED);
        json!({
            "tenantId": self.tenant_id,
            "displayName": self.display_name,
            "addedDateTime": FOUNDED,
            "joinedDateTime": joined,
            "addedByTenantId": owner,
            "role": role,
            "state": self.state,
            "transitionDetails": null,
        })
    }
}
