//! What a scrape of `/metrics` asks for: everything, or some of it.

use super::near::near;
use super::query::{self, BadQuery};
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
pub(super) struct Scope {
    tenants: Option<BTreeSet<String>>,
    categories: Option<BTreeSet<Category>>,
}

impl Scope {
    /// The scope a query describes.
    ///
    /// An empty name is no tenant's, and asks for none: the exporter's own
    /// families alone. A parameter that is not known is refused, since whoever
    /// mistypes a filter would be shown every tenant.
    pub(super) fn read(query: Option<&str>, tenants: &Tenants) -> Result<Self, BadQuery> {
        let mut scope = Self::default();
        for (name, value) in query::pairs(query)? {
            match name.as_str() {
                TENANT => {
                    let named = scope.tenants.get_or_insert_default();
                    if !value.is_empty() {
                        named.insert(value);
                    }
                }
                CATEGORY => {
                    let named = scope.categories.get_or_insert_default();
                    named.insert(query::category(&value)?);
                }
                _ => return Err(BadQuery::unknown(&name, &[TENANT, CATEGORY])),
            }
        }
        scope.known(tenants)
    }

    fn known(self, tenants: &Tenants) -> Result<Self, BadQuery> {
        let named = self.tenants.iter().flatten();
        let unknown: Vec<&String> = named.filter(|it| tenants.find(it).is_none()).collect();
        match unknown.as_slice() {
            [] => Ok(self),
            [first, ..] => Err(no_tenant(&unknown, first, tenants)),
        }
    }

    /// Whether nothing is left out.
    pub(super) fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a tenant is asked for.
    pub(super) fn wants(&self, alias: &str) -> bool {
        let named = self.tenants.as_ref();
        named.is_none_or(|named| named.contains(alias))
    }

    /// The tenants that are asked for.
    pub(super) fn states(&self, tenants: &Tenants) -> Vec<Arc<TenantState>> {
        let states = tenants.states.iter();
        let wanted = states.filter(|state| self.wants(&state.identity.alias));
        wanted.cloned().collect()
    }

    /// What of a tenant's data is asked for.
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

/// Names that are no tenant's here.
pub(super) fn no_tenant(unknown: &[&String], first: &str, tenants: &Tenants) -> BadQuery {
    let quoted: Vec<String> = unknown.iter().map(|name| format!("{name:?}")).collect();
    let remedy = match near(first, tenants).first() {
        Some(near) => format!("did you mean {near:?}? /sd/tenants lists those there are"),
        None => "/sd/tenants lists those there are".to_owned(),
    };
    BadQuery::new(
        format!("no tenant here is called {}", quoted.join(", ")),
        remedy,
    )
}
