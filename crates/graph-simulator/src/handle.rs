//! The handle that changes what a simulator serves.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use strict_yaml::suggest;

use crate::completion::Completion;
use crate::consent::Consent;
use crate::fault::{Fault, FaultError, FaultId, InjectedFault};
use crate::history::{self, StateUpdate};
use crate::list::List;
use crate::recorded_request::RecordedRequest;
use crate::state::SimulatorState;
use crate::tenant::{Tenant, TenantAccess};
use crate::trusted_credentials::{CredentialError, FederatedClaims};

/// How many tenants an error lists.
const MAX_LISTED_TENANTS: usize = 8;

/// Changes a running simulator as administrators and Microsoft change a
/// tenant, and injects faults. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SimulatorHandle {
    pub(crate) state: Arc<SimulatorState>,
}

/// Why a change was rejected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HandleError {
    /// No such tenant.
    #[error("unknown tenant {name:?}; known tenants: {known}")]
    UnknownTenant {
        /// The name.
        name: String,
        /// Some names that exist.
        known: String,
    },
    /// The tenant's catalogue has no such control.
    #[error("tenant {tenant:?} has no control {id:?}{suggestion}")]
    UnknownControl {
        /// The tenant.
        tenant: String,
        /// The control.
        id: String,
        /// The most similar id, as the end of the sentence.
        suggestion: String,
    },
    /// The tenant has no such recommendation.
    #[error("tenant {tenant:?} has no recommendation {id:?}{suggestion}")]
    UnknownRecommendation {
        /// The tenant.
        tenant: String,
        /// The recommendation.
        id: String,
        /// The most similar name, as the end of the sentence.
        suggestion: String,
    },
    /// The recommendation has no such impacted resource.
    #[error(
        "recommendation {recommendation:?} has no impacted resource {id:?}; use its id or display name"
    )]
    UnknownResource {
        /// The recommendation.
        recommendation: String,
        /// The resource.
        id: String,
    },
    /// The control has no score in that tenant.
    #[error("control {id:?} is not scored in tenant {tenant:?}")]
    NotScored {
        /// The tenant.
        tenant: String,
        /// The control.
        id: String,
    },
    /// The percentage is out of range.
    #[error("{0} is not a percentage; use 0 to 100")]
    NotAPercentage(f64),
    /// No such partner.
    #[error("unknown partner {name:?}; known partners: {known}")]
    UnknownPartner {
        /// The name.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// The partner's list has no such customer.
    #[error("partner {partner:?} has no customer {name:?}{suggestion}")]
    UnknownCustomer {
        /// The partner.
        partner: String,
        /// The customer.
        name: String,
        /// The most similar name, as the end of the sentence.
        suggestion: String,
    },
    /// The fault could affect no request.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// The certificate or the federated token failed.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// No such fault.
    #[error("unknown fault {}; `GET /faults` lists the injected ones", .0.0)]
    UnknownFault(FaultId),
}

pub(crate) type Result<T> = std::result::Result<T, HandleError>;

impl SimulatorHandle {
    pub(crate) fn new(state: Arc<SimulatorState>) -> Self {
        Self { state }
    }

    /// Accepts the risk of a control.
    pub fn accept(&self, tenant: &str, control: &str, by: &str, comment: &str) -> Result<()> {
        self.set_state(tenant, control, "Ignored", Some(by), Some(comment), None)
    }

    /// Returns a control to *to address*.
    pub fn revert(&self, tenant: &str, control: &str, by: &str) -> Result<()> {
        self.set_state(tenant, control, "Default", Some(by), None, None)
    }

    /// Appends a state to a control's history, dated now unless `at` is given.
    ///
    /// Accepts Graph's names (`Ignored`) and the exporter's (`risk_accepted`);
    /// any other is served unchanged. Points follow `ThirdParty` and `Reviewed`
    /// with the next daily report, as they do at Microsoft.
    pub fn set_state(
        &self,
        tenant: &str,
        control: &str,
        state: &str,
        by: Option<&str>,
        comment: Option<&str>,
        at: Option<Timestamp>,
    ) -> Result<()> {
        let (tenant, id) = self.control(tenant, control)?;
        let mut data = tenant.data();
        let now = || history::next_timestamp(data.newest_change(&id), Timestamp::now());
        let update = StateUpdate {
            at: at.unwrap_or_else(now),
            state: history::graph_state(state).to_owned(),
            by: by.map(str::to_owned),
            comment: comment.map(str::to_owned),
        };
        data.append(&id, update);
        Ok(())
    }

    /// When the risk of a control was accepted last; `None` if never.
    pub fn accepted_at(&self, tenant: &str, control: &str) -> Result<Option<Timestamp>> {
        let (tenant, id) = self.control(tenant, control)?;
        let profile = tenant.element(List::Profiles, &id);
        let updates = profile.as_ref();
        let updates = updates.and_then(|it| it.get("controlStateUpdates")?.as_array());
        let accepted = updates.into_iter().flatten().filter(|update| {
            let state = update.get("state").and_then(Value::as_str);
            state.map(history::graph_state) == Some("Ignored")
        });
        Ok(accepted.filter_map(history::updated_at).max())
    }

    /// Sets the percentage of a control in the newest report; the sums follow.
    pub fn set_score(&self, tenant: &str, control: &str, percentage: f64) -> Result<()> {
        let completion = Completion::from_percentage(percentage)
            .ok_or(HandleError::NotAPercentage(percentage))?;
        let tenant = self.tenant(tenant)?;
        let is_scored = tenant.data().set_completion(control, completion);
        check_scored(is_scored, &tenant, control)
    }

    /// The percentage of a control in the newest report.
    pub fn score(&self, tenant: &str, control: &str) -> Result<f64> {
        let tenant = self.tenant(tenant)?;
        let completion = tenant.data().completion(control, Timestamp::now());
        check_scored(completion.is_some(), &tenant, control)?;
        Ok(completion.map_or(0.0, Completion::percentage))
    }

    /// The controls in a tenant's newest report.
    pub fn scored_controls(&self, tenant: &str) -> Result<Vec<String>> {
        Ok(self.tenant(tenant)?.data().scored_controls())
    }

    /// Replaces a control's profile by any JSON.
    pub fn set_profile_json(&self, tenant: &str, control: &str, element: Value) -> Result<()> {
        let (tenant, id) = self.control(tenant, control)?;
        tenant.data().replace_profile(&id, element);
        Ok(())
    }

    /// Replaces a control's score in the newest report by any JSON.
    pub fn set_score_json(&self, tenant: &str, control: &str, element: Value) -> Result<()> {
        let tenant = self.tenant(tenant)?;
        let is_scored = tenant.data().replace_score(control, element);
        check_scored(is_scored, &tenant, control)
    }

    /// Invalidates all tokens of a tenant.
    pub fn revoke_tokens(&self, tenant: &str) -> Result<()> {
        self.tenant(tenant)?.revoke_tokens();
        Ok(())
    }

    /// Replaces the secret of a tenant's application and returns the new one.
    pub fn rotate_secret(&self, tenant: &str) -> Result<String> {
        Ok(self.tenant(tenant)?.rotate_secret())
    }

    /// Grants or revokes the consent of a tenant to every application, for the tokens
    /// issued from now on. As at Entra, a token is valid until it expires.
    pub fn set_consent(&self, tenant: &str, consent: Consent) -> Result<()> {
        self.tenant(tenant)?.set_consent(consent);
        Ok(())
    }

    /// Registers a certificate (PEM) with the applications of all tenants.
    pub fn trust_certificate(&self, pem: &str) -> Result<()> {
        Ok(self.state.credentials.register_certificate(pem)?)
    }

    /// Issues a token of the federated issuer that all applications trust.
    pub fn federated_token(&self, claims: &FederatedClaims) -> Result<String> {
        let credentials = &self.state.credentials;
        Ok(credentials.issue_federated_token(claims, Timestamp::now())?)
    }

    /// The latest tokens issued and assertions received, oldest first.
    pub fn issued_secrets(&self) -> Vec<String> {
        self.state.issued_secrets.entries()
    }

    /// The value of App Service's variable `IDENTITY_HEADER`.
    pub fn identity_header(&self) -> String {
        self.state.identity_header()
    }

    /// Injects a fault, for one tenant or for all.
    pub fn inject(&self, tenant: Option<&str>, fault: Fault) -> Result<FaultId> {
        fault.check(tenant)?;
        let tenant = tenant.map(|name| self.tenant(name)).transpose()?;
        let tenant = tenant.map(|tenant| tenant.name.clone());
        Ok(self.state.faults.inject(tenant, fault))
    }

    /// The injected faults that still affect requests.
    pub fn faults(&self) -> Vec<InjectedFault> {
        self.state.faults.all()
    }

    /// Removes a fault.
    pub fn remove_fault(&self, fault: FaultId) -> Result<()> {
        let removed = self.state.faults.remove(fault);
        removed
            .then_some(())
            .ok_or(HandleError::UnknownFault(fault))
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    /// The latest requests, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.requests.entries()
    }

    /// What a client needs to sign in to each tenant, except those of partners and of
    /// customers that are no tenant of the options.
    pub fn tenants(&self) -> Vec<TenantAccess> {
        let tenants = self.state.own_tenants.iter();
        tenants.map(|tenant| tenant.access()).collect()
    }

    pub(crate) fn tenant(&self, name: &str) -> Result<Arc<Tenant>> {
        self.state
            .tenant(name)
            .ok_or_else(|| HandleError::UnknownTenant {
                name: name.to_owned(),
                known: listed_names(&self.state.tenants.all()),
            })
    }

    /// The tenant, and the control as its catalogue writes it.
    fn control(&self, tenant: &str, control: &str) -> Result<(Arc<Tenant>, String)> {
        let tenant = self.tenant(tenant)?;
        let id = catalogue_id(&tenant, control)?;
        Ok((tenant, id))
    }
}

fn check_scored(is_scored: bool, tenant: &Tenant, control: &str) -> Result<()> {
    if is_scored {
        return Ok(());
    }
    let id = catalogue_id(tenant, control)?;
    let tenant = tenant.name.clone();
    Err(HandleError::NotScored { tenant, id })
}

/// A control's id as the catalogue of the tenant writes it.
fn catalogue_id(tenant: &Tenant, control: &str) -> Result<String> {
    let ids = tenant.data().controls();
    let exact = ids.iter().find(|id| id.eq_ignore_ascii_case(control));
    if let Some(id) = exact {
        return Ok(id.clone());
    }
    Err(HandleError::UnknownControl {
        tenant: tenant.name.clone(),
        id: control.to_owned(),
        suggestion: suggestion(control, ids.iter().map(String::as_str)),
    })
}

/// The most similar name, as the end of a sentence.
pub(crate) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = suggest::nearest(name, known);
    nearest
        .map(|name| format!("; did you mean {name:?}?"))
        .unwrap_or_default()
}

pub(crate) fn listed_names(tenants: &[Arc<Tenant>]) -> String {
    let names = tenants.iter().map(|tenant| tenant.name.as_str());
    let mut names: Vec<&str> = names.take(MAX_LISTED_TENANTS).collect();
    if tenants.len() > names.len() {
        names.push("…");
    }
    names.join(", ")
}
