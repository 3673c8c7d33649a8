//! A partner's tenant: its customers and their relationships.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use serde_json::Value;

use crate::customer::Customer;
use crate::list::List;
use crate::organization_member::OrganizationMember;
use crate::partner_options::PartnerPermission;

/// The customers of a partner, and what its application may read.
#[derive(Debug)]
pub(crate) struct Partner {
    seed: u64,
    state: Mutex<PartnerState>,
}

#[derive(Debug)]
struct PartnerState {
    permissions: BTreeSet<PartnerPermission>,
    customers: Vec<Customer>,
    /// Customers that left: only their relationships remain.
    former: Vec<Customer>,
    /// The tenants of the multitenant organization, the partner's own first.
    organization: Vec<OrganizationMember>,
}

impl Partner {
    pub(crate) fn new(
        seed: u64,
        customers: Vec<Customer>,
        organization: Vec<OrganizationMember>,
    ) -> Self {
        let permissions = BTreeSet::from([PartnerPermission::DelegatedAdminRelationship]);
        Self {
            seed,
            state: Mutex::new(PartnerState {
                permissions,
                customers,
                former: Vec::new(),
                organization,
            }),
        }
    }

    /// The elements of a list; none of a list that tenants have too.
    pub(crate) fn elements(&self, list: List) -> Vec<Value> {
        let state = self.state.lock();
        match list {
            List::Customers => state.customers.iter().map(Customer::to_json).collect(),
            List::Relationships => {
                let all = state.customers.iter().chain(&state.former);
                all.flat_map(|customer| customer.relationships_json(self.seed))
                    .collect()
            }
            List::Organization => {
                let members = state.organization.iter();
                let owner = members.clone().next().map(|it| it.tenant_id.as_str());
                let owner = owner.unwrap_or_default();
                members.map(|member| member.to_json(owner)).collect()
            }
            List::Scores | List::Profiles | List::Recommendations | List::IdentityScores => {
                Vec::new()
            }
        }
    }

    pub(crate) fn roles(&self) -> Vec<&'static str> {
        let state = self.state.lock();
        state.permissions.iter().map(|it| it.role()).collect()
    }

    /// Grants or revokes a permission, for the tokens issued from now on.
    pub(crate) fn permit(&self, permission: PartnerPermission, is_granted: bool) {
        let permissions = &mut self.state.lock().permissions;
        if is_granted {
            permissions.insert(permission);
        } else {
            permissions.remove(&permission);
        }
    }

    pub(crate) fn customers(&self) -> Vec<Customer> {
        self.state.lock().customers.clone()
    }

    /// Appends a customer, whether or not the list has it already.
    pub(crate) fn add(&self, customer: Customer) {
        self.state.lock().customers.push(customer);
    }

    /// Removes the customers with a name and ends their relationships; `false` if there is none.
    pub(crate) fn remove(&self, name: &str) -> bool {
        let mut state = self.state.lock();
        let (mut left, kept): (Vec<Customer>, _) = std::mem::take(&mut state.customers)
            .into_iter()
            .partition(|it| it.name == name);
        state.customers = kept;
        left.iter_mut().for_each(Customer::terminate);
        let is_known = !left.is_empty();
        state.former.extend(left);
        is_known
    }

    /// Changes the customers with a name; `false` if there is none.
    pub(crate) fn change(&self, name: &str, change: impl Fn(&mut Customer)) -> bool {
        let mut state = self.state.lock();
        let named = state.customers.iter_mut().filter(|it| it.name == name);
        named.map(change).count() > 0
    }

    pub(crate) fn set_organization(&self, members: Vec<OrganizationMember>) {
        self.state.lock().organization = members;
    }
}
