//! What is known of a partner.

use crate::{Customer, CustomerState, RefreshHealth, SkippedCustomers, Timestamp};
use std::sync::Arc;

/// A customer, and whether the exporter watches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerStatus {
    /// The customer as the partner's lists have it, or had it before it left.
    pub customer: Customer,
    /// Whether it is watched.
    pub state: CustomerState,
    /// The alias of its tenant, where it is watched.
    pub tenant: Option<Arc<str>>,
    /// Where an administrator of the customer consents to the application, if its
    /// credential has a client id.
    pub consent_url: Option<Arc<str>>,
    /// When a complete list lacked it first; `None` for one that is in the list.
    pub left_at: Option<Timestamp>,
    /// Whether its tenant was never read and has not consented to the application,
    /// in whatever state it is; `None` where this process does not refresh it.
    pub consent_missing: Option<bool>,
}

/// What is known of one partner at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct PartnerSnapshot {
    /// Its name: the value of the `partner` label.
    pub name: Arc<str>,
    /// The GUID of its own tenant, once known.
    pub entra_tenant_id: Option<Arc<str>>,
    /// Whether labels show the names of customers.
    pub shows_names: bool,
    /// Its customers, ordered by GUID; `None` before the first list.
    pub customers: Option<Vec<CustomerStatus>>,
    /// What its lists contain that is no customer.
    pub skipped: SkippedCustomers,
    /// The refreshes of its lists.
    pub health: RefreshHealth,
}

impl PartnerSnapshot {
    /// A partner whose lists were never read.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            entra_tenant_id: None,
            shows_names: false,
            customers: None,
            skipped: SkippedCustomers::default(),
            health: RefreshHealth::default(),
        }
    }

    /// Its customers; none before the first list.
    pub fn customers(&self) -> &[CustomerStatus] {
        self.customers.as_deref().unwrap_or_default()
    }

    /// The customer with this GUID, in lower case.
    pub fn find(&self, tenant_id: &str) -> Option<&CustomerStatus> {
        let customers = self.customers();
        let found = customers.binary_search_by(|it| (*it.customer.tenant_id).cmp(tenant_id));
        customers.get(found.ok()?)
    }

    /// How many customers are in a state.
    pub fn count(&self, state: CustomerState) -> usize {
        let customers = self.customers().iter();
        customers.filter(|it| it.state == state).count()
    }

    /// How many of its customers are watched, those without consent not counted,
    /// and how many it has that are not excluded and did not leave.
    pub fn coverage(&self) -> (usize, usize) {
        let watched = self.count(CustomerState::Watched);
        let missing = [CustomerState::Unwatched, CustomerState::NotConsented];
        let missing: usize = missing.iter().map(|state| self.count(*state)).sum();
        (watched, watched + missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_counts_the_customers_that_should_be_watched() {
        use CustomerState::{Excluded, Left, NotConsented, Unwatched, Watched};
        let states = [Watched, Watched, Unwatched, Excluded, NotConsented, Left];
        let status = |state| CustomerStatus {
            customer: Customer {
                tenant_id: "a".into(),
                display_name: "A".into(),
                relationship: None,
            },
            state,
            tenant: None,
            consent_url: None,
            left_at: None,
            consent_missing: None,
        };
        let partner = PartnerSnapshot {
            customers: Some(states.map(status).to_vec()),
            ..PartnerSnapshot::new("provider")
        };
        assert_eq!(partner.coverage(), (2, 4));
        assert_eq!(PartnerSnapshot::new("provider").coverage(), (0, 0));
        assert!(partner.find("a").is_some() && partner.find("b").is_none());
    }
}
