//! An accepted risk.

use crate::store::TenantState;
use secure_score_model::{Approval, CatalogueEntry, Control, Points, StateUpdate, Timestamp};
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

/// What an accepted risk costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PointsLost {
    /// All points of the control: an accepted risk earns none.
    All(Points),
    /// None: the tenant is not scored on the control.
    NotScored,
    /// Unknown, like the control's maximum.
    Unknown,
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

    /// Whether the risk is accepted now.
    pub fn is_in_force(&self) -> bool {
        self.withdrawal().is_none()
    }

    /// The change that ended it.
    pub fn withdrawal(&self) -> Option<&'a StateUpdate> {
        self.entry.history.withdrawal()
    }

    /// The configured approval.
    pub fn approval(&self, now: Timestamp) -> Approval<'a> {
        self.control.approval(now)
    }

    /// What it costs while it is in force.
    pub fn points_lost(&self) -> PointsLost {
        match (&self.control.score, self.control.max_score()) {
            (None, _) => PointsLost::NotScored,
            (Some(_), None) => PointsLost::Unknown,
            (Some(_), Some(max)) => PointsLost::All(max),
        }
    }

    /// Identity first, since its controls protect all others; then the newest.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        (self.control.category, Reverse(self.accepted.at))
    }
}
