//! The list of acceptances, and what selects them.

use super::Acceptance;
use crate::store::Tenants;
use secure_score_model::{Category, Timestamp};

/// Conditions on acceptances; a missing one matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The tenant's alias.
    pub tenant: Option<String>,
    /// The control's id, in any case.
    pub control: Option<String>,
    /// The control's category.
    pub category: Option<Category>,
    /// Accepted at or after this time; an acceptance without a date matches,
    /// since it may be of any time.
    pub since: Option<Timestamp>,
    /// Whether an unexpired exception covers it.
    pub approved: Option<bool>,
    /// Whether it is in force.
    pub in_force: Option<bool>,
}

impl Filter {
    fn matches(&self, it: &Acceptance<'_>, now: Timestamp) -> bool {
        fn fits<T>(wanted: Option<T>, test: impl FnOnce(T) -> bool) -> bool {
            wanted.is_none_or(test)
        }
        fits(self.tenant.as_deref(), |name| {
            *it.tenant.identity.alias == *name
        }) && fits(self.control.as_deref(), |id| {
            it.control.id.eq_ignore_ascii_case(id)
        }) && fits(self.category, |category| it.control.category == category)
            && fits(self.since, |since| {
                it.accepted.at.is_none_or(|at| at >= since)
            })
            && fits(self.approved, |is| it.approval(now).is_approved() == is)
            && fits(self.in_force, |is| it.is_in_force() == is)
    }
}

/// The acceptances of all tenants that match a filter, identity first, then the
/// newest.
///
/// Controls without exported series are included: a selection of series must
/// not hide a risk.
pub fn acceptances<'a>(
    tenants: &'a Tenants,
    filter: &Filter,
    now: Timestamp,
) -> Vec<Acceptance<'a>> {
    let tenants = tenants.states.iter();
    let all = tenants.flat_map(|tenant| Acceptance::of_tenant(tenant));
    let mut found: Vec<_> = all.filter(|it| filter.matches(it, now)).collect();
    found.sort_by_key(Acceptance::rank);
    found
}
