//! One accepted risk.

use super::Filter;
use crate::store::{TenantState, Tenants};
use secure_score_model::{Approval, CatalogueEntry, Control, Points, StateUpdate, Timestamp};
use std::cmp::Reverse;

/// A control of a tenant whose risk was accepted at least once.
///
/// It is judged by its newest acceptance, in force or withdrawn.
#[derive(Debug, Clone, Copy)]
pub struct Acceptance<'a> {
    /// Where.
    pub tenant: &'a TenantState,
    /// Which control, with its score and its exceptions.
    pub control: &'a Control,
    /// What the catalogue says of the control, its history included.
    pub entry: &'a CatalogueEntry,
    /// The newest acceptance: who, when and why.
    pub accepted: &'a StateUpdate,
}

/// What an accepted risk costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PointsLost {
    /// All its points: an accepted risk earns none.
    All(Points),
    /// Nothing: the tenant is not scored on this control.
    NotScored,
    /// Its maximum cannot be known.
    Unknown,
}

impl<'a> Acceptance<'a> {
    /// The newest acceptance of a control, if there was one.
    pub fn of(tenant: &'a TenantState, control: &'a Control) -> Option<Self> {
        let entry = control.entry.as_deref()?;
        Some(Self {
            tenant,
            control,
            entry,
            accepted: entry.history.last_acceptance()?,
        })
    }

    /// Whether the risk is accepted now.
    pub fn is_in_force(&self) -> bool {
        self.withdrawal().is_none()
    }

    /// The change that ended it.
    pub fn withdrawal(&self) -> Option<&'a StateUpdate> {
        self.entry.history.withdrawal()
    }

    /// Whether anybody approved it, as the configuration says.
    pub fn approval(&self, now: Timestamp) -> Approval<'a> {
        self.control.approval(now)
    }

    /// What it costs, while it is in force.
    pub fn points_lost(&self) -> PointsLost {
        match (&self.control.score, self.control.max_score()) {
            (None, _) => PointsLost::NotScored,
            (Some(_), None) => PointsLost::Unknown,
            (Some(_), Some(max)) => PointsLost::All(max),
        }
    }

    /// Identity first, since its controls guard all others; then the newest.
    fn rank(&self) -> impl Ord + use<> {
        (self.control.category, Reverse(self.accepted.at))
    }
}

/// The acceptances of all tenants that a filter lets through, identity first,
/// then the newest.
///
/// Whether series of a control are exported does not matter: a choice of
/// series is no reason to hide a risk.
pub fn acceptances<'a>(
    tenants: &'a Tenants,
    filter: &Filter,
    now: Timestamp,
) -> Vec<Acceptance<'a>> {
    let controls = tenants.states.iter().flat_map(|tenant| {
        let controls = tenant.snapshot.controls.iter();
        controls.filter_map(|control| Acceptance::of(tenant, control))
    });
    let mut found: Vec<_> = controls.filter(|it| filter.lets_through(it, now)).collect();
    found.sort_by_key(Acceptance::rank);
    found
}
