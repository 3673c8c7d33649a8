//! Which of the accepted risks somebody wants to see.

use super::Acceptance;
use secure_score_model::{Category, Timestamp};

/// A choice of acceptances; what is missing lets everything through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of this tenant, by its alias.
    pub tenant: Option<String>,
    /// Of this control, by its id in any case.
    pub control: Option<String>,
    /// Of this category.
    pub category: Option<Category>,
    /// Accepted at or after this moment; an acceptance without a date may be
    /// of any time and is let through.
    pub since: Option<Timestamp>,
    /// Covered by an exception that has not expired, or not.
    pub approved: Option<bool>,
    /// In force, or withdrawn since.
    pub in_force: Option<bool>,
}

impl Filter {
    pub(super) fn lets_through(&self, it: &Acceptance<'_>, now: Timestamp) -> bool {
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
