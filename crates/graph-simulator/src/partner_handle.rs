//! The part of the handle that changes a partner's customers.

use std::sync::Arc;

use jiff::Timestamp;

use crate::customer::Customer;
use crate::handle::{HandleError, Result, SimulatorHandle, listed_names, suggestion};
use crate::initial_relationships::first;
use crate::partner::Partner;
use crate::partner_options::PartnerPermission;
use crate::relationship::Relationship;
use crate::state::SimulatorState;
use crate::tenant::{Tenant, TenantAccess};

/// Changes what a partner's tenant lists. A customer is named by its tenant in the
/// simulator. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PartnerHandle {
    state: Arc<SimulatorState>,
    tenant: Arc<Tenant>,
}

impl SimulatorHandle {
    /// The partner with a name: `partner`, unless the options name it otherwise.
    pub fn partner(&self, name: &str) -> Result<PartnerHandle> {
        let partners = self.state.partners();
        let found = partners.iter().find(|tenant| tenant.name == name);
        let tenant = found.ok_or_else(|| HandleError::UnknownPartner {
            name: name.to_owned(),
            known: listed_names(&partners),
        })?;
        Ok(PartnerHandle {
            state: Arc::clone(&self.state),
            tenant: Arc::clone(tenant),
        })
    }

    /// What a client needs to sign in to each partner's tenant.
    pub fn partners(&self) -> Vec<TenantAccess> {
        let partners = self.state.partners();
        partners.iter().map(|tenant| tenant.access()).collect()
    }
}

impl PartnerHandle {
    /// What a client needs to sign in to the partner's tenant. Id and secret of the
    /// application are valid in the tenants of customers too.
    pub fn access(&self) -> TenantAccess {
        self.tenant.access()
    }

    /// The id of the application to which customers consent. It is no application of the
    /// partner's own tenant, where it cannot read a list, and has the secret of
    /// [`access`](Self::access).
    pub fn customers_application(&self) -> String {
        let id = self.tenant.customers_application();
        id.unwrap_or_default()
    }

    /// The customers in the list, in its order.
    pub fn customers(&self) -> Vec<Customer> {
        self.partner().map(Partner::customers).unwrap_or_default()
    }

    /// A customer signs up: a new tenant with a Secure Score, consent and one active
    /// relationship, or the tenant of that name if it exists.
    pub fn sign_up(&self, name: &str, display_name: &str) -> Result<Customer> {
        let now = Timestamp::now();
        let known = self.state.tenant(name);
        let generated = || {
            let tenant = self.state.factory.named(name, display_name, now)?;
            Some(self.state.tenants.add(tenant))
        };
        let tenant = known.or_else(generated);
        let customer = Customer {
            name: name.to_owned(),
            tenant_id: tenant.map(|tenant| tenant.entra_id.clone()),
            display_name: display_name.to_owned(),
            relationships: first(now),
        };
        self.add(customer.clone());
        Ok(customer)
    }

    /// This many customers sign up, named from `PARTNER-generated-0001` on.
    pub fn sign_up_many(&self, count: usize) -> Result<()> {
        (1..=count).try_for_each(|number| {
            let name = format!("{}-generated-{number:04}", self.tenant.name);
            self.sign_up(&name, &format!("Generated customer {number}"))?;
            Ok(())
        })
    }

    /// Appends an element to the list as it is: without a tenant, with an invalid id, with
    /// the id or name of another customer.
    pub fn add(&self, customer: Customer) {
        if let Some(partner) = self.partner() {
            partner.add(customer);
        }
    }

    /// A customer leaves: the list no longer has it, and its active relationships are
    /// terminated. Its tenant remains, with the consent that it has.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.checked(name, |partner| partner.remove(name))
    }

    /// Changes a customer's display name.
    pub fn rename(&self, name: &str, display_name: &str) -> Result<()> {
        self.change(name, |customer| {
            display_name.clone_into(&mut customer.display_name);
        })
    }

    /// Replaces a customer's relationships.
    pub fn set_relationships(&self, name: &str, relationships: &[Relationship]) -> Result<()> {
        self.change(name, |customer| {
            customer.relationships = relationships.to_vec();
        })
    }

    /// Grants a permission in the partner's tenant, for the tokens issued from now on.
    pub fn grant(&self, permission: PartnerPermission) {
        self.permit(permission, true);
    }

    /// Revokes that permission. As at Entra, a token keeps it until it expires.
    pub fn revoke(&self, permission: PartnerPermission) {
        self.permit(permission, false);
    }

    /// Replaces the tenants of the multitenant organization besides the partner's own, each
    /// with a state in Graph's word: `active`, `pending` or `removed`.
    pub fn set_organization(&self, tenants: &[(&str, &str)]) -> Result<()> {
        let handle = SimulatorHandle::new(Arc::clone(&self.state));
        let named = tenants
            .iter()
            .map(|(name, state)| Ok(handle.tenant(name)?.member(state)));
        let members = [Ok(self.tenant.member("active"))].into_iter().chain(named);
        let members = members.collect::<Result<_>>()?;
        if let Some(partner) = self.partner() {
            partner.set_organization(members);
        }
        Ok(())
    }

    fn permit(&self, permission: PartnerPermission, is_granted: bool) {
        if let Some(partner) = self.partner() {
            partner.permit(permission, is_granted);
        }
    }

    fn change(&self, name: &str, change: impl Fn(&mut Customer)) -> Result<()> {
        self.checked(name, |partner| partner.change(name, change))
    }

    /// Applies a change that says whether the customer exists.
    fn checked(&self, name: &str, change: impl FnOnce(&Partner) -> bool) -> Result<()> {
        if self.partner().is_some_and(change) {
            return Ok(());
        }
        let customers = self.customers();
        let names = customers.iter().map(|customer| customer.name.as_str());
        Err(HandleError::UnknownCustomer {
            partner: self.tenant.name.clone(),
            name: name.to_owned(),
            suggestion: suggestion(name, names),
        })
    }

    fn partner(&self) -> Option<&Partner> {
        self.tenant.partner()
    }
}
