//! The samples of each control.

use super::family::Samples;
use super::view::{DataView, Policy};
use secure_score_model::{Control, ControlState, Points};
use std::collections::BTreeSet;

pub(super) fn info(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (control, entry) in view.entries() {
        let more = [
            &*entry.title,
            &entry.product,
            entry.tier.as_str(),
            entry.user_impact.as_str(),
            entry.implementation_cost.as_str(),
            entry.action_type.as_str(),
        ];
        samples.add_of_control(&control.labels, &more, 1.0);
    }
}

/// The maximum of a control that is neither scored nor declared anything about
/// is a product the tenant does not own.
pub(super) fn max_score(control: &Control, _: &Policy) -> Option<f64> {
    let state = control.state();
    let declared = state.is_some_and(|state| state != ControlState::ToAddress);
    let maximum = control.max_score().map(Points::get);
    maximum.filter(|_| control.score.is_some() || declared)
}

pub(super) fn in_lookback(control: &Control, policy: &Policy) -> Option<f64> {
    let history = control.history().filter(|history| !history.is_empty())?;
    let accepted = history.accepted_within(policy.lookback.get())?;
    Some(f64::from(accepted))
}

pub(super) fn state(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (control, entry) in view.entries() {
        let state = entry.history.state().as_str();
        samples.add_of_control(&control.labels, &[state], 1.0);
    }
}

pub(super) fn approved_until(control: &Control, _: &Policy) -> Option<f64> {
    control.entry.as_ref()?;
    let latest = control
        .covering()
        .into_iter()
        .map(|decision| decision.expires)
        .max();
    Some(latest?.as_seconds())
}

/// When the approval of a claim ends, which Microsoft gives full points for.
pub(super) fn claim_approved_until(control: &Control, _: &Policy) -> Option<f64> {
    if !control.is_claimed() {
        return None;
    }
    let judgement = control.judgement();
    let ends = judgement.covering_present().map(|it| it.expires);
    Some(ends.max()?.as_seconds())
}

/// Of accepted risks and claims that an unexpired decision names.
pub(super) fn self_approved(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (control, _) in view.entries() {
        let is_accepted = control.state() == Some(ControlState::RiskAccepted);
        if is_accepted || control.is_claimed() {
            let value = control
                .judgement()
                .is_self_approved(view.snapshot.judged_at);
            if let Some(value) = value {
                samples.add_of_control(&control.labels, &[], f64::from(value));
            }
        }
    }
}

/// One reference may stand in several decisions.
pub(super) fn approval_info(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (control, _) in view.entries() {
        let references = control
            .covering()
            .into_iter()
            .map(|decision| &*decision.reference);
        for reference in references.collect::<BTreeSet<_>>() {
            samples.add(&[&control.id, reference], 1.0);
        }
    }
}

pub(super) fn acceptance_info(view: &DataView<'_>, samples: &mut Samples<'_>) {
    let policy = view.policy;
    if policy.accepted_by.is_none() && !policy.comment {
        return;
    }
    for (control, entry) in view.entries() {
        let Some(acceptance) = entry.history.current_acceptance() else {
            continue;
        };
        let by = acceptance.by.as_deref().zip(policy.accepted_by.as_deref());
        let by = by.map(|(person, naming)| naming(person));
        let comment = acceptance.comment.as_deref().filter(|_| policy.comment);
        let labels = [
            &*control.id,
            &by.unwrap_or_default(),
            comment.unwrap_or_default(),
        ];
        samples.add(&labels, 1.0);
    }
}
