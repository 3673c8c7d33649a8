//! What a decision can cover, in both places where a risk is accepted.

use secure_score_model::{
    Approval, Control, ControlState, Decision, Judgement, Place, Recommendation, TenantSnapshot,
    Timestamp,
};
use std::sync::Arc;

/// A control of Secure Score or a recommendation of Entra.
#[derive(Debug, Clone, Copy)]
pub(super) enum Approvable<'a> {
    Control(&'a Control),
    Recommendation(&'a Recommendation),
}

/// The controls and recommendations of a tenant.
pub(super) fn approvables(snapshot: &TenantSnapshot) -> impl Iterator<Item = Approvable<'_>> {
    let controls = snapshot.controls.iter().map(Approvable::Control);
    let recommendations = snapshot.recommendations.iter();
    controls.chain(recommendations.map(Approvable::Recommendation))
}

impl<'a> Approvable<'a> {
    pub(super) fn name(self) -> &'a Arc<str> {
        match self {
            Self::Control(control) => &control.id,
            Self::Recommendation(it) => &it.entry.name,
        }
    }

    pub(super) const fn place(self) -> Place {
        match self {
            Self::Control(_) => Place::SecureScore,
            Self::Recommendation(_) => Place::Entra,
        }
    }

    /// The decisions that name it, including expired ones.
    pub(super) fn decisions(self) -> &'a [Arc<Decision>] {
        match self {
            Self::Control(control) => &control.decisions,
            Self::Recommendation(it) => &it.decisions,
        }
    }

    /// Those that cover its newest acceptance, or would cover a first one.
    pub(super) fn covering(self) -> Vec<&'a Arc<Decision>> {
        match self {
            Self::Control(control) => control.covering(),
            Self::Recommendation(it) => it.covering(),
        }
    }

    /// Whether its risk is accepted, or it is dismissed or postponed.
    pub(super) fn is_accepted(self) -> bool {
        match self {
            Self::Control(control) => control.state() == Some(ControlState::RiskAccepted),
            Self::Recommendation(it) => it.is_set_aside(),
        }
    }

    /// What was declared about it, judged by the decisions that name it.
    pub(super) fn judgement(self) -> Judgement<'a> {
        match self {
            Self::Control(control) => control.judgement(),
            Self::Recommendation(it) => it.judgement(),
        }
    }

    /// The configured approval of its newest acceptance.
    pub(super) fn approval(self, now: Timestamp) -> Approval<'a> {
        match self {
            Self::Control(control) => control.approval(now),
            Self::Recommendation(it) => it.approval(now),
        }
    }
}
