//! Which customers are watched, and which configured tenants are no customers.

use super::consent::Consent;
use crate::config::{Config, ListedTenant, NewCustomers, Partner, Tenant};
use crate::partners::alias::aliases;
use secure_score_model::{Customer, CustomerList, Relationship};
use std::collections::{BTreeMap, BTreeSet};

/// A partner and the customers in its lists.
pub(super) struct PartnerList<'a> {
    pub(super) partner: &'a Partner,
    pub(super) list: CustomerList,
    /// The GUID of the partner's own tenant, which may be configured by a domain.
    pub(super) entra_tenant_id: Option<String>,
}

/// The state of a customer; the order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// It is in a list, and not configured.
    Unwatched,
    /// It is configured, and has not consented to the application.
    NotConsented,
    /// It is configured, and in no partner's list.
    NotInList,
    /// It is configured, or its partner watches new customers.
    Watched,
    /// The partner's patterns exclude it, and it is not configured.
    Excluded,
}

impl State {
    /// The word in JSON.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Unwatched => "unwatched",
            Self::NotConsented => "not_consented",
            Self::NotInList => "not_in_list",
            Self::Watched => "watched",
            Self::Excluded => "excluded",
        }
    }
}

/// A customer, or a configured tenant that is none.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) state: State,
    /// The name of the partner; empty for a tenant in no list.
    pub(super) partner: String,
    /// Its GUID, or a domain where a tenant in no list is configured by one.
    pub(super) entra_tenant_id: String,
    pub(super) display_name: String,
    /// The alias in the configuration or the file, or the one proposed for a customer
    /// that is in neither.
    pub(super) alias: Option<String>,
    /// Whether the file of `--write` has an entry for it.
    pub(super) is_listed: bool,
    /// What a token is requested for; `None` for one that nothing is read of.
    pub(super) tenant: Option<Tenant>,
    pub(super) relationship: Option<Relationship>,
    pub(super) consent: Consent,
    pub(super) consent_url: Option<String>,
}

impl Row {
    /// Notes what a token request showed.
    pub(super) fn set_consent(&mut self, consent: Consent) {
        if self.state == State::Watched && consent == Consent::Missing {
            self.state = State::NotConsented;
        }
        self.consent = consent;
    }
}

/// What the lists are compared with.
pub(super) struct Known<'a> {
    pub(super) config: &'a Config,
    /// The configured tenants whose GUID is known, by GUID.
    pub(super) configured: BTreeMap<String, &'a Tenant>,
    /// The entries of the file of `--write`.
    pub(super) listed: &'a [ListedTenant],
    /// Whether the lists of all partners were read.
    pub(super) all_partners: bool,
}

impl Known<'_> {
    /// A row for each customer and for each configured or listed tenant that is none,
    /// in the order of the output.
    pub(super) fn rows(&self, lists: &[PartnerList<'_>]) -> Vec<Row> {
        let customers = customers(lists);
        let selected = customers.values().filter(|it| it.is_selected());
        let names: Vec<(&str, &str)> = selected
            .map(|it| (&*it.customer.tenant_id, &*it.customer.display_name))
            .collect();
        let aliases = aliases(&names, &self.taken(), &self.reserved());
        let rows = customers.values().map(|it| {
            let alias = aliases.get(&*it.customer.tenant_id);
            self.customer_row(it, alias.cloned())
        });
        let mut rows: Vec<Row> = rows.collect();
        if !lacks_customers(lists) {
            rows.extend(self.rows_in_no_list(&customers, lists));
        }
        rows.sort_by(|a, b| {
            let order = |row: &Row| (row.state, row.partner.clone(), row.alias.clone());
            order(a)
                .cmp(&order(b))
                .then_with(|| a.entra_tenant_id.cmp(&b.entra_tenant_id))
        });
        rows
    }

    /// The aliases of the tenants that would be in no list if each element of the lists
    /// could be read.
    pub(super) fn possible_departures(&self, lists: &[PartnerList<'_>]) -> Vec<String> {
        if !lacks_customers(lists) {
            return Vec::new();
        }
        let rows = self.rows_in_no_list(&customers(lists), lists);
        rows.into_iter().filter_map(|row| row.alias).collect()
    }

    /// The aliases in the configuration and the file, by GUID.
    fn taken(&self) -> BTreeMap<String, String> {
        let listed = self.listed.iter();
        let listed = listed.map(|it| (it.tenant_id.clone(), it.alias.clone()));
        let configured = self.configured.iter();
        let configured = configured.map(|(id, tenant)| (id.clone(), tenant.alias.clone()));
        listed.chain(configured).collect()
    }

    /// Every alias in the configuration and the file.
    fn reserved(&self) -> BTreeSet<String> {
        let configured = self.config.tenants.iter().map(|it| it.alias.clone());
        let listed = self.listed.iter().map(|it| it.alias.clone());
        configured.chain(listed).collect()
    }

    fn is_listed(&self, id: &str) -> bool {
        self.listed.iter().any(|it| it.tenant_id == id)
    }

    fn customer_row(&self, listed: &ListedCustomer<'_>, alias: Option<String>) -> Row {
        let ListedCustomer { partner, customer } = listed;
        let (id, name) = (&*customer.tenant_id, &*customer.display_name);
        let configured = self.configured.get(id).copied();
        let watches = partner.new_customers == NewCustomers::Watch;
        let (state, alias, tenant) = match configured {
            Some(tenant) => (
                State::Watched,
                Some(tenant.alias.clone()),
                Some(tenant.clone()),
            ),
            None if !listed.is_selected() => (State::Excluded, None, None),
            None => {
                let proposed = alias.clone().unwrap_or_default();
                let tenant = Some(partner.tenant(proposed, id, name));
                // The exporter chose the alias of one that it watches by itself.
                match watches && !self.is_listed(id) {
                    true => (State::Watched, None, tenant),
                    false => (State::Unwatched, alias, tenant),
                }
            }
        };
        let consent_url = tenant.as_ref().and_then(|tenant| {
            self.config
                .consent_url(tenant.cloud, id, &tenant.credential)
        });
        Row {
            state,
            partner: partner.name.clone(),
            entra_tenant_id: id.to_owned(),
            display_name: name.to_owned(),
            alias,
            is_listed: self.is_listed(id),
            tenant,
            relationship: customer.relationship,
            consent: Consent::NotRequested,
            consent_url,
        }
    }

    /// The tenants of the configuration and the file that are no customers and not a
    /// partner's own tenant; none unless the lists of all partners were read.
    fn rows_in_no_list(
        &self,
        customers: &BTreeMap<&str, ListedCustomer<'_>>,
        lists: &[PartnerList<'_>],
    ) -> Vec<Row> {
        if !self.all_partners {
            return Vec::new();
        }
        let is_own = |id: &str| {
            let mut partners = lists.iter();
            partners
                .any(|it| it.partner.tenant_id == id || it.entra_tenant_id.as_deref() == Some(id))
        };
        let is_known = |id: &str| customers.contains_key(id) || is_own(id);
        let ids: BTreeMap<&str, &str> = self
            .configured
            .iter()
            .map(|(id, tenant)| (tenant.alias.as_str(), id.as_str()))
            .collect();
        let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
        for tenant in &self.config.tenants {
            let id = ids.get(tenant.alias.as_str()).copied();
            let id = id.unwrap_or(&tenant.tenant_id);
            rows.insert(id, in_no_list(id, &tenant.alias, &tenant.display_name));
        }
        for entry in self.listed {
            let id = entry.tenant_id.as_str();
            let is_configured = self.config.tenants.iter().any(|it| it.alias == entry.alias);
            if !is_configured {
                rows.insert(id, in_no_list(id, &entry.alias, &entry.display_name));
            }
        }
        let rows = rows.into_iter().filter(|(id, _)| !is_known(id));
        rows.map(|(id, row)| Row {
            is_listed: self.is_listed(id),
            ..row
        })
        .collect()
    }
}

fn in_no_list(id: &str, alias: &str, display_name: &str) -> Row {
    Row {
        state: State::NotInList,
        partner: String::new(),
        entra_tenant_id: id.to_owned(),
        display_name: display_name.to_owned(),
        alias: Some(alias.to_owned()),
        is_listed: false,
        tenant: None,
        relationship: None,
        consent: Consent::NotRequested,
        consent_url: None,
    }
}

/// Whether a list has elements that may be customers and cannot be read.
fn lacks_customers(lists: &[PartnerList<'_>]) -> bool {
    let mut lists = lists.iter();
    lists.any(|it| it.list.skipped.lacks_customers())
}

/// A customer and the partner to which it counts.
struct ListedCustomer<'a> {
    partner: &'a Partner,
    customer: &'a Customer,
}

impl ListedCustomer<'_> {
    fn is_selected(&self) -> bool {
        let customer = self.customer;
        self.partner
            .selects(&customer.tenant_id, &customer.display_name)
    }
}

/// The customers of all partners by GUID. One in several lists counts to the first
/// partner that selects it.
fn customers<'a>(lists: &'a [PartnerList<'a>]) -> BTreeMap<&'a str, ListedCustomer<'a>> {
    let mut customers: BTreeMap<&str, ListedCustomer<'_>> = BTreeMap::new();
    for PartnerList { partner, list, .. } in lists {
        for customer in &list.customers {
            let listed = ListedCustomer { partner, customer };
            let id = &*customer.tenant_id;
            let first = customers.get(id);
            if first.is_none_or(|it| !it.is_selected() && listed.is_selected()) {
                customers.insert(id, listed);
            }
        }
    }
    customers
}
