//! The settings of a partner.

use serde::{Deserialize, Serialize};

use crate::token::{DELEGATED_ADMIN_ROLES, ORGANIZATION_ROLES};

/// A partner at the start of a simulator: a tenant whose application may list customers.
///
/// The application has the same id and secret in every tenant of the simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerOptions {
    /// The name of its tenant.
    pub name: String,
    /// Whether the simulator's own tenants ([`Options::tenants`](crate::Options::tenants))
    /// are customers.
    pub lists_tenants: bool,
    /// The number of further customers, with a tenant each that
    /// [`Simulator::tenants`](crate::Simulator::tenants) does not list. The first partner's
    /// first seven have fixed names, and two of these did not consent.
    pub customers: usize,
}

impl Default for PartnerOptions {
    fn default() -> Self {
        Self {
            name: "partner".to_owned(),
            lists_tenants: true,
            customers: 7,
        }
    }
}

/// A permission of a partner's application in the partner's own tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerPermission {
    /// `DelegatedAdminRelationship.Read.All`: customers and relationships. Granted at the start.
    DelegatedAdminRelationship,
    /// `MultiTenantOrganization.Read.All`: the tenants of the organization.
    MultiTenantOrganization,
}

impl PartnerPermission {
    /// The role in the token.
    pub(crate) fn role(self) -> &'static str {
        let ([customers, _], [organization, _]) = (DELEGATED_ADMIN_ROLES, ORGANIZATION_ROLES);
        match self {
            Self::DelegatedAdminRelationship => customers,
            Self::MultiTenantOrganization => organization,
        }
    }
}
