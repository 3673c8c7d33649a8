//! Which customers of a partner are watched.

use super::result::CheckResult;
use crate::config::{Config, NewCustomers, Partner};
use crate::text::named;
use secure_score_model::{Customer, CustomerList};
use std::collections::BTreeMap;

/// Customers that are named; `discover` lists all.
const MAX_NAMED: usize = 10;

/// The tenants of the configuration, as far as their GUIDs are known.
pub(super) struct Coverage<'a> {
    config: &'a Config,
    by_id: BTreeMap<&'a str, &'a CheckResult>,
    /// Whether no response showed the GUID of a tenant, which is configured by a
    /// domain.
    has_unknown_ids: bool,
}

impl<'a> Coverage<'a> {
    /// `results` are those of all tenants of the configuration.
    pub(super) fn of(config: &'a Config, results: &'a [CheckResult]) -> Self {
        let known = |result: &'a CheckResult| Some((result.entra_tenant_id.as_deref()?, result));
        Self {
            config,
            by_id: results.iter().filter_map(known).collect(),
            has_unknown_ids: results.iter().any(|it| it.entra_tenant_id.is_none()),
        }
    }

    /// Adds how many customers there are, which are not watched, and which have
    /// not consented.
    pub(super) fn compare(&self, partner: &Partner, list: &CustomerList, result: &mut CheckResult) {
        if list.customers.is_empty() {
            result.warn(
                "customers: the list is empty",
                "check that tenant_id is the partner's own tenant, that its relationships with customers are active, and that source names the right list",
            );
            return;
        }
        let tenant = |customer: &Customer| self.by_id.get(&*customer.tenant_id).copied();
        let (watched, others): (Vec<_>, Vec<_>) = list
            .customers
            .iter()
            .partition(|customer| tenant(customer).is_some());
        let (new, excluded): (Vec<&Customer>, Vec<_>) = others
            .into_iter()
            .partition(|it| partner.selects(&it.tenant_id, &it.display_name));
        result.ok(format!(
            "customers: {}, {} configured, {} excluded",
            list.customers.len(),
            watched.len(),
            excluded.len()
        ));
        let not_consented = watched.into_iter().filter_map(|it| Some((it, tenant(it)?)));
        let not_consented: Vec<_> = not_consented.filter(|(_, it)| it.not_consented).collect();
        if let Some((_, first)) = not_consented.first() {
            let names = not_consented.iter().map(|(_, it)| it.alias.clone());
            result.warn(
                format!(
                    "customers: {} without consent: {}",
                    not_consented.len(),
                    named(names, MAX_NAMED)
                ),
                format!(
                    "the hint of each of these tenants, such as {}, has the address of its consent",
                    first.alias
                ),
            );
        }
        match partner.new_customers {
            _ if new.is_empty() => {}
            NewCustomers::Watch => result.ok(format!(
                "customers: {} more watched as new customers",
                new.len()
            )),
            NewCustomers::Report => self.unwatched(partner, &new, result),
        }
    }

    fn unwatched(&self, partner: &Partner, customers: &[&Customer], result: &mut CheckResult) {
        let names = customers.iter().map(|customer| described(customer));
        let mut hint = format!(
            "`secure-score-exporter discover --partner {} --write FILE` adds them to a file of tenant_files; or exclude them, or set new_customers: watch",
            partner.name
        );
        if self.has_unknown_ids {
            hint.push_str(
                "; tenants that are configured by a domain and get no token may be among them",
            );
        }
        result.warn(
            format!(
                "customers: {} unwatched: {}",
                customers.len(),
                named(names, MAX_NAMED)
            ),
            hint,
        );
        let defaults = &partner.defaults;
        for customer in customers.iter().take(MAX_NAMED) {
            let id = &customer.tenant_id;
            let url = self
                .config
                .consent_url(defaults.cloud, id, &defaults.credential);
            if let Some(url) = url {
                let text = format!("customers: the consent of {}: {url}", described(customer));
                result.ok(text);
            }
        }
    }
}

/// Its name, where it has one, and its id.
fn described(customer: &Customer) -> String {
    let Customer {
        tenant_id,
        display_name,
        ..
    } = customer;
    match display_name.is_empty() {
        true => tenant_id.to_string(),
        false => format!("{display_name} ({tenant_id})"),
    }
}
