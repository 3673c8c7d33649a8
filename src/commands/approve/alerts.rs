//! Which alerts a decision ends.

use crate::config::TenantRules;
use crate::store::TenantState;
use secure_score_model::{
    Approval, Control, ControlRules as _, Decision, DecisionState, History, Judgement,
    Recommendation, Timestamp,
};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// When `SecureScoreApprovalExpiring` fires.
const EXPIRING: Duration = Duration::from_secs(14 * DAY.as_secs());

/// How long `SecureScoreMitigationClaimed` fires.
const CLAIMED: Duration = Duration::from_secs(7 * DAY.as_secs());

/// What an edit changes about the controls or recommendations that its decision names.
pub(super) struct Effect<'a> {
    tenant: &'a str,
    /// The decision, as the configuration has it after the edit.
    decision: &'a Decision,
    is_expired: bool,
    changes: Vec<Change>,
}

/// One control or recommendation, before and after the edit.
struct Change {
    name: String,
    state: DecisionState,
    before: Option<&'static str>,
    after: Option<&'static str>,
    coverage: Coverage,
}

/// How the decision judges what is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coverage {
    Covered,
    /// The person who declared it approved it, which counts.
    SelfApproved,
    /// The person who declared it approved it, which approves nothing.
    SelfApprovalRefused,
    /// It would be covered, had the decision not expired.
    Expired,
    NotCovered,
}

impl<'a> Effect<'a> {
    /// `decision` is one of `rules`, which are those after the edit; `state` has those
    /// before.
    pub(super) fn of(
        decision: &'a Arc<Decision>,
        tenant: &'a str,
        state: &TenantState,
        rules: &TenantRules,
        now: Timestamp,
    ) -> Self {
        let is_it = |it: &Arc<Decision>| Arc::ptr_eq(it, decision);
        let controls = state.snapshot.controls.iter().filter_map(|before| {
            let decisions = rules.decisions_of(&before.id);
            decisions.iter().find(|it| is_it(it))?;
            let after = Control {
                decisions,
                ..before.clone()
            };
            let state = DecisionState::of_control(before.state()?)?;
            Some(Change {
                name: before.id.to_string(),
                state,
                before: alert_of_control(before, state, now),
                after: alert_of_control(&after, state, now),
                coverage: Coverage::of(decision, &after.judgement(), now),
            })
        });
        let recommendations = state.snapshot.recommendations.iter().filter_map(|before| {
            let decisions = rules.decisions_of_recommendation(&before.entry.name);
            decisions.iter().find(|it| is_it(it))?;
            let after = Recommendation {
                decisions,
                ..before.clone()
            };
            let state = DecisionState::of_recommendation(before.entry.status)?;
            Some(Change {
                name: before.entry.name.to_string(),
                state,
                before: alert_of_recommendation(before, state, now),
                after: alert_of_recommendation(&after, state, now),
                coverage: Coverage::of(decision, &after.judgement(), now),
            })
        });
        Self {
            tenant,
            decision,
            is_expired: decision.is_expired(now),
            changes: controls.chain(recommendations).collect(),
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let tenant = self.tenant;
        if self.changes.is_empty() {
            let subject = self.decision.subject();
            let later = match self.is_expired {
                true => String::new(),
                false => format!(": it approves the first one of {subject}"),
            };
            return vec![format!(
                "nothing that it approves is declared on {tenant} now{later}"
            )];
        }
        self.changes.iter().map(|it| it.line(tenant)).collect()
    }
}

impl Change {
    fn line(&self, tenant: &str) -> String {
        let Self { name, state, .. } = self;
        let effect = match (self.before, self.after) {
            (None, None) => "no alert of it fires".to_owned(),
            (Some(before), None) => format!("ends {before}"),
            (Some(before), Some(after)) if before == after => format!("{before} goes on"),
            (Some(before), Some(after)) => format!("ends {before}, and {after} begins"),
            (None, Some(after)) => format!("{after} begins"),
        };
        let judged = match self.coverage {
            Coverage::Covered => "",
            Coverage::SelfApproved => {
                " (self-approved: its approver is the person who declared it)"
            }
            Coverage::SelfApprovalRefused => {
                ", which this does not approve, since its approver is the person who declared it"
            }
            Coverage::Expired => ", which this approves no longer, since it has expired",
            Coverage::NotCovered => {
                ", which this does not cover; check --states, --accepted-by, --approved-on and --approver"
            }
        };
        format!("{name} is {state} on {tenant}{judged}: {effect}")
    }
}

impl Coverage {
    fn of(decision: &Arc<Decision>, judgement: &Judgement<'_>, now: Timestamp) -> Self {
        let is_it = |it: &Arc<Decision>| Arc::ptr_eq(it, decision);
        let is_self_approval = judgement.self_approvals(now).into_iter().any(is_it);
        match judgement.covering_present().any(is_it) {
            true if decision.is_expired(now) => Self::Expired,
            true if is_self_approval => Self::SelfApproved,
            true => Self::Covered,
            false if is_self_approval => Self::SelfApprovalRefused,
            false => Self::NotCovered,
        }
    }
}

/// The alert that fires about the state of a control. Those that the configuration
/// leaves out have no series, and so no alerts.
fn alert_of_control(
    control: &Control,
    state: DecisionState,
    now: Timestamp,
) -> Option<&'static str> {
    if !control.selected {
        return None;
    }
    let approval = control.judgement().present_approval(now)?;
    if state.is_claim() {
        let is_new = || {
            let since = control.history().and_then(History::state_since);
            since.is_some_and(|at| now < at.plus(CLAIMED))
        };
        return match control.is_sensitive() {
            _ if approval.is_approved() => None,
            true => Some("SecureScoreMitigationUnapproved"),
            false => is_new().then_some("SecureScoreMitigationClaimed"),
        };
    }
    match (state, approval) {
        (DecisionState::RiskAccepted, Approval::Approved(decision)) => {
            let is_soon = decision.expires <= now.plus(EXPIRING);
            is_soon.then_some("SecureScoreApprovalExpiring")
        }
        (DecisionState::RiskAccepted, Approval::Expired(_)) if !control.watched => {
            Some("SecureScoreApprovalExpired")
        }
        (DecisionState::RiskAccepted, _) => Some("SecureScoreRiskAccepted"),
        _ => None,
    }
}

/// The alert that fires about the status of a recommendation, likewise.
fn alert_of_recommendation(
    recommendation: &Recommendation,
    state: DecisionState,
    now: Timestamp,
) -> Option<&'static str> {
    let approval = recommendation.judgement().present_approval(now)?;
    if !recommendation.selected || approval.is_approved() {
        return None;
    }
    match state {
        _ if state.is_acceptance() => Some("SecureScoreRecommendationSetAside"),
        _ if state.is_claim() => Some("SecureScoreRecommendationClaimUnapproved"),
        _ => None,
    }
}
