//! What is requested from Microsoft.

use secure_score_model::Api;
use std::fmt;

/// The lists of a partner in the exporter's own metrics.
pub const CUSTOMERS: &str = "customers";

/// What was requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An access token, from Entra.
    Token,
    /// The catalogue of controls.
    Catalogue,
    /// The daily score.
    Report,
    /// Entra's recommendations.
    Recommendations,
    /// The Identity Secure Score.
    IdentityScore,
    /// The customers of a partner.
    Customers,
    /// The relationships of a partner with its customers.
    Relationships,
    /// The tenants of the partner's own organization.
    OrganizationMembers,
}

impl Subject {
    /// What a refresh of a list requests.
    pub const fn of(api: Api) -> Self {
        match api {
            Api::Profiles => Self::Catalogue,
            Api::Scores => Self::Report,
            Api::Recommendations => Self::Recommendations,
            Api::IdentityScores => Self::IdentityScore,
        }
    }

    /// The list; a token counts as part of the first one.
    /// A list of a partner is not one of a tenant.
    pub(super) const fn api(self) -> Option<Api> {
        match self {
            Self::Token | Self::Catalogue => Some(Api::Profiles),
            Self::Report => Some(Api::Scores),
            Self::Recommendations => Some(Api::Recommendations),
            Self::IdentityScore => Some(Api::IdentityScores),
            Self::Customers | Self::Relationships | Self::OrganizationMembers => None,
        }
    }

    /// Whether it is a list of Entra, which needs a permission of its own.
    pub(super) fn is_of_entra(self) -> bool {
        self.api().is_some_and(Api::is_of_entra)
    }

    /// Whether it is a list of a partner.
    pub(super) const fn is_of_partner(self) -> bool {
        self.api().is_none()
    }

    /// The list in the exporter's own metrics.
    pub(super) const fn list(self) -> &'static str {
        match self.api() {
            Some(api) => api.as_str(),
            None => CUSTOMERS,
        }
    }

    /// The application permission for a list of a partner.
    pub(super) const fn partner_permission(self) -> Option<&'static str> {
        match self {
            Self::Customers | Self::Relationships => Some(
                "grant the application permission DelegatedAdminRelationship.Read.All in the partner's own tenant and give admin consent; check that tenant_id is the partner's own tenant, not that of a customer",
            ),
            Self::OrganizationMembers => Some(
                "grant the application permission MultiTenantOrganization.Read.All in the partner's own tenant and give admin consent, or leave multitenant_organization out of partner.source; check that tenant_id is the partner's own tenant",
            ),
            _ => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token => "access token",
            Self::Catalogue => "catalogue of controls",
            Self::Report => "score report",
            Self::Recommendations => "list of recommendations",
            Self::IdentityScore => "Identity Secure Score",
            Self::Customers => "list of customers",
            Self::Relationships => "list of relationships with customers",
            Self::OrganizationMembers => "list of the organization's tenants",
        })
    }
}
