//! A control in documents for other programs.

use super::control_changes;
use super::record::{ApprovalRecord, ChangeRecord, action_url, implementation_status};
use crate::serde_time::Rfc3339;
use secure_score_model::{Control, Persons, Points, Timestamp};
use serde::Serialize;
use std::borrow::Cow;
use std::num::NonZeroUsize;

/// One control of a tenant with its description, points and declarations.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ControlRecord<'a> {
    /// The control's id (Graph: `id`).
    pub(crate) control: &'a str,
    /// Its title in the portal; null for a scored control that is not listed.
    pub(crate) title: Option<&'a str>,
    pub(crate) category: &'static str,
    /// Its current state; null for a control that is not listed.
    pub(crate) state: Option<&'static str>,
    pub(crate) state_since: Option<Rfc3339>,
    /// Whether its risk is accepted now; null where the state is unknown.
    pub(crate) risk_accepted: Option<bool>,
    /// Whether its risk was accepted in any state within the lookback; null
    /// where that is unknown.
    pub(crate) risk_accepted_in_lookback: Option<bool>,
    /// How often its risk was accepted; null where that is unknown.
    pub(crate) acceptances: Option<usize>,
    pub(crate) last_accepted_at: Option<Rfc3339>,
    /// Who accepted it last, as far as shown.
    pub(crate) accepted_by: Option<Cow<'a, str>>,
    pub(crate) comment: Option<&'a str>,
    /// Whether an unexpired decision covers that acceptance; null where it is
    /// not known whether there is one.
    pub(crate) approved: Option<bool>,
    /// The decision that covers it, valid or expired.
    pub(crate) approval: ApprovalRecord<'a>,
    /// Points reached; null where the tenant is not scored on it.
    pub(crate) score: Option<f64>,
    pub(crate) max_score: Option<f64>,
    /// Points to gain, where the tenant is scored on it.
    pub(crate) points_to_gain: Option<f64>,
    pub(crate) watched: bool,
    /// Its progress in Microsoft's words.
    pub(crate) implementation_status: Option<&'a str>,
    /// Where an administrator can fix it; http and https only.
    pub(crate) action_url: Option<&'a str>,
    pub(crate) product: Option<&'a str>,
    /// How close to the core of security it is.
    pub(crate) tier: Option<&'static str>,
    /// How much users will notice it.
    pub(crate) user_impact: Option<&'static str>,
    pub(crate) implementation_cost: Option<&'static str>,
    /// Whether Microsoft has withdrawn it.
    pub(crate) deprecated: Option<bool>,
    /// Every change of its state that Graph lists, oldest first.
    pub(crate) history: Option<Vec<ChangeRecord<'a>>>,
}

impl<'a> ControlRecord<'a> {
    /// A control at a time, with names and comments as far as shown.
    pub(crate) fn new(
        control: &'a Control,
        lookback: NonZeroUsize,
        persons: &Persons,
        now: Timestamp,
    ) -> Self {
        let entry = control.entry.as_deref();
        let declared = entry.map(|it| &it.history);
        let accepted = declared.and_then(|it| it.last_acceptance());
        let approval = control.approval(now);
        let is_accepted = declared.and_then(|it| it.risk_accepted());
        let no_approval = is_accepted.map(|_| false);
        let approved = accepted.map_or(no_approval, |_| Some(approval.is_approved()));
        let approval = ApprovalRecord::new(approval, persons);
        Self {
            control: &control.id,
            title: entry.map(|it| &*it.title),
            category: control.category.as_str(),
            state: control.state().map(|it| it.as_str()),
            state_since: declared.and_then(|it| it.state_since()).map(Rfc3339),
            risk_accepted: is_accepted,
            risk_accepted_in_lookback: declared.and_then(|it| it.accepted_within(lookback.get())),
            acceptances: declared.and_then(|it| it.acceptances()),
            last_accepted_at: accepted.and_then(|it| it.at).map(Rfc3339),
            accepted_by: persons.name(accepted.and_then(|it| it.by.as_deref())),
            comment: persons.comment(accepted.and_then(|it| it.comment.as_deref())),
            approved,
            approval: ApprovalRecord {
                status: approval.status.filter(|_| approved.is_some()),
                ..approval
            },
            score: control.score.as_ref().map(|it| it.score.get()),
            max_score: control.max_score().map(Points::get),
            points_to_gain: control.points_to_gain().map(Points::get),
            watched: control.watched,
            implementation_status: implementation_status(control),
            action_url: action_url(control),
            product: entry.map(|it| &*it.product),
            tier: entry.map(|it| it.tier.as_str()),
            user_impact: entry.map(|it| it.user_impact.as_str()),
            implementation_cost: entry.map(|it| it.implementation_cost.as_str()),
            deprecated: entry.map(|it| it.deprecated),
            history: declared.map(|_| ChangeRecord::all(&control_changes(control), persons)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ControlState::{RiskAccepted, ToAddress, Unknown};
    use secure_score_model::{CatalogueEntry, Category, ControlState, StateUpdate};

    /// The fields about acceptances: now, in the newest two states, how often,
    /// and whether approved.
    fn acceptance_fields(
        control: &Control,
    ) -> (Option<bool>, Option<bool>, Option<usize>, Option<bool>) {
        let two = NonZeroUsize::MIN.saturating_add(1);
        let now = Timestamp::from_seconds(100);
        let record = ControlRecord::new(control, two, &Persons::Plain, now);
        let has_status = record.approval.status.is_some();
        assert_eq!(has_status, record.approved.is_some(), "{record:?}");
        (
            record.risk_accepted,
            record.risk_accepted_in_lookback,
            record.acceptances,
            record.approved,
        )
    }

    fn declared(states: &[ControlState]) -> Control {
        let updates = states.iter().zip(1..).map(|(state, at)| StateUpdate {
            at: Some(Timestamp::from_seconds(at)),
            ..StateUpdate::new(*state)
        });
        Control::listed(CatalogueEntry {
            history: updates.collect::<Vec<_>>().into(),
            ..CatalogueEntry::new("A")
        })
    }

    #[test]
    fn what_is_not_known_is_null() {
        let (yes, no) = (Some(true), Some(false));
        for (states, expected) in [
            (&[][..], (no, no, Some(0), no)),
            (&[ToAddress], (no, no, Some(0), no)),
            (&[RiskAccepted], (yes, yes, Some(1), no)),
            (&[Unknown], (None, None, None, None)),
            (&[Unknown, ToAddress], (no, None, None, no)),
            (
                &[RiskAccepted, ToAddress, Unknown],
                (None, None, Some(1), no),
            ),
        ] {
            assert_eq!(acceptance_fields(&declared(states)), expected, "{states:?}");
        }
    }

    #[test]
    fn of_a_control_that_is_not_listed_nothing_is_known() {
        let unlisted = Control::new("A", Category::Identity);
        assert_eq!(acceptance_fields(&unlisted), (None, None, None, None));
        let now = Timestamp::from_seconds(100);
        let record = ControlRecord::new(&unlisted, NonZeroUsize::MIN, &Persons::Plain, now);
        assert_eq!((record.state, record.deprecated), (None, None));
        assert!(record.history.is_none());
    }
}
