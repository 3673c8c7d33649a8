//! The samples of Entra's recommendations.

use super::family::Samples;
use super::view::DataView;
use secure_score_model::{Recommendation, RecommendationStatus};
use std::collections::BTreeSet;

pub(super) fn info(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for recommendation in view.recommendations() {
        let entry = &recommendation.entry;
        let values = [
            &*entry.name,
            recommendation.control.as_deref().unwrap_or_default(),
            &entry.title,
            entry.category.as_str(),
            entry.priority.as_str(),
            &entry.impact_type,
            &entry.license,
        ];
        samples.add(&values, 1.0);
    }
}

pub(super) fn status(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for recommendation in view.recommendations() {
        let entry = &recommendation.entry;
        samples.add(&[&entry.name, entry.status.as_str()], 1.0);
    }
}

/// Zeros for the two statuses that alerts compare: a tenant whose last
/// dismissed resource is active again differs from one without resources.
pub(super) fn impacted_resources(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for recommendation in view.recommendations() {
        let entry = &recommendation.entry;
        let Some(resources) = &entry.impacted_resources else {
            continue;
        };
        let always = [
            RecommendationStatus::Active,
            RecommendationStatus::Dismissed,
        ];
        let statuses: BTreeSet<_> = resources.keys().copied().chain(always).collect();
        for status in statuses {
            let count = resources.get(&status).copied().unwrap_or(0);
            samples.add(&[&entry.name, status.as_str()], count as f64);
        }
    }
}

pub(super) fn acceptance_info(view: &DataView<'_>, samples: &mut Samples<'_>) {
    let Some(naming) = view.policy.accepted_by.as_deref() else {
        return;
    };
    let set_aside = view.recommendations().filter(|it| it.is_set_aside());
    for recommendation in set_aside {
        let person = recommendation.changed().and_then(|it| it.by.as_deref());
        let labels = [
            &*recommendation.entry.name,
            &person.map(naming).unwrap_or_default(),
        ];
        samples.add(&labels, 1.0);
    }
}

pub(super) fn disagrees(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for recommendation in view.recommendations() {
        let name = &recommendation.entry.name;
        let control = recommendation.control.as_deref().unwrap_or_default();
        samples.add_some(&[name, control], recommendation.disagrees().map(f64::from));
    }
}

pub(super) fn approved_until(recommendation: &Recommendation) -> Option<f64> {
    let latest = recommendation
        .covering()
        .into_iter()
        .map(|decision| decision.expires);
    Some(latest.max()?.as_seconds())
}

/// When the approval of a claim ends.
pub(super) fn claim_approved_until(recommendation: &Recommendation) -> Option<f64> {
    if !recommendation.is_claimed() {
        return None;
    }
    let judgement = recommendation.judgement();
    let ends = judgement.covering_present().map(|it| it.expires);
    Some(ends.max()?.as_seconds())
}
