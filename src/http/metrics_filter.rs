//! Which part of `/metrics` a scrape asks for.

use crate::http_types::{QueryError, query, similar_tenants};
use crate::store::{TenantState, Tenants};
use secure_score_exposition::{Chunk, render_categories};
use secure_score_model::Category;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

const TENANT: &str = "tenant[]";
const CATEGORY: &str = "category[]";

/// Some tenants, and some categories of their controls; all where none is named.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MetricsFilter {
    tenants: Option<BTreeSet<String>>,
    categories: Option<BTreeSet<Category>>,
}

impl MetricsFilter {
    /// The filter of a query.
    ///
    /// An empty tenant name selects no tenant: the response has the exporter's
    /// own families alone. An unknown parameter is rejected, since a mistyped
    /// filter would show every tenant.
    pub(super) fn parse(query: Option<&str>, tenants: &Tenants) -> Result<Self, QueryError> {
        let mut filter = Self::default();
        for (name, value) in query::parse_pairs(query)? {
            match name.as_str() {
                TENANT => {
                    let named = filter.tenants.get_or_insert_default();
                    if !value.is_empty() {
                        named.insert(value);
                    }
                }
                CATEGORY => {
                    let named = filter.categories.get_or_insert_default();
                    named.insert(query::parse_category(&value)?);
                }
                _ => return Err(QueryError::unknown(&name, &[TENANT, CATEGORY])),
            }
        }
        let named = filter.tenants.iter().flatten();
        let unknown: Vec<&str> = named
            .map(String::as_str)
            .filter(|it| tenants.find(it).is_none())
            .collect();
        match unknown.is_empty() {
            true => Ok(filter),
            false => Err(unknown_tenants(&unknown, tenants)),
        }
    }

    /// Whether it selects everything.
    pub(super) fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it selects a tenant.
    pub(super) fn selects(&self, alias: &str) -> bool {
        let named = self.tenants.as_ref();
        named.is_none_or(|named| named.contains(alias))
    }

    /// The selected tenants.
    pub(super) fn states(&self, tenants: &Tenants) -> Vec<Arc<TenantState>> {
        let states = tenants.states.iter();
        let selected = states.filter(|state| self.selects(&state.identity.alias));
        selected.cloned().collect()
    }

    /// The selected part of a tenant's data.
    pub(super) fn data<'a>(&self, state: &'a TenantState) -> Cow<'a, Chunk> {
        match &self.categories {
            None => Cow::Borrowed(&state.data),
            Some(categories) => Cow::Owned(render_categories(
                &state.identity,
                &state.snapshot,
                &state.policy,
                categories,
            )),
        }
    }
}

/// The error for names that are not tenants.
pub(super) fn unknown_tenants(unknown: &[&str], tenants: &Tenants) -> QueryError {
    let quoted: Vec<String> = unknown.iter().map(|name| format!("{name:?}")).collect();
    let first = unknown.first().copied().unwrap_or_default();
    let remedy = match similar_tenants(first, tenants).first() {
        Some(near) => format!("did you mean {near:?}? /sd/tenants lists all tenants"),
        None => "/sd/tenants lists all tenants".to_owned(),
    };
    QueryError::new(format!("unknown tenant {}", quoted.join(", ")), remedy)
}
