//! Which alerts a decision ends.

use crate::config::TenantRules;
use crate::decision_file::NewDecision;
use crate::store::TenantState;
use secure_score_model::{
    Approval, Control, ControlRules as _, DecisionState, Judgement, Recommendation, Timestamp,
};
use std::time::Duration;

/// When `SecureScoreApprovalExpiring` fires.
const EXPIRING: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What a decision changes about its control or recommendation.
pub(super) struct Effect<'a> {
    decision: &'a NewDecision,
    /// What it names on the tenant.
    changes: Vec<Change>,
}

/// One control or recommendation.
struct Change {
    name: String,
    state: DecisionState,
    /// The alert that fires without the decision.
    ends: Option<&'static str>,
    /// Whether the decision covers the state.
    is_covered: bool,
    is_self_approved: bool,
}

impl<'a> Effect<'a> {
    pub(super) fn of(
        decision: &'a NewDecision,
        state: &TenantState,
        rules: &TenantRules,
        now: Timestamp,
    ) -> Self {
        let changes: Vec<Change> = match decision.is_recommendation {
            true => {
                let all = state.snapshot.recommendations.iter();
                all.filter_map(|it| of_recommendation(decision, it, rules, now))
                    .collect()
            }
            false => {
                let all = state.snapshot.controls.iter();
                all.filter_map(|it| of_control(decision, it, rules, now))
                    .collect()
            }
        };
        Self { decision, changes }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let NewDecision {
            tenant, subject, ..
        } = self.decision;
        if self.changes.is_empty() {
            return vec![format!(
                "nothing that it approves is declared on {tenant} now: it approves the first one of {subject}"
            )];
        }
        self.changes.iter().map(|it| it.line(tenant)).collect()
    }
}

impl Change {
    /// What the decision changes, where this is judged with it.
    fn new(
        decision: &NewDecision,
        name: &str,
        state: DecisionState,
        ends: Option<&'static str>,
        after: &Judgement<'_>,
        now: Timestamp,
    ) -> Self {
        Self {
            name: name.to_owned(),
            state,
            ends,
            is_covered: covers(decision, after, now),
            is_self_approved: is_self_approval(decision, after, now),
        }
    }

    fn line(&self, tenant: &str) -> String {
        let Self { name, state, .. } = self;
        let subject = format!("{name} is {state} on {tenant}");
        match (self.is_covered, self.ends) {
            (false, _) if self.is_self_approved => format!(
                "{subject}, and stays unapproved: its approver is the person who declared it"
            ),
            (false, _) => format!(
                "{subject}, which this does not cover; check --states, --accepted-by and --approved-on"
            ),
            (true, None) => format!("{subject}: no alert of it fires"),
            (true, Some(alert)) => format!("{subject}: ends {alert}"),
        }
    }
}

fn of_control(
    decision: &NewDecision,
    control: &Control,
    rules: &TenantRules,
    now: Timestamp,
) -> Option<Change> {
    if !decision.names(&control.id) {
        return None;
    }
    let state = DecisionState::of_control(control.state()?)?;
    let approval = control.judgement().present_approval(now)?;
    let ends = match (state, approval) {
        _ if is_settled(approval, now) => None,
        (_, Approval::Approved(_)) => Some("SecureScoreApprovalExpiring"),
        (DecisionState::RiskAccepted, Approval::Expired(_)) if !control.watched => {
            Some("SecureScoreApprovalExpired")
        }
        (DecisionState::RiskAccepted, _) => Some("SecureScoreRiskAccepted"),
        _ if state.is_claim() && control.is_sensitive() => Some("SecureScoreMitigationUnapproved"),
        _ if state.is_claim() => Some("SecureScoreMitigationClaimed"),
        _ => None,
    };
    let after = Control {
        decisions: rules.decisions_of(&control.id),
        ..control.clone()
    };
    Some(Change::new(
        decision,
        &control.id,
        state,
        ends,
        &after.judgement(),
        now,
    ))
}

fn of_recommendation(
    decision: &NewDecision,
    recommendation: &Recommendation,
    rules: &TenantRules,
    now: Timestamp,
) -> Option<Change> {
    let entry = &recommendation.entry;
    if !decision.names(&entry.name) {
        return None;
    }
    let state = DecisionState::of_recommendation(entry.status)?;
    let approval = recommendation.judgement().present_approval(now)?;
    let ends = match approval.is_approved() {
        true => None,
        false if state.is_acceptance() => Some("SecureScoreRecommendationSetAside"),
        false if state.is_claim() => Some("SecureScoreRecommendationClaimUnapproved"),
        false => None,
    };
    let after = Recommendation {
        decisions: rules.decisions_of_recommendation(&entry.name),
        ..recommendation.clone()
    };
    Some(Change::new(
        decision,
        &entry.name,
        state,
        ends,
        &after.judgement(),
        now,
    ))
}

fn covers(new: &NewDecision, judgement: &Judgement<'_>, now: Timestamp) -> bool {
    let mut covering = judgement.covering_present();
    covering.any(|it| *it.reference == *new.reference && !it.is_expired(now))
}

fn is_self_approval(new: &NewDecision, judgement: &Judgement<'_>, now: Timestamp) -> bool {
    let self_approvals = judgement.self_approvals(now);
    let mut references = self_approvals.iter().map(|it| &*it.reference);
    references.any(|it| it == new.reference)
}

/// Whether it is approved for longer than an alert waits for.
fn is_settled(approval: Approval<'_>, now: Timestamp) -> bool {
    match approval {
        Approval::Approved(decision) => decision.expires > now.plus(EXPIRING),
        Approval::Expired(_) | Approval::Missing => false,
    }
}
