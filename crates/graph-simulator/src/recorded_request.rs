//! What the simulator records of each request.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use tokio::time::Instant;

/// The interface that a request addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// Entra's token endpoint, and those of managed identities.
    Token,
    /// `secureScores`: the daily reports.
    Scores,
    /// `secureScoreControlProfiles`: the catalogue with the states.
    Profiles,
    /// `directory/recommendations`: Entra's recommendations with their statuses.
    Recommendations,
    /// `directory/recommendations/tenantSecureScores`: the Identity Secure Score.
    IdentityScores,
    /// `tenantRelationships/delegatedAdminCustomers`: a partner's customers.
    Customers,
    /// `tenantRelationships/delegatedAdminRelationships`: its relationships with them.
    Relationships,
    /// `tenantRelationships/multiTenantOrganization/tenants`: the tenants of a company.
    Organization,
    /// The CONNECT proxy, whose requests are not recorded.
    Proxy,
}

/// One request and its result.
#[derive(Debug, Clone, Serialize)]
pub struct RecordedRequest {
    /// When the simulator answered, by the wall clock.
    #[serde(serialize_with = "to_text")]
    pub at: Timestamp,
    /// When the request arrived, by the monotonic clock.
    #[serde(skip)]
    pub started: Instant,
    /// When the simulator answered, by the monotonic clock.
    #[serde(skip)]
    pub finished: Instant,
    /// The tenant's name; `None` if the request identified no tenant.
    pub tenant: Option<String>,
    /// The interface; `None` for an unknown path.
    pub api: Option<Api>,
    /// Path and query as the client sent them.
    pub path_and_query: String,
    /// The page, from 1.
    pub page: u32,
    /// The HTTP status; 0 if a fault dropped the connection.
    pub status: u16,
}

fn to_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}
