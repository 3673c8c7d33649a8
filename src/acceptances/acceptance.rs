//! An accepted risk, and the list of all.

use crate::store::{TenantState, Tenants};
use secure_score_model::{
    Approval, CatalogueEntry, Category, Control, Points, StateUpdate, Timestamp,
};
use std::cmp::Reverse;

/// A control of a tenant whose risk was accepted at least once.
///
/// Its newest acceptance counts, in force or withdrawn.
#[derive(Debug, Clone, Copy)]
pub struct Acceptance<'a> {
    /// The tenant.
    pub tenant: &'a TenantState,
    /// The control with its score and its exceptions.
    pub control: &'a Control,
    /// Its catalogue entry with the history.
    pub entry: &'a CatalogueEntry,
    /// The newest acceptance: who, when and why.
    pub accepted: &'a StateUpdate,
}

impl<'a> Acceptance<'a> {
    /// The newest acceptance of each control of a tenant.
    pub(super) fn of_tenant(tenant: &'a TenantState) -> impl Iterator<Item = Self> + Clone {
        let controls = tenant.snapshot.controls.iter();
        controls.filter_map(|control| Self::of(tenant, control))
    }

    /// The newest acceptance of a control.
    pub fn of(tenant: &'a TenantState, control: &'a Control) -> Option<Self> {
        let entry = control.entry.as_deref()?;
        Some(Self {
            tenant,
            control,
            entry,
            accepted: entry.history.last_acceptance()?,
        })
    }

    /// Whether it was not withdrawn. After a withdrawal and an unknown state it
    /// is not in force, but the risk may be accepted anew.
    pub fn is_in_force(&self) -> bool {
        self.withdrawal().is_none()
    }

    /// Whether the risk is accepted now; none if the state is unknown.
    pub fn risk_accepted(&self) -> Option<bool> {
        self.entry.history.risk_accepted()
    }

    /// The change that ended it.
    pub fn withdrawal(&self) -> Option<&'a StateUpdate> {
        self.entry.history.withdrawal()
    }

    /// The configured approval.
    pub fn approval(&self, now: Timestamp) -> Approval<'a> {
        self.control.approval(now)
    }

    /// What it costs now: nothing once withdrawn, otherwise the control's
    /// maximum less its score in the tenant's report. Unknown where either is,
    /// or the state.
    pub fn points_lost(&self) -> Option<Points> {
        match self.risk_accepted()? {
            true => self.control.points_to_gain(),
            false => Some(Points::ZERO),
        }
    }

    /// Whether the tenant is scored on the control; unknown without a report.
    pub fn is_scored(&self) -> Option<bool> {
        let report = self.tenant.snapshot.report.as_ref();
        report.map(|_| self.control.score.is_some())
    }

    /// The day of the report that scores the control.
    pub fn report_as_of(&self) -> Option<Timestamp> {
        self.tenant.snapshot.report.as_ref()?.as_of
    }

    /// Identity first, since its controls protect all others; then the newest.
    fn rank(&self) -> impl Ord + use<> {
        (self.control.category, Reverse(self.accepted.at))
    }
}

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
        let (tenant, control) = (self.tenant.as_deref(), self.control.as_deref());
        let is_since = |since| it.accepted.at.is_none_or(|at| at >= since);
        tenant.is_none_or(|alias| *it.tenant.identity.alias == *alias)
            && control.is_none_or(|id| it.control.id.eq_ignore_ascii_case(id))
            && self
                .category
                .is_none_or(|category| it.control.category == category)
            && self.since.is_none_or(is_since)
            && self
                .approved
                .is_none_or(|is| it.approval(now).is_approved() == is)
            && self.in_force.is_none_or(|is| it.is_in_force() == is)
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
