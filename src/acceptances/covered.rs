//! What decisions cover now.

use super::approvable::{Approvable, approvables};
use crate::store::TenantState;
use secure_score_model::{Approval, Decision, DecisionPlace, DecisionState, Place, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// A declaration in force that a decision covers, also once it has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Covered<'a> {
    /// The tenant's alias.
    pub(super) tenant: &'a str,
    /// The control's id or the recommendation's name.
    pub(super) name: &'a str,
    /// Where it is declared.
    pub(super) place: Place,
    /// The state.
    pub(super) state: DecisionState,
    /// Whether an unexpired decision covers it.
    pub(super) is_approved: bool,
}

/// What each decision covers now.
pub(super) struct Coverage<'a> {
    by_place: HashMap<&'a DecisionPlace, Vec<(&'a Arc<Decision>, Covered<'a>)>>,
}

impl<'a> Coverage<'a> {
    /// The coverage on these tenants, in their order.
    pub(super) fn of(tenants: &'a [Arc<TenantState>], now: Timestamp) -> Self {
        let mut by_place: HashMap<&DecisionPlace, Vec<_>> = HashMap::new();
        for tenant in tenants {
            let alias = &*tenant.identity.alias;
            let all = approvables(&tenant.snapshot);
            for approvable in all.filter(|it| !it.decisions().is_empty()) {
                for (decision, covered) in of_approvable(alias, approvable, now) {
                    let known = by_place.entry(&decision.place).or_default();
                    known.push((decision, covered));
                }
            }
        }
        Self { by_place }
    }

    /// What one decision covers. During a reload, two of one place may differ.
    pub(super) fn by(&self, decision: &Decision) -> impl Iterator<Item = Covered<'a>> {
        let known = self.by_place.get(&decision.place);
        let known = known.map_or(&[][..], Vec::as_slice).iter();
        let own = known.filter(|(it, _)| ***it == *decision);
        own.map(|(_, covered)| *covered)
    }
}

fn of_approvable<'a>(
    tenant: &'a str,
    approvable: Approvable<'a>,
    now: Timestamp,
) -> Vec<(&'a Arc<Decision>, Covered<'a>)> {
    let judgement = approvable.judgement();
    let Some(state) = judgement.present().map(|it| it.state) else {
        return Vec::new();
    };
    let approval = judgement.present_approval(now);
    let covered = Covered {
        tenant,
        name: approvable.name(),
        place: approvable.place(),
        state,
        is_approved: approval.is_some_and(Approval::is_approved),
    };
    let covering = judgement.covering_present();
    covering.map(|it| (it, covered)).collect()
}
