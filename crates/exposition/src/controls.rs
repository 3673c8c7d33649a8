//! The samples of each control.

use super::family::Samples;
use super::view::DataView;
use secure_score_model::{CatalogueEntry, Control, ControlState, Points};
use std::collections::BTreeSet;

fn labels(control: &Control) -> [&str; 2] {
    [&control.id, control.category.as_str()]
}

/// One sample for each control whose catalogue entry has the value.
pub(super) fn entry_values(
    view: &DataView<'_>,
    samples: &mut Samples<'_>,
    value: impl Fn(&CatalogueEntry) -> Option<f64>,
) {
    for (control, entry) in view.entries() {
        samples.add_some(&labels(control), value(entry));
    }
}

pub(super) fn info(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (control, entry) in view.entries() {
        let values = [
            &*control.id,
            control.category.as_str(),
            &entry.title,
            &entry.product,
            entry.tier.as_str(),
            entry.user_impact.as_str(),
            entry.implementation_cost.as_str(),
            entry.action_type.as_str(),
        ];
        samples.add(&values, 1.0);
    }
}

pub(super) fn score(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (control, score) in view.scores() {
        samples.add(&labels(control), score.score.get());
    }
}

/// The maximum of a control that is neither scored nor declared anything about
/// is a product the tenant does not own.
pub(super) fn max_score(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for control in view.controls() {
        let declared = control
            .state()
            .is_some_and(|state| state != ControlState::ToAddress);
        if control.score.is_some() || declared {
            samples.add_some(&labels(control), control.max_score().map(Points::get));
        }
    }
}

pub(super) fn risk_accepted(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (control, entry) in view.entries() {
        let accepted = entry.history.state() == ControlState::RiskAccepted;
        samples.flag(&labels(control), accepted);
    }
}

pub(super) fn in_lookback(view: &DataView<'_>, samples: &mut Samples<'_>) {
    let n = view.policy.lookback.get();
    for (control, entry) in view.entries() {
        if !entry.history.is_empty() {
            samples.flag(&labels(control), entry.history.accepted_within(n));
        }
    }
}

pub(super) fn acceptances(view: &DataView<'_>, samples: &mut Samples<'_>) {
    entry_values(view, samples, |entry| {
        Some(entry.history.acceptances() as f64)
    });
}

pub(super) fn last_accepted(view: &DataView<'_>, samples: &mut Samples<'_>) {
    entry_values(view, samples, |entry| {
        let at = entry.history.last_acceptance().and_then(|change| change.at);
        at.map(|at| at.as_seconds())
    });
}

pub(super) fn watched(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (control, _) in view.entries().filter(|(control, _)| control.watched) {
        samples.add(&labels(control), 1.0);
    }
}

pub(super) fn state(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (control, entry) in view.entries() {
        let [id, category] = labels(control);
        samples.add(&[id, category, entry.history.state().as_str()], 1.0);
    }
}

pub(super) fn state_updated(view: &DataView<'_>, samples: &mut Samples<'_>) {
    entry_values(view, samples, |entry| {
        entry.history.state_since().map(|at| at.as_seconds())
    });
}

pub(super) fn last_synced(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (control, score) in view.scores() {
        let at = score.last_synced.map(|at| at.as_seconds());
        samples.add_some(&labels(control), at);
    }
}

pub(super) fn approved_until(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (control, _) in view.entries() {
        let latest = control.covering().map(|exception| exception.expires).max();
        samples.add_some(&labels(control), latest.map(|at| at.as_seconds()));
    }
}

/// One decision may be written down in several exceptions.
pub(super) fn approval_info(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (control, _) in view.entries() {
        let references = control.covering().map(|exception| &*exception.reference);
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
        let by = by
            .map(|(person, naming)| naming(person))
            .unwrap_or_default();
        let comment = acceptance.comment.as_deref().filter(|_| policy.comment);
        let values = [&*control.id, &by, comment.unwrap_or_default()];
        samples.add(&values, 1.0);
    }
}
