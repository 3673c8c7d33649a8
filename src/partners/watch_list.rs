//! Which customers are watched without a configured tenant, and under which alias.

use super::alias::aliases;
use super::known_tenants::{KnownTenant, KnownTenants};
use super::partner_data::PartnerData;
use crate::config::{Config, NewCustomers, Partner, Tenant};
use secure_score_model::{Customer, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A customer that is watched.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WatchedCustomer {
    /// The GUID of its tenant.
    pub(super) id: Arc<str>,
    pub(super) tenant: Tenant,
    pub(super) partner: Arc<Partner>,
}

/// Decides which customers of a partner are watched, gives new ones an alias, and
/// adds them to the known tenants. Forgets customers that left and are not watched.
///
/// `reserved` are the aliases of the configuration and of other partners.
pub(super) fn watch(
    data: &mut PartnerData,
    config: &Config,
    known: &mut KnownTenants,
    reserved: &BTreeSet<String>,
    now: Timestamp,
) -> Vec<WatchedCustomer> {
    forget_left(data, known, config.refresh.max_staleness, now);
    let partner = Arc::clone(&data.config);
    if partner.new_customers != NewCustomers::Watch {
        data.set_watched(BTreeSet::new());
        return Vec::new();
    }
    let left = data.left.values().map(|it| &it.customer);
    let left = left.filter(|it| data.watched.contains(&it.tenant_id));
    let customers = data.customers().iter().chain(left);
    let is_wanted = |it: &&Customer| {
        let is_configured = known.find(&it.tenant_id).is_some();
        let may_be_configured = !known.is_settled && !data.watched.contains(&it.tenant_id);
        partner.selects(&it.tenant_id, &it.display_name) && !is_configured && !may_be_configured
    };
    let customers: Vec<Customer> = customers.filter(is_wanted).cloned().collect();
    name(data, &customers, reserved);
    let mut watched = Vec::new();
    for customer in customers {
        let Some(alias) = data.aliases.get(&*customer.tenant_id) else {
            continue;
        };
        let name = &customer.display_name;
        let tenant = partner.tenant(alias.clone(), &customer.tenant_id, name);
        let known_tenant = KnownTenant::new(config, &tenant, &customer.tenant_id);
        known.add(Arc::clone(&customer.tenant_id), known_tenant);
        watched.push(WatchedCustomer {
            id: customer.tenant_id,
            tenant,
            partner: Arc::clone(&partner),
        });
    }
    let ids: BTreeSet<Arc<str>> = watched.iter().map(|it| Arc::clone(&it.id)).collect();
    data.set_watched(ids);
    watched
}

/// Forgets the customers that left, unless they are watched: by the configuration
/// until it names or selects them no longer, else until their data are too old.
fn forget_left(
    data: &mut PartnerData,
    known: &KnownTenants,
    max_staleness: Duration,
    now: Timestamp,
) {
    let before = data.left.len();
    let partner = Arc::clone(&data.config);
    let watched = &data.watched;
    data.left.retain(|id, left| {
        let is_recent = watched.contains(id) && now.since(left.at) < max_staleness;
        let is_selected = partner.selects(id, &left.customer.display_name);
        is_selected && (known.find(id).is_some() || is_recent)
    });
    data.unsaved |= data.left.len() != before;
}

/// Gives each customer an alias. One that has an alias keeps it, unless the
/// configuration has since given it to another tenant.
fn name(data: &mut PartnerData, customers: &[Customer], reserved: &BTreeSet<String>) {
    let lower: BTreeSet<String> = reserved.iter().map(|it| it.to_ascii_lowercase()).collect();
    let is_free = |alias: &String| !lower.contains(&alias.to_ascii_lowercase());
    let given = data.aliases.iter().filter(|(_, alias)| is_free(alias));
    let given: BTreeMap<String, String> = given
        .map(|(id, alias)| (id.clone(), alias.clone()))
        .collect();
    let pairs = customers
        .iter()
        .map(|it| (&*it.tenant_id, &*it.display_name));
    let pairs: Vec<(&str, &str)> = pairs.collect();
    for (id, alias) in aliases(&pairs, &given, reserved) {
        let before = data.aliases.insert(id.clone(), alias.clone());
        if let Some(before) = before.as_ref().filter(|before| **before != alias) {
            tracing::warn!(
                partner = data.config.name,
                entra_tenant_id = id,
                before,
                alias,
                "the configuration has the alias of a customer, which gets another one"
            );
        }
        data.unsaved |= before.is_none_or(|before| before != alias);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{config, customer};
    use super::*;
    use crate::store::saved_tenant::SavedList;
    use crate::store::{Store, TenantState};
    use secure_score_model::{CustomerList, TenantIdentity};

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const WATCH: &str = "new_customers: watch";
    const CONTOSO: &str = "77777777-7777-4777-8777-777777777777";

    fn data(config: &Config, ids: &[&str]) -> PartnerData {
        let partner = Arc::new(config.partners[0].clone());
        let mut data = PartnerData::new(partner, None, NOW);
        data.list = Some(SavedList {
            at: NOW,
            complete: true,
            has_evidence: false,
            value: Arc::new(CustomerList {
                customers: ids.iter().map(|id| customer(id)).collect(),
                ..CustomerList::default()
            }),
        });
        data
    }

    /// The tenants, of which the one with a domain was answered.
    fn known(config: &Config, answered: bool) -> KnownTenants {
        let store = Store::default();
        let mut fabrikam = TenantState::new(TenantIdentity::new("fabrikam"));
        if answered {
            fabrikam.identity.entra_tenant_id = Some("f".into());
        }
        store.publish(fabrikam);
        KnownTenants::of(config, &store.current())
    }

    fn aliases_of(data: &mut PartnerData, config: &Config, answered: bool) -> Vec<String> {
        let mut known = known(config, answered);
        let reserved = known.aliases.clone();
        let watched = watch(data, config, &mut known, &reserved, NOW);
        watched.into_iter().map(|it| it.tenant.alias).collect()
    }

    #[test]
    fn customers_are_watched_unless_they_are_configured() {
        let config = config(WATCH);
        let mut data = data(&config, &[CONTOSO, "f", "other"]);
        assert_eq!(aliases_of(&mut data, &config, true), ["other"]);
        assert!(data.unsaved);
    }

    #[test]
    fn new_customers_wait_until_it_is_known_which_tenants_are_configured() {
        let config = config(WATCH);
        let mut data = data(&config, &["f", "other"]);
        assert!(aliases_of(&mut data, &config, false).is_empty());
        assert_eq!(aliases_of(&mut data, &config, true), ["other"]);
        // Those that were watched before stay meanwhile.
        assert_eq!(aliases_of(&mut data, &config, false), ["other"]);
    }

    #[test]
    fn an_alias_stays_until_the_configuration_has_it() {
        let config = config(WATCH);
        let mut data = data(&config, &["some", "other"]);
        let given = [("some", "first"), ("other", "CONTOSO")];
        data.aliases = given
            .map(|(id, alias)| (id.to_owned(), alias.to_owned()))
            .into();
        assert_eq!(aliases_of(&mut data, &config, true), ["first", "other"]);
    }

    #[test]
    fn without_the_key_no_customer_is_watched() {
        let config = config("");
        let mut data = data(&config, &["other"]);
        data.watched.insert("other".into());
        assert!(aliases_of(&mut data, &config, true).is_empty());
        assert!(data.watched.is_empty());
    }
}
