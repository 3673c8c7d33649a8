//! What a decision covers now.

use super::approvable::{Approvable, approvables};
use crate::store::{TenantState, Tenants};
use secure_score_model::{Approval, Decision, DecisionState, Place, Timestamp};
use std::sync::Arc;

/// A declaration in force that a decision covers, also once it has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covered<'a> {
    /// The tenant's alias.
    pub tenant: &'a str,
    /// The control's id or the recommendation's name.
    pub name: &'a str,
    /// Where it is declared.
    pub place: Place,
    /// The state.
    pub state: DecisionState,
    /// Whether an unexpired decision covers it.
    pub is_approved: bool,
}

/// What a decision of the configuration covers now.
pub fn covered_now<'a>(
    decision: &Arc<Decision>,
    tenants: &'a Tenants,
    now: Timestamp,
) -> Vec<Covered<'a>> {
    let states = tenants.states.iter();
    states
        .flat_map(|tenant| of_tenant(decision, tenant, now))
        .collect()
}

fn of_tenant<'a>(
    decision: &Arc<Decision>,
    tenant: &'a TenantState,
    now: Timestamp,
) -> Vec<Covered<'a>> {
    let covered = approvables(&tenant.snapshot).filter_map(|it| {
        let judgement = it.judgement();
        let state = judgement.present()?.state;
        let mut covering = judgement.covering_present();
        let is_covered = covering.any(|other| Arc::ptr_eq(other, decision));
        let approval = judgement.present_approval(now);
        is_covered.then(|| Covered {
            tenant: &tenant.identity.alias,
            name: it.name(),
            place: match it {
                Approvable::Control(_) => Place::SecureScore,
                Approvable::Recommendation(_) => Place::Entra,
            },
            state,
            is_approved: approval.is_some_and(Approval::is_approved),
        })
    });
    covered.collect()
}
