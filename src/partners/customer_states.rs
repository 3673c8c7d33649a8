//! The state of each customer of a partner.

use super::known_tenants::KnownTenants;
use super::partner_data::PartnerData;
use crate::config::{Config, DisplayNames};
use crate::store::Tenants;
use secure_score_model::{
    Api, Customer, CustomerState, CustomerStatus, PartnerSnapshot, TenantHealth, Timestamp,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is known of a partner now. `before` is its last snapshot.
pub(super) fn snapshot(
    data: &mut PartnerData,
    config: &Config,
    known: &KnownTenants,
    current: &Tenants,
    before: Option<&PartnerSnapshot>,
) -> PartnerSnapshot {
    note_read(data, known, current);
    let listed = data.customers().iter().map(|it| (it, None));
    let left = data.left.values().map(|it| (&it.customer, Some(it.at)));
    let mut customers: Vec<CustomerStatus> = listed
        .chain(left)
        .map(|(customer, left_at)| {
            let id = &customer.tenant_id;
            let was = before.and_then(|it| it.find(id)?.consent_missing);
            status(data, config, known, current, customer, left_at, was)
        })
        .collect();
    customers.sort_by(|a, b| a.customer.tenant_id.cmp(&b.customer.tenant_id));
    let list = data.list.as_ref();
    PartnerSnapshot {
        entra_tenant_id: data.entra_tenant_id.clone(),
        shows_names: data.config.display_names == DisplayNames::Plain,
        customers: list.map(|_| customers),
        skipped: list.map(|it| it.value.skipped.clone()).unwrap_or_default(),
        health: data.health.clone(),
        ..PartnerSnapshot::new(&data.config.name)
    }
}

fn status(
    data: &PartnerData,
    config: &Config,
    known: &KnownTenants,
    current: &Tenants,
    customer: &Customer,
    left_at: Option<Timestamp>,
    was_missing: Option<bool>,
) -> CustomerStatus {
    let id = &customer.tenant_id;
    let tenant = known.find(id);
    let own = tenant.and_then(|it| current.find(&it.alias));
    let was_missing = was_missing == Some(true);
    let consent_missing =
        own.map(|it| !data.read.contains(id) && lacks_consent(&it.health, was_missing));
    let state = match tenant {
        Some(_) if left_at.is_some() => CustomerState::Left,
        Some(_) if consent_missing == Some(true) => CustomerState::NotConsented,
        Some(_) => CustomerState::Watched,
        None if !data.selects(customer) => CustomerState::Excluded,
        None => CustomerState::Unwatched,
    };
    let defaults = &data.config.defaults;
    let consent_url = match tenant {
        Some(tenant) => tenant.consent_url.clone(),
        None => config
            .consent_url(defaults.cloud, id, &defaults.credential)
            .map(Arc::from),
    };
    CustomerStatus {
        customer: customer.clone(),
        state,
        tenant: tenant.map(|it| Arc::clone(&it.alias)),
        consent_url,
        left_at,
        consent_missing,
    }
}

/// Notes the customers whose tenant was read with success. Those that are in no
/// list any more are forgotten.
fn note_read(data: &mut PartnerData, known: &KnownTenants, current: &Tenants) {
    let was_read = |id: &Arc<str>| {
        let tenant = known.find(id).and_then(|it| current.find(&it.alias));
        tenant.is_some_and(|it| it.health.was_read())
    };
    let ids = data.customers().iter().map(|it| &it.tenant_id);
    let ids = ids.chain(data.left.keys());
    let read: BTreeSet<Arc<str>> = ids
        .filter(|id| data.read.contains(*id) || was_read(id))
        .cloned()
        .collect();
    data.unsaved |= read != data.read;
    data.read = read;
}

/// Whether Entra says that a tenant has not consented to the application. A
/// failure that says nothing about consent, such as one of the network, leaves it
/// as it was.
fn lacks_consent(health: &TenantHealth, was_missing: bool) -> bool {
    let troubles = Api::SECURE_SCORE.iter();
    let troubles: Vec<_> = troubles
        .filter_map(|api| health.of(*api).trouble.as_ref())
        .collect();
    let says_so = troubles.iter().any(|it| it.not_consented);
    let says_nothing = !troubles.iter().any(|it| it.reason.needs_administrator());
    says_so || (says_nothing && was_missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::{Reason, Trouble};

    fn health(reason: Reason, not_consented: bool) -> TenantHealth {
        let mut health = TenantHealth::default();
        health.scores.trouble = Some(Trouble {
            not_consented,
            ..Trouble::new(reason, "no token")
        });
        health
    }

    #[test]
    fn a_failure_of_the_network_says_nothing_about_consent() {
        let missing = health(Reason::Consent, true);
        let offline = health(Reason::Connection, false);
        let refused = health(Reason::Credential, false);
        assert!(lacks_consent(&missing, false));
        assert!(lacks_consent(&offline, true) && !lacks_consent(&offline, false));
        assert!(!lacks_consent(&refused, true));
        assert!(
            lacks_consent(&TenantHealth::default(), true),
            "not tried yet"
        );
        assert!(!lacks_consent(&TenantHealth::default(), false));
    }
}
