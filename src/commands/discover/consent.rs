//! Whether tenants have consented to the application.

use crate::commands::progress::Steps;
use crate::config::Tenant;
use crate::credentials::TokenFacts;
use crate::graph::{GraphError, HttpClients, RefreshPermits};
use crate::telemetry::Telemetry;
use secure_score_model::Trouble;
use std::sync::Arc;
use tokio::task::JoinSet;

/// What a token request showed of a tenant's consent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Consent {
    /// The token has the permission for Secure Score, or cannot be read.
    Given,
    /// The tenant has not consented to the application.
    Missing,
    /// The tenant has consented, but not to the permission for Secure Score.
    Incomplete,
    /// There is no token for another reason.
    Unknown(Trouble),
    /// No token was requested.
    NotRequested,
}

impl Consent {
    /// The word in the table and in JSON.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Given => "yes",
            Self::Missing => "no",
            Self::Incomplete => "incomplete",
            Self::Unknown(_) => "unknown",
            Self::NotRequested => "",
        }
    }

    fn of(facts: Result<TokenFacts, GraphError>) -> Self {
        match facts {
            Ok(facts) if facts.may_read() == Some(false) => Self::Incomplete,
            Ok(_) => Self::Given,
            Err(error) if error.is_not_consented() => Self::Missing,
            Err(error) => Self::Unknown(Trouble::from(&error)),
        }
    }
}

/// The answer for one tenant.
pub(super) struct Answer {
    pub(super) consent: Consent,
    /// The tenant's GUID, where it is configured or a response shows it.
    pub(super) entra_tenant_id: Option<String>,
}

/// Requests a token for each of the tenants, once, as many at a time as the
/// configuration allows. The answers are in the order of the tenants.
pub(super) async fn request(
    tenants: &[Tenant],
    clients: &HttpClients,
    permits: &RefreshPermits,
    telemetry: &Arc<Telemetry>,
    steps: &Steps,
) -> Vec<Answer> {
    let mut requests = JoinSet::new();
    for (index, tenant) in tenants.iter().enumerate() {
        let client = clients.client_for(tenant, telemetry);
        let (permits, steps) = (permits.clone(), steps.clone());
        let alias = tenant.alias.clone();
        requests.spawn(async move {
            let _permit = permits.take().await;
            steps.begin(&alias);
            let consent = Consent::of(client.token_facts().await);
            steps.end(&alias);
            let entra_tenant_id = client.entra_tenant_id().map(str::to_owned);
            let answer = Answer {
                consent,
                entra_tenant_id,
            };
            (index, answer)
        });
    }
    let mut answers = requests.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
