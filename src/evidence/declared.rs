//! What people declared about controls and recommendations.

use super::Period;
use crate::acceptances::record::ApprovalRecord;
use crate::acceptances::{StateChange, control_changes, recommendation_changes};
use crate::serde_time::Rfc3339;
use secure_score_model::{
    Approval, Category, Control, ControlState, Decision, DecisionState, Declaration, MinimumReason,
    Persons, Place, Recommendation, RecommendationStatus, TenantSnapshot, Timestamp,
};
use serde::Serialize;
use std::borrow::Cow;
use std::sync::Arc;

/// One declaration: who set which state, when and why, until when, and with which
/// approval.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DeclaredRecord<'a> {
    /// Where it was declared.
    #[serde(rename = "where")]
    pub(crate) place: Place,
    /// Graph's id of the control, or the name of the recommendation.
    pub(crate) control: &'a str,
    /// The title in the portal.
    pub(crate) title: &'a str,
    pub(crate) category: &'static str,
    pub(crate) watched: bool,
    pub(crate) state: DecisionState,
    pub(crate) at: Option<Rfc3339>,
    /// Whether Graph says when; otherwise it was at that time or before.
    pub(crate) at_exact: Option<bool>,
    /// Who declared it, as far as shown.
    pub(crate) by: Option<Cow<'a, str>>,
    pub(crate) comment: Option<&'a str>,
    /// Whether the comment is a reason, also where it is not shown; null in Entra,
    /// which has no comments.
    pub(crate) reason_given: Option<bool>,
    /// When another state replaced it.
    pub(crate) ended_at: Option<Rfc3339>,
    pub(crate) ended_by: Option<Cow<'a, str>>,
    /// The state that replaced it.
    pub(crate) ended_with: Option<&'static str>,
    /// Whether its approver is the person who declared it; null without a decision.
    pub(crate) self_approved: Option<bool>,
    /// The decision that covers it at the end of the period, or when it ended; the
    /// status is null for what is planned without one.
    pub(crate) approval: ApprovalRecord<'a>,
}

/// The declarations of a tenant, by their place in the period.
#[derive(Debug, Default)]
pub(super) struct Declared<'a> {
    /// Those of the period.
    pub(super) decided: Vec<DeclaredRecord<'a>>,
    /// The acceptances and claims that ended in it.
    pub(super) withdrawn: Vec<DeclaredRecord<'a>>,
    /// Those of before that were in force at its end, and those without a time, which
    /// may be later.
    pub(super) standing: Vec<DeclaredRecord<'a>>,
}

/// A control or a recommendation with its declarations.
struct Subject<'a> {
    control: &'a str,
    title: &'a str,
    category: Category,
    watched: bool,
    place: Place,
    declarations: Vec<Declaration<'a>>,
    changes: Vec<StateChange<'a>>,
    decisions: &'a [Arc<Decision>],
    /// The present state; unknown where Graph's word cannot be read.
    present: PresentState,
}

/// The present state of a control or a recommendation.
enum PresentState {
    Declared(DecisionState),
    Other,
    Unknown,
}

/// How a document shows declarations.
pub(super) struct Shown<'s> {
    pub(super) period: &'s Period,
    pub(super) persons: &'s Persons,
    pub(super) now: Timestamp,
}

impl<'a> Declared<'a> {
    /// The declarations of a tenant, the newest first.
    pub(super) fn of(snapshot: &'a TenantSnapshot, shown: &Shown<'_>) -> Self {
        let controls = snapshot.controls.iter().filter_map(Subject::of_control);
        let recommendations = snapshot.recommendations.iter();
        let recommendations = recommendations.map(|it| Subject::of_recommendation(snapshot, it));
        let mut declared = Self::default();
        for subject in controls.chain(recommendations) {
            declared.add(&subject, snapshot.minimum_reason, shown);
        }
        for list in [
            &mut declared.decided,
            &mut declared.withdrawn,
            &mut declared.standing,
        ] {
            list.sort_by_key(|it| std::cmp::Reverse(it.at.map(|at| at.0)));
        }
        declared
    }

    fn add(&mut self, subject: &Subject<'a>, minimum: MinimumReason, shown: &Shown<'_>) {
        let period = shown.period;
        for (index, declaration) in subject.declarations.iter().enumerate() {
            let begins = declaration.at.is_some_and(|at| period.contains(at));
            let is_before = declaration.at.is_none_or(|at| at < period.from);
            let ends = declaration.ended_at.is_some_and(|at| period.contains(at));
            let is_last = index + 1 == subject.declarations.len();
            let stands = is_before
                && match declaration.ended_at {
                    Some(at) => at >= period.end,
                    // It may have ended at a time that is not known.
                    None => is_last && subject.present.may_be(declaration.state),
                };
            let record = || subject.record(index, *declaration, minimum, shown);
            if begins {
                self.decided.push(record());
            }
            if ends && (declaration.is_acceptance() || declaration.is_claim()) {
                self.withdrawn.push(record());
            }
            if stands {
                self.standing.push(record());
            }
        }
    }
}

impl PresentState {
    fn of(declared: Option<DecisionState>) -> Self {
        declared.map_or(Self::Other, Self::Declared)
    }

    /// Whether a declaration of this state may be in force.
    fn may_be(&self, state: DecisionState) -> bool {
        match self {
            Self::Declared(present) => *present == state,
            Self::Other => false,
            Self::Unknown => true,
        }
    }
}

impl<'a> Subject<'a> {
    fn of_control(control: &'a Control) -> Option<Self> {
        let entry = control.entry.as_deref()?;
        Some(Self {
            control: &control.id,
            title: &entry.title,
            category: control.category,
            watched: control.watched,
            place: Place::SecureScore,
            declarations: entry.history.declarations(),
            changes: control_changes(control),
            decisions: &control.decisions,
            present: match entry.history.state() {
                ControlState::Unknown => PresentState::Unknown,
                state => PresentState::of(DecisionState::of_control(state)),
            },
        })
    }

    fn of_recommendation(snapshot: &TenantSnapshot, it: &'a Recommendation) -> Self {
        Self {
            control: &it.entry.name,
            title: &it.entry.title,
            category: snapshot.category_of(it),
            watched: it.watched,
            place: Place::Entra,
            declarations: it.history.declarations(),
            changes: recommendation_changes(it),
            decisions: &it.decisions,
            present: match it.entry.status {
                RecommendationStatus::Unknown => PresentState::Unknown,
                status => PresentState::of(DecisionState::of_recommendation(status)),
            },
        }
    }

    fn record(
        &self,
        index: usize,
        declaration: Declaration<'a>,
        minimum: MinimumReason,
        shown: &Shown<'_>,
    ) -> DeclaredRecord<'a> {
        let Shown {
            period,
            persons,
            now,
        } = shown;
        let state = declaration.state.as_str();
        let mut changes = self.changes.iter();
        let change = changes.find(|it| it.at == declaration.at && it.state == state);
        let end_at = declaration.ended_at;
        let end = changes.find(|it| end_at.is_some() && it.at == end_at && it.state != state);
        let comment = change.and_then(|it| it.comment);
        // What ended was approved while it was in force.
        let last_time = period.last_time(*now);
        let judged_at = end_at.map_or(last_time, |at| at.just_before().min(last_time));
        let covering = self.decisions.iter().filter(|it| {
            let is_given = it.approved_on.is_none_or(|day| day <= judged_at);
            is_given && it.covers(index, &self.declarations)
        });
        let approval = Approval::of(covering.map(AsRef::as_ref), judged_at);
        let is_planned = declaration.state == DecisionState::Planned;
        let needs_none = is_planned && approval.decision().is_none();
        let record = ApprovalRecord::new(approval, persons);
        DeclaredRecord {
            place: self.place,
            control: self.control,
            title: self.title,
            category: self.category.as_str(),
            watched: self.watched,
            state: declaration.state,
            at: declaration.at.map(Rfc3339),
            at_exact: declaration.at.and(change).map(|it| it.is_exact),
            by: persons.name(declaration.by),
            comment: persons.comment(comment),
            reason_given: (self.place == Place::SecureScore).then(|| minimum.is_met_by(comment)),
            ended_at: declaration.ended_at.map(Rfc3339),
            ended_by: persons.name(end.and_then(|it| it.by)),
            ended_with: end.map(|it| it.state),
            self_approved: approval
                .decision()
                .map(|it| it.is_self_approval_of(&declaration)),
            approval: ApprovalRecord {
                status: record.status.filter(|_| !needs_none),
                ..record
            },
        }
    }
}
