//! An accepted risk, in Secure Score or in Entra.

use super::StateChange;
use super::approvable::Approvable;
use crate::store::TenantState;
use secure_score_model::{
    Approval, CatalogueEntry, Category, Control, DecisionState, Place, Points, Recommendation,
    Timestamp,
};
use std::cmp::Reverse;

/// What a row of the register is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A risk that was accepted at least once.
    Acceptance,
    /// A declaration, in force now, that the measure is solved by other means.
    Claim,
}

impl Kind {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acceptance => "acceptance",
            Self::Claim => "claim",
        }
    }
}

/// A risk of a tenant that was accepted at least once: of a control in Secure
/// Score, or of a recommendation in Entra, where to dismiss and to postpone it
/// count too.
///
/// The newest acceptance counts, in force or withdrawn. A control and the
/// recommendation of its name are two acceptances.
///
/// A claim, for which Microsoft gives all points without proof, is one too, of its
/// own kind.
#[derive(Debug, Clone)]
pub struct Acceptance<'a> {
    /// The tenant.
    pub tenant: &'a TenantState,
    source: Approvable<'a>,
    /// Whether it is an acceptance or a claim.
    pub kind: Kind,
    /// Graph's id of the control; the recommendation's name, where no control of
    /// Secure Score has that name.
    pub control: &'a str,
    /// The recommendation's name; of a control, that of the same recommendation.
    pub recommendation: Option<&'a str>,
    /// The title in the portal.
    pub title: &'a str,
    /// The area in which it counts: of the control, else identity.
    pub category: Category,
    /// The present state or status as a label's word.
    pub state: &'static str,
    /// The newest acceptance: who, when and why.
    pub accepted: StateChange<'a>,
    /// Whether the risk is accepted now; `None` if the state is unknown.
    pub risk_accepted: Option<bool>,
    /// The change that ended it. After a withdrawal and an unknown state it is
    /// not in force, but the risk may be accepted anew.
    pub withdrawal: Option<StateChange<'a>>,
    /// Until when a recommendation is postponed.
    pub postponed_until: Option<Timestamp>,
    /// What it costs now: nothing once withdrawn, otherwise the maximum less the
    /// score. Unknown where either is, or the state.
    pub points_lost: Option<Points>,
    /// What a claim gives: the maximum, where the tenant is scored on it.
    pub points_claimed: Option<Points>,
    /// Whether the tenant is scored on it; unknown without a report.
    pub is_scored: Option<bool>,
    /// The day of the report that scores the control.
    pub report_as_of: Option<Timestamp>,
    /// Whether it is on the watch list.
    pub is_watched: bool,
    /// Whether Microsoft has withdrawn the control.
    pub is_deprecated: bool,
    /// The state in the other place as a label's word, where that has it.
    pub other_place_state: Option<&'static str>,
    /// Whether it is accepted in one place and open in the other; `None` where
    /// it has one place only, or a state is unknown.
    pub disagrees: Option<bool>,
}

impl<'a> Acceptance<'a> {
    /// The newest acceptance of each control and recommendation of a tenant.
    pub(super) fn of_tenant(tenant: &'a TenantState) -> impl Iterator<Item = Self> + Clone {
        let controls = tenant.snapshot.controls.iter();
        let controls = controls.filter_map(|it| Self::of_control(tenant, it));
        let recommendations = tenant.snapshot.recommendations.iter();
        let recommendations = recommendations.filter_map(|it| Self::of_recommendation(tenant, it));
        controls.chain(recommendations)
    }

    /// The claims of a tenant that are in force.
    pub(super) fn claims_of_tenant(tenant: &'a TenantState) -> impl Iterator<Item = Self> + Clone {
        let controls = tenant.snapshot.controls.iter();
        let controls = controls.filter_map(|it| Self::claim_of_control(tenant, it));
        let recommendations = tenant.snapshot.recommendations.iter();
        let recommendations =
            recommendations.filter_map(|it| Self::claim_of_recommendation(tenant, it));
        controls.chain(recommendations)
    }

    /// The newest acceptance of a control.
    fn of_control(tenant: &'a TenantState, control: &'a Control) -> Option<Self> {
        let entry = control.entry.as_deref()?;
        let accepted = entry.history.last_acceptance()?;
        let risk_accepted = entry.history.risk_accepted();
        Some(Self {
            risk_accepted,
            withdrawal: entry.history.withdrawal().map(StateChange::from),
            points_lost: points_lost(risk_accepted, control.points_to_gain()),
            ..Self::row_of_control(tenant, control, entry, accepted.into())
        })
    }

    /// The claim about a control.
    fn claim_of_control(tenant: &'a TenantState, control: &'a Control) -> Option<Self> {
        let entry = control.entry.as_deref().filter(|_| control.is_claimed())?;
        let claimed = entry.history.changes().last()?;
        Some(Self {
            kind: Kind::Claim,
            points_claimed: control.max_score().filter(|_| control.score.is_some()),
            ..Self::row_of_control(tenant, control, entry, claimed.into())
        })
    }

    /// What is the same of an acceptance and a claim.
    fn row_of_control(
        tenant: &'a TenantState,
        control: &'a Control,
        entry: &'a CatalogueEntry,
        accepted: StateChange<'a>,
    ) -> Self {
        let report = tenant.snapshot.report.as_ref();
        let recommendation = tenant.snapshot.recommendation_of(&control.id);
        Self {
            tenant,
            source: Approvable::Control(control),
            kind: Kind::Acceptance,
            control: &control.id,
            recommendation: recommendation.map(|it| &*it.entry.name),
            title: &entry.title,
            category: control.category,
            state: entry.history.state().as_str(),
            accepted,
            risk_accepted: Some(false),
            withdrawal: None,
            postponed_until: None,
            points_lost: Some(Points::ZERO),
            points_claimed: None,
            is_scored: report.map(|_| control.score.is_some()),
            report_as_of: report.and_then(|it| it.as_of),
            is_watched: control.watched,
            is_deprecated: entry.deprecated,
            other_place_state: recommendation.map(|it| it.entry.status.as_str()),
            disagrees: recommendation.and_then(Recommendation::disagrees),
        }
    }

    /// The newest acceptance of a recommendation, by the statuses that were seen.
    fn of_recommendation(
        tenant: &'a TenantState,
        recommendation: &'a Recommendation,
    ) -> Option<Self> {
        let Recommendation { entry, history, .. } = recommendation;
        let set_aside = entry.status.sets_aside();
        let seen = history.last_set_aside().map(StateChange::from);
        let present = (set_aside == Some(true)).then(|| StateChange::present(entry));
        let accepted = seen.or(present)?;
        let ended = history.withdrawal().map(StateChange::from);
        let withdrawal = match set_aside {
            Some(true) => None,
            Some(false) => ended.or(Some(StateChange::present(entry))),
            None => ended,
        };
        Some(Self {
            risk_accepted: set_aside,
            withdrawal,
            points_lost: points_lost(set_aside, entry.points_to_gain()),
            ..Self::row_of_recommendation(tenant, recommendation, accepted)
        })
    }

    /// The claim about a recommendation.
    fn claim_of_recommendation(
        tenant: &'a TenantState,
        recommendation: &'a Recommendation,
    ) -> Option<Self> {
        if !recommendation.is_claimed() {
            return None;
        }
        let entry = &recommendation.entry;
        let seen = recommendation.changed().map(StateChange::from);
        let claimed = seen.unwrap_or_else(|| StateChange::present(entry));
        Some(Self {
            kind: Kind::Claim,
            points_claimed: entry.max_score,
            ..Self::row_of_recommendation(tenant, recommendation, claimed)
        })
    }

    fn row_of_recommendation(
        tenant: &'a TenantState,
        recommendation: &'a Recommendation,
        accepted: StateChange<'a>,
    ) -> Self {
        let entry = &recommendation.entry;
        let control = recommendation.control.as_deref();
        Self {
            tenant,
            source: Approvable::Recommendation(recommendation),
            kind: Kind::Acceptance,
            control: control.unwrap_or(&entry.name),
            recommendation: Some(&entry.name),
            title: &entry.title,
            category: tenant.snapshot.category_of(recommendation),
            state: entry.status.as_str(),
            accepted,
            risk_accepted: Some(false),
            withdrawal: None,
            postponed_until: entry.postponed_until,
            points_lost: Some(Points::ZERO),
            points_claimed: None,
            is_scored: Some(entry.max_score.is_some()),
            report_as_of: None,
            is_watched: recommendation.watched,
            is_deprecated: false,
            other_place_state: recommendation.control_state.map(|it| it.as_str()),
            disagrees: recommendation.disagrees(),
        }
    }

    /// Where it is accepted.
    pub fn place(&self) -> Place {
        self.source.place()
    }

    /// The control with its score, where it is accepted in Secure Score.
    pub fn scored_control(&self) -> Option<&'a Control> {
        match self.source {
            Approvable::Control(control) => Some(control),
            Approvable::Recommendation(_) => None,
        }
    }

    /// Whether it was not withdrawn.
    pub fn is_in_force(&self) -> bool {
        self.withdrawal.is_none()
    }

    /// The configured approval.
    pub fn approval(&self, now: Timestamp) -> Approval<'a> {
        match self.kind {
            Kind::Acceptance => self.source.approval(now),
            Kind::Claim => {
                let approval = self.source.judgement().present_approval(now);
                approval.unwrap_or(Approval::Missing)
            }
        }
    }

    /// The present state as a decision can approve it, while it is in force.
    pub fn decision_state(&self) -> Option<DecisionState> {
        self.state.parse().ok().filter(|_| self.is_in_force())
    }

    /// Whether the person who declared it is the only one who approved it; `None`
    /// where it is over, or no unexpired decision names it.
    pub fn is_self_approved(&self, now: Timestamp) -> Option<bool> {
        self.decision_state()?;
        self.source.judgement().is_self_approved(now)
    }

    /// Whether its comment gives a reason; `None` in Entra, which has no comments.
    pub fn has_reason(&self) -> Option<bool> {
        let minimum = self.tenant.snapshot.minimum_reason;
        let has_reason = minimum.is_met_by(self.accepted.comment);
        (self.place() == Place::SecureScore).then_some(has_reason)
    }

    /// Every change of the state, oldest first; of a recommendation, those that
    /// the exporter saw.
    pub fn changes(&self) -> Vec<StateChange<'a>> {
        match self.source {
            Approvable::Control(control) => control_changes(control),
            Approvable::Recommendation(recommendation) => recommendation_changes(recommendation),
        }
    }

    /// The same without the status with which Microsoft listed a recommendation.
    pub(crate) fn status_changes(&self) -> Vec<StateChange<'a>> {
        match self.source {
            Approvable::Control(control) => control_changes(control),
            Approvable::Recommendation(recommendation) => status_changes(recommendation),
        }
    }

    /// Whether it is of the control or the recommendation of this name, in any
    /// case.
    pub(super) fn has_name(&self, name: &str) -> bool {
        let names = [Some(self.control), self.recommendation];
        let mut names = names.into_iter().flatten();
        names.any(|it| it.eq_ignore_ascii_case(name))
    }

    /// Identity first, since its controls protect all others; then the newest.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        (self.category, Reverse(self.accepted.at))
    }
}

/// Every change of a control's state, oldest first.
pub(crate) fn control_changes(control: &Control) -> Vec<StateChange<'_>> {
    let history = control.history();
    let changes = history.map_or(&[][..], |history| history.changes());
    changes.iter().map(StateChange::from).collect()
}

/// Every change of a recommendation's status that was seen, oldest first.
pub(crate) fn recommendation_changes(recommendation: &Recommendation) -> Vec<StateChange<'_>> {
    let changes = recommendation.history.changes();
    changes.iter().map(StateChange::from).collect()
}

/// The same without the status with which Microsoft listed it.
pub(crate) fn status_changes(recommendation: &Recommendation) -> Vec<StateChange<'_>> {
    let mut changes = recommendation_changes(recommendation);
    if recommendation.history.begins_as_listed() {
        changes.remove(0);
    }
    changes
}

/// What an acceptance costs; nothing once withdrawn.
fn points_lost(risk_accepted: Option<bool>, points_to_gain: Option<Points>) -> Option<Points> {
    match risk_accepted? {
        true => points_to_gain,
        false => Some(Points::ZERO),
    }
}
