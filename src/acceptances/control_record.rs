//! A control in documents for other programs.

use super::record::{ApprovalRecord, ChangeRecord, action_url, history, implementation_status};
use crate::serde_time::Rfc3339;
use secure_score_model::{CatalogueEntry, Control, Persons, Points, Timestamp};
use serde::Serialize;
use std::borrow::Cow;
use std::num::NonZeroUsize;

/// One control of a tenant with its description, points and declarations.
#[derive(Debug, Clone, Serialize)]
pub struct ControlRecord<'a> {
    /// The control's id (Graph: `id`).
    pub control: &'a str,
    /// Its title in the portal; null for a scored control that is not listed.
    pub title: Option<&'a str>,
    /// The area in which it counts.
    pub category: &'static str,
    /// Its current state; null for a control that is not listed.
    pub state: Option<&'static str>,
    /// When it entered that state.
    pub state_since: Option<Rfc3339>,
    /// Whether its risk is accepted now.
    pub risk_accepted: bool,
    /// Whether its risk was accepted in any state within the lookback.
    pub risk_accepted_in_lookback: bool,
    /// How often its risk was accepted.
    pub acceptances: usize,
    /// When its risk was last accepted.
    pub last_accepted_at: Option<Rfc3339>,
    /// Who accepted it last, as far as shown.
    pub accepted_by: Option<Cow<'a, str>>,
    /// The comment of that acceptance, as far as shown.
    pub comment: Option<&'a str>,
    /// Whether an unexpired exception covers that acceptance.
    pub approved: bool,
    /// The exception that covers it, valid or expired.
    pub approval: ApprovalRecord<'a>,
    /// Points reached; null where the tenant is not scored on it.
    pub score: Option<f64>,
    /// Points possible.
    pub max_score: Option<f64>,
    /// Points to gain, where the tenant is scored on it.
    pub points_to_gain: Option<f64>,
    /// Whether it is on the watch list.
    pub watched: bool,
    /// Its progress in Microsoft's words.
    pub implementation_status: Option<&'a str>,
    /// Where an administrator can fix it; http and https only.
    pub action_url: Option<&'a str>,
    /// The Microsoft product it belongs to.
    pub product: Option<&'a str>,
    /// How close to the core of security it is.
    pub tier: Option<&'static str>,
    /// How much users will notice it.
    pub user_impact: Option<&'static str>,
    /// How much work it is.
    pub implementation_cost: Option<&'static str>,
    /// Whether Microsoft has withdrawn it.
    pub deprecated: bool,
    /// Every change of its state that Graph lists, oldest first.
    pub history: Vec<ChangeRecord<'a>>,
}

impl<'a> ControlRecord<'a> {
    /// A control at a time, with names and comments as far as shown.
    pub fn new(
        control: &'a Control,
        lookback: NonZeroUsize,
        persons: &Persons,
        now: Timestamp,
    ) -> Self {
        let entry = control.entry.as_deref();
        let declared = entry.map(|it| &it.history);
        let accepted = declared.and_then(|it| it.last_acceptance());
        let approval = control.approval(now);
        let (score, max_score) = (
            control.score.as_ref().map(|it| it.score),
            control.max_score(),
        );
        Self {
            control: &control.id,
            title: entry.map(|it| &*it.title),
            category: control.category.as_str(),
            state: control.state().map(|it| it.as_str()),
            state_since: declared.and_then(|it| it.state_since()).map(Rfc3339),
            risk_accepted: is_accepted(entry),
            risk_accepted_in_lookback: declared
                .is_some_and(|it| it.accepted_within(lookback.get())),
            acceptances: declared.map_or(0, |it| it.acceptances()),
            last_accepted_at: accepted.and_then(|it| it.at).map(Rfc3339),
            accepted_by: persons.name(accepted.and_then(|it| it.by.as_deref())),
            comment: persons.comment(accepted.and_then(|it| it.comment.as_deref())),
            approved: accepted.is_some() && approval.is_approved(),
            approval: ApprovalRecord::new(approval, persons),
            score: score.map(Points::get),
            max_score: max_score.map(Points::get),
            points_to_gain: control.points_to_gain().map(Points::get),
            watched: control.watched,
            implementation_status: implementation_status(control),
            action_url: action_url(control),
            product: entry.map(|it| &*it.product),
            tier: entry.map(|it| it.tier.as_str()),
            user_impact: entry.map(|it| it.user_impact.as_str()),
            implementation_cost: entry.map(|it| it.implementation_cost.as_str()),
            deprecated: entry.is_some_and(|it| it.deprecated),
            history: history(control, persons),
        }
    }
}

fn is_accepted(entry: Option<&CatalogueEntry>) -> bool {
    entry.is_some_and(|it| it.history.current_acceptance().is_some())
}
