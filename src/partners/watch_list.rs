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

/// Decides which customers of the partners are watched, gives new ones an alias, and
/// adds them to the known tenants. Forgets customers that left and are not watched.
///
/// `before` are those that were watched last, also for partners that are not
/// configured any more.
pub(super) fn watch(
    partners: &mut [&mut PartnerData],
    config: &Config,
    known: &mut KnownTenants,
    before: &[WatchedCustomer],
    now: Timestamp,
) -> Vec<WatchedCustomer> {
    let of_partners = partners.iter().flat_map(|data| &data.watched);
    let before = before.iter().map(|it| &it.id);
    let before: BTreeSet<Arc<str>> = before.chain(of_partners).cloned().collect();
    let chosen = choose(partners, config, known, &before, now);
    let aliases = name(partners, &chosen, &known.aliases);
    let mut watched = Vec::new();
    for (index, data) in partners.iter_mut().enumerate() {
        let partner = Arc::clone(&data.config);
        let own = chosen.values().filter(|it| it.partner == index);
        let own = own.filter_map(|it| {
            let customer = &it.customer;
            let alias = aliases.get(&*customer.tenant_id)?;
            let name = &customer.display_name;
            Some(WatchedCustomer {
                id: Arc::clone(&customer.tenant_id),
                tenant: partner.tenant(alias.clone(), &customer.tenant_id, name),
                partner: Arc::clone(&partner),
            })
        });
        let own: Vec<WatchedCustomer> = own.collect();
        let ids: BTreeSet<Arc<str>> = own.iter().map(|it| Arc::clone(&it.id)).collect();
        forget_left(data, known, &ids);
        data.keep_selected(|id| ids.contains(id) || known.find(id).is_some());
        data.set_watched(ids, &before);
        watched.extend(own);
    }
    for customer in &watched {
        let known_tenant = KnownTenant::new(config, &customer.tenant, &customer.id);
        known.add(Arc::clone(&customer.id), known_tenant);
    }
    watched
}

/// A customer to watch.
struct Chosen {
    /// The index of the partner for which it is watched.
    partner: usize,
    customer: Customer,
}

/// The reasons to watch a customer for a partner, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// The partner watches it already.
    Watched,
    /// It is in the partner's list.
    Listed,
    /// The partner watched it until it left, and its data are not too old.
    Left,
}

/// The customers to watch, by GUID. One of several partners stays with the partner
/// that watches it already.
fn choose(
    partners: &[&mut PartnerData],
    config: &Config,
    known: &KnownTenants,
    before: &BTreeSet<Arc<str>>,
    now: Timestamp,
) -> BTreeMap<Arc<str>, Chosen> {
    let max_staleness = config.refresh.max_staleness;
    let mut chosen = BTreeMap::new();
    for claim in [Claim::Watched, Claim::Listed, Claim::Left] {
        for (index, data) in partners.iter().enumerate() {
            let is_wanted = |it: &&Customer| {
                let is_configured = known.find(&it.tenant_id).is_some();
                let may_be_configured = !known.is_settled && !before.contains(&it.tenant_id);
                data.selects(it) && !is_configured && !may_be_configured
            };
            let claimed = claimed(data, claim, max_staleness, now);
            for customer in claimed.into_iter().filter(is_wanted) {
                let new = || Chosen {
                    partner: index,
                    customer: customer.clone(),
                };
                let id = Arc::clone(&customer.tenant_id);
                chosen.entry(id).or_insert_with(new);
            }
        }
    }
    chosen
}

/// The customers on which a partner that watches new ones has this claim.
fn claimed(
    data: &PartnerData,
    claim: Claim,
    max_staleness: Duration,
    now: Timestamp,
) -> Vec<&Customer> {
    if data.config.new_customers != NewCustomers::Watch {
        return Vec::new();
    }
    let is_watched = |it: &&Customer| data.watched.contains(&it.tenant_id);
    let listed = data.customers().iter();
    match claim {
        Claim::Watched => listed.filter(is_watched).collect(),
        Claim::Listed => listed.collect(),
        Claim::Left => {
            let left = data.left.values();
            let recent = left.filter(|it| now.since(it.at) < max_staleness);
            recent.map(|it| &it.customer).filter(is_watched).collect()
        }
    }
}

/// Forgets the customers that left, unless they are watched: by the configuration
/// until it names or selects them no longer, else until their data are too old.
fn forget_left(data: &mut PartnerData, known: &KnownTenants, watched: &BTreeSet<Arc<str>>) {
    let is_kept = |id: &Arc<str>, customer: &Customer| {
        data.selects(customer) && (known.find(id).is_some() || watched.contains(id))
    };
    let gone = data
        .left
        .iter()
        .filter(|(id, left)| !is_kept(id, &left.customer));
    let gone: Vec<Arc<str>> = gone.map(|(id, _)| Arc::clone(id)).collect();
    data.unsaved |= !gone.is_empty();
    for id in gone {
        data.left.remove(&id);
    }
}

/// The alias of each customer, which every partner with the customer notes. One that
/// has an alias keeps it, unless the configuration has since given it to another
/// tenant.
fn name(
    partners: &mut [&mut PartnerData],
    chosen: &BTreeMap<Arc<str>, Chosen>,
    reserved: &BTreeSet<String>,
) -> BTreeMap<String, String> {
    let pairs = chosen.values().map(|it| {
        let customer = &it.customer;
        (&*customer.tenant_id, &*customer.display_name)
    });
    let pairs: Vec<(&str, &str)> = pairs.collect();
    let given = given(partners, reserved);
    let aliases = aliases(&pairs, &given, reserved);
    for data in partners.iter_mut() {
        note(data, &aliases, &given);
    }
    aliases
}

/// The aliases that were given to customers of all partners and are not the
/// configuration's. That under which a customer is watched comes first.
fn given(partners: &[&mut PartnerData], reserved: &BTreeSet<String>) -> BTreeMap<String, String> {
    let is_watched = |data: &PartnerData, id: &str| data.watched.contains(id);
    let mut all: Vec<(bool, &String, &String)> = Vec::new();
    for data in partners {
        let aliases = data.aliases.iter();
        all.extend(aliases.map(|(id, alias)| (!is_watched(data, id), id, alias)));
    }
    all.sort_by_key(|(is_unwatched, _, _)| *is_unwatched);
    let mut used: BTreeSet<String> = reserved.iter().map(|it| it.to_ascii_lowercase()).collect();
    let mut given = BTreeMap::new();
    for (_, id, alias) in all {
        if !given.contains_key(id) && used.insert(alias.to_ascii_lowercase()) {
            given.insert(id.clone(), alias.clone());
        }
    }
    given
}

/// Notes the aliases of a partner's customers.
fn note(
    data: &mut PartnerData,
    aliases: &BTreeMap<String, String>,
    given: &BTreeMap<String, String>,
) {
    let has = |id: &str| {
        let list = data.list.as_ref();
        list.is_some_and(|it| it.value.find(id).is_some()) || data.left.contains_key(id)
    };
    let own: Vec<_> = aliases.iter().filter(|(id, _)| has(id)).collect();
    for (id, alias) in own {
        let before = data.aliases.insert(id.clone(), alias.clone());
        if let Some(before) = before.as_ref().filter(|_| !given.contains_key(id)) {
            tracing::warn!(
                partner = data.config.name,
                entra_tenant_id = id,
                before,
                alias,
                "the configuration has the alias of a customer, which gets another one"
            );
        }
        data.unsaved |= before.is_none_or(|before| before != *alias);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{config, customer};
    use super::*;
    use crate::config::Pattern;
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
        watch(&mut [data], config, &mut known, &[], NOW)
            .into_iter()
            .map(|it| it.tenant.alias)
            .collect()
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
        assert_eq!(aliases_of(&mut data, &config, true), ["other", "first"]);
    }

    /// The aliases of each of two partners, which watch.
    fn aliases_of_both(
        first: &mut PartnerData,
        second: &mut PartnerData,
        config: &Config,
    ) -> [Vec<String>; 2] {
        let mut known = known(config, true);
        let second_name = second.config.name.clone();
        let watched = watch(&mut [first, second], config, &mut known, &[], NOW).into_iter();
        let (second, first): (Vec<_>, Vec<_>) =
            watched.partition(|it| it.partner.name == second_name);
        let aliases = |watched: Vec<WatchedCustomer>| {
            let aliases = watched.into_iter().map(|it| it.tenant.alias);
            aliases.collect()
        };
        [aliases(first), aliases(second)]
    }

    fn named(mut data: PartnerData, name: &str) -> PartnerData {
        let mut partner = Partner::clone(&data.config);
        name.clone_into(&mut partner.name);
        data.config = Arc::new(partner);
        data
    }

    #[test]
    fn a_customer_of_two_partners_stays_with_the_one_that_watches_it() {
        let config = config(WATCH);
        let mut first = data(&config, &[]);
        let mut second = named(data(&config, &["some"]), "second");
        second.aliases.insert("some".to_owned(), "given".to_owned());
        let of_second = [vec![], vec!["given".to_owned()]];
        assert_eq!(aliases_of_both(&mut first, &mut second, &config), of_second);
        first.list = data(&config, &["some"]).list;
        assert_eq!(aliases_of_both(&mut first, &mut second, &config), of_second);
        assert_eq!(second.take_unreported().len(), 1);

        // The second selects it no longer, so that the first takes it over.
        let mut partner = Partner::clone(&second.config);
        partner.exclude = vec![Pattern::of_names("some").unwrap()];
        second.reconfigure(Arc::new(partner));
        let of_first = [vec!["given".to_owned()], vec![]];
        assert_eq!(aliases_of_both(&mut first, &mut second, &config), of_first);
        assert!(first.take_unreported().is_empty(), "it is not new");

        // And so it does where the one that watches it is not configured any more.
        let last = watch(
            &mut [&mut first],
            &config,
            &mut known(&config, true),
            &[],
            NOW,
        );
        let mut third = named(data(&config, &["some"]), "third");
        aliases_of_both(&mut first, &mut third, &config);
        let mut known = known(&config, true);
        let watched = watch(&mut [&mut third], &config, &mut known, &last, NOW);
        assert_eq!(watched[0].tenant.alias, "given");
        assert!(third.take_unreported().is_empty(), "it is not new");
    }

    #[test]
    fn an_alias_of_another_partners_customer_is_not_given() {
        let config = config(WATCH);
        let mut first = data(&config, &["some"]);
        let mut second = named(data(&config, &[]), "second");
        second.aliases.insert("other".to_owned(), "some".to_owned());
        let [aliases, _] = aliases_of_both(&mut first, &mut second, &config);
        assert_eq!(aliases.len(), 1);
        assert_ne!(aliases[0], "some");
    }

    #[test]
    fn a_customer_that_renames_itself_stays_selected_until_the_patterns_change() {
        let config = config("new_customers: watch\n  include: [datum*]");
        let mut data = data(&config, &[]);
        let set_name = |data: &mut PartnerData, name: &str| {
            let customer = Customer {
                display_name: name.into(),
                ..customer("some")
            };
            let list = data.list.as_mut().unwrap();
            list.value = Arc::new(CustomerList {
                customers: vec![customer],
                ..CustomerList::default()
            });
        };
        set_name(&mut data, "Other");
        assert!(aliases_of(&mut data, &config, true).is_empty());
        set_name(&mut data, "Datum");
        assert_eq!(aliases_of(&mut data, &config, true), ["datum"]);
        set_name(&mut data, "Other");
        assert_eq!(aliases_of(&mut data, &config, true), ["datum"]);
        assert!(data.selects(&data.customers()[0]));

        // The same after a restart.
        let partner = Arc::clone(&data.config);
        let mut data = PartnerData::new(Arc::clone(&partner), Some(data.to_saved(NOW)), NOW);
        assert_eq!(aliases_of(&mut data, &config, true), ["datum"]);
        let mut other = Partner::clone(&partner);
        other.exclude = vec![Pattern::of_names("unrelated").unwrap()];
        let other = Arc::new(other);
        let restarted = PartnerData::new(Arc::clone(&other), Some(data.to_saved(NOW)), NOW);
        assert!(!restarted.selects(&data.customers()[0]));
        data.reconfigure(other);
        assert!(aliases_of(&mut data, &config, true).is_empty());
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
