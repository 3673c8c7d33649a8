//! The in-process handle: doing to a tenant what people and Microsoft do.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::fault::{Fault, FaultError, FaultId, Injection};
use super::history::{self, Update};
use super::measure::Share;
use super::request_log::RecordedRequest;
use super::tenant::{Tenant, TenantAccess};
use super::trust::{FederatedClaims, TrustError};
use super::world::World;
use strict_yaml::suggest;

/// Changes what the simulator serves. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Control {
    world: Arc<World>,
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ControlError {
    /// There is no such tenant.
    #[error("there is no tenant {name:?}; possible are {possible}")]
    UnknownTenant {
        /// The name asked for.
        name: String,
        /// Some that exist.
        possible: String,
    },
    /// The tenant's catalogue has no such control.
    #[error("tenant {tenant:?} has no control {id:?}{suggestion}")]
    UnknownControl {
        /// The tenant.
        tenant: String,
        /// The control asked for.
        id: String,
        /// The nearest that exists, as the end of a sentence.
        suggestion: String,
    },
    /// The control brings no points in that tenant.
    #[error("control {id:?} is not scored in tenant {tenant:?}")]
    NotScored {
        /// The tenant.
        tenant: String,
        /// The control.
        id: String,
    },
    /// A percentage is a number from 0 to 100.
    #[error("{0} is no percentage; possible are 0 to 100")]
    NotAPercentage(f64),
    /// A fault that could never strike.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// A certificate that is none, or an issuer without a key.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// There is no such fault.
    #[error("there is no fault {}", .0.0)]
    UnknownFault(FaultId),
}

type Result<T> = std::result::Result<T, ControlError>;

impl Control {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    /// Accepts the risk of a control, now.
    pub fn accept(&self, tenant: &str, control: &str, by: &str, comment: &str) -> Result<()> {
        self.set_state(tenant, control, "Ignored", Some(by), Some(comment), None)
    }

    /// Puts a control back to *to address*, now.
    pub fn revert(&self, tenant: &str, control: &str, by: &str) -> Result<()> {
        self.set_state(tenant, control, "Default", Some(by), None, None)
    }

    /// Appends a state to a control's history, in Graph's words or ours.
    ///
    /// A word neither knows goes out as it is. Points follow `ThirdParty` and
    /// `Reviewed` with the next daily report only, as they do at Microsoft.
    pub fn set_state(
        &self,
        tenant: &str,
        control: &str,
        state: &str,
        by: Option<&str>,
        comment: Option<&str>,
        at: Option<Timestamp>,
    ) -> Result<()> {
        let (tenant, id) = self.locate(tenant, control)?;
        let mut records = tenant.records();
        let now = || history::moment_after(records.newest_change(&id), Timestamp::now());
        let update = Update {
            at: at.unwrap_or_else(now),
            state: history::graph_word(state).to_owned(),
            by: by.map(str::to_owned),
            comment: comment.map(str::to_owned),
        };
        records.append(&id, update);
        Ok(())
    }

    /// Sets how far a control is done in the newest report; the sums follow.
    pub fn set_score(&self, tenant: &str, control: &str, percentage: f64) -> Result<()> {
        let share =
            Share::from_percentage(percentage).ok_or(ControlError::NotAPercentage(percentage))?;
        let tenant = self.tenant(tenant)?;
        let set = tenant.records().set_share(control, share);
        set.then_some(())
            .ok_or_else(|| self.no_score(tenant, control))
    }

    /// How far a control is done in the newest report, in percent.
    pub fn score(&self, tenant: &str, control: &str) -> Result<f64> {
        let tenant = self.tenant(tenant)?;
        let share = tenant.records().share_now(control, Timestamp::now());
        let share = share.ok_or_else(|| self.no_score(tenant, control))?;
        Ok(share.hundredths() as f64 / 100.0)
    }

    /// The controls that bring points in a tenant.
    pub fn scored_controls(&self, tenant: &str) -> Result<Vec<String>> {
        Ok(self.tenant(tenant)?.records().scored_controls())
    }

    /// Puts any JSON in place of a control's profile.
    pub fn set_profile_json(&self, tenant: &str, control: &str, element: Value) -> Result<()> {
        let (tenant, id) = self.locate(tenant, control)?;
        tenant.records().replace_profile(&id, element);
        Ok(())
    }

    /// Puts any JSON in place of a control's score in the newest report.
    pub fn set_score_json(&self, tenant: &str, control: &str, element: Value) -> Result<()> {
        let tenant = self.tenant(tenant)?;
        let replaced = tenant.records().replace_score(control, element);
        replaced
            .then_some(())
            .ok_or_else(|| self.no_score(tenant, control))
    }

    /// Makes void every token of a tenant.
    pub fn revoke_tokens(&self, tenant: &str) -> Result<()> {
        self.tenant(tenant)?.revoke_tokens();
        Ok(())
    }

    /// Gives a tenant's application a new secret and returns it.
    pub fn rotate_secret(&self, tenant: &str) -> Result<String> {
        Ok(self.tenant(tenant)?.rotate_secret())
    }

    /// Registers a certificate (PEM) with the application of every tenant.
    pub fn trust_certificate(&self, pem: &str) -> Result<()> {
        Ok(self.world.trust().register(pem)?)
    }

    /// A token of the issuer that every application trusts, with any claims.
    pub fn federated_token(&self, claims: &FederatedClaims) -> Result<String> {
        Ok(self.world.trust().federated(claims, Timestamp::now())?)
    }

    /// The tokens handed out and the assertions that came in so far.
    pub fn confidences(&self) -> Vec<String> {
        self.world.confidences().all()
    }

    /// What App Service would put into the variable `IDENTITY_HEADER`.
    pub fn identity_header(&self) -> String {
        self.world.identity_header()
    }

    /// Injects a fault, for one tenant or for all.
    pub fn inject(&self, tenant: Option<&str>, fault: Fault) -> Result<FaultId> {
        fault.check()?;
        let tenant = tenant.map(|name| self.tenant(name)).transpose()?;
        Ok(self
            .world
            .faults()
            .inject(tenant.map(|tenant| tenant.name.clone()), fault))
    }

    /// The faults that are injected and not yet spent.
    pub fn faults(&self) -> Vec<Injection> {
        self.world.faults().all()
    }

    /// Takes one fault away.
    pub fn remove(&self, fault: FaultId) -> Result<()> {
        let removed = self.world.faults().remove(fault);
        removed
            .then_some(())
            .ok_or(ControlError::UnknownFault(fault))
    }

    /// Takes all faults away.
    pub fn clear(&self) {
        self.world.faults().clear();
    }

    /// What was asked lately, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.world.log().all()
    }

    /// What a client needs to sign in to each tenant.
    pub fn tenants(&self) -> Vec<TenantAccess> {
        self.world.tenants().iter().map(Tenant::access).collect()
    }

    fn tenant(&self, name: &str) -> Result<&Tenant> {
        self.world
            .tenant(name)
            .ok_or_else(|| ControlError::UnknownTenant {
                name: name.to_owned(),
                possible: self.some_names(),
            })
    }

    /// The tenant, and the control as its catalogue spells it.
    fn locate(&self, tenant: &str, control: &str) -> Result<(&Tenant, String)> {
        let tenant = self.tenant(tenant)?;
        let id = tenant.records().control(control);
        id.map(|id| (tenant, id))
            .ok_or_else(|| unknown_control(tenant, control))
    }

    fn no_score(&self, tenant: &Tenant, control: &str) -> ControlError {
        match tenant.records().control(control) {
            Some(id) => ControlError::NotScored {
                tenant: tenant.name.clone(),
                id,
            },
            None => ControlError::UnknownControl {
                tenant: tenant.name.clone(),
                id: control.to_owned(),
                suggestion: String::new(),
            },
        }
    }

    fn some_names(&self) -> String {
        let tenants = self.world.tenants();
        let names: Vec<&str> = tenants
            .iter()
            .take(8)
            .map(|tenant| tenant.name.as_str())
            .collect();
        let more = if tenants.len() > names.len() {
            ", …"
        } else {
            ""
        };
        format!("{}{more}", names.join(", "))
    }
}

fn unknown_control(tenant: &Tenant, control: &str) -> ControlError {
    let ids = control_ids(tenant);
    let nearest = suggest::nearest(control, ids.iter().map(String::as_str));
    ControlError::UnknownControl {
        tenant: tenant.name.clone(),
        id: control.to_owned(),
        suggestion: nearest
            .map(|id| format!("; did you mean {id:?}?"))
            .unwrap_or_default(),
    }
}

/// The ids of a tenant's catalogue, all pages of it.
fn control_ids(tenant: &Tenant) -> Vec<String> {
    let records = tenant.records();
    let mut ids = Vec::new();
    let mut start = Some(0);
    while let Some(place) = start {
        let page = records.profiles(place, usize::MAX);
        let known = page
            .elements
            .iter()
            .filter_map(|element| element.get("id")?.as_str());
        ids.extend(known.map(str::to_owned));
        start = page.next;
    }
    ids
}
