//! The samples of a tenant: its names and health, its score, and its answers as a
//! whole.

use super::family::Samples;
use super::view::{DataView, HealthView};
use secure_score_model::{
    Anomalies, Api, CategoryComparison, CategoryTotal, Code, Comparison, Points, Reason,
    SkippedField, TenantSnapshot, UnknownField,
};

pub(super) fn info(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    let identity = view.identity;
    let id = identity.entra_tenant_id.as_deref().unwrap_or_default();
    samples.add(&[id, identity.cloud, &identity.display_name], 1.0);
}

pub(super) fn refresh_failures(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    for (api, health) in view.health.lists() {
        let failures = &health.failures;
        for reason in Reason::ALL {
            let count = failures.get(&reason).copied().unwrap_or(0);
            samples.add(&[api.as_str(), reason.as_str()], count as f64);
        }
    }
}

pub(super) fn graph_requests(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    for ((api, code), count) in &view.health.traffic.graph {
        let code = match code {
            Code::Status(number) => &number.to_string(),
            Code::NoAnswer => "none",
        };
        samples.add(&[api.as_str(), code], *count as f64);
    }
}

pub(super) fn token_requests(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    let traffic = &view.health.traffic;
    samples.add(&["success"], traffic.tokens as f64);
    samples.add(&["failure"], traffic.token_failures as f64);
}

pub(super) fn categories(
    view: &DataView<'_>,
    samples: &mut Samples<'_>,
    points: fn(&TenantSnapshot, &CategoryTotal) -> Option<Points>,
) {
    let snapshot = view.snapshot;
    let totals = snapshot.category_totals().into_iter();
    for total in totals.filter(|total| view.shows(total.category)) {
        let points = points(snapshot, &total).map(Points::get);
        samples.add_some(&[total.category.as_str()], points);
    }
}

pub(super) fn comparison_ratio(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for comparison in comparisons(view) {
        samples.add_some(&[comparison.basis.as_str()], comparison.ratio);
    }
}

pub(super) fn comparison_categories(
    view: &DataView<'_>,
    samples: &mut Samples<'_>,
    points: fn(&CategoryComparison) -> Option<Points>,
) {
    for comparison in comparisons(view) {
        let averages = firsts(&comparison.categories, |average| average.category);
        for average in averages.filter(|average| view.shows(average.category)) {
            let labels = [comparison.basis.as_str(), average.category.as_str()];
            samples.add_some(&labels, points(average).map(Points::get));
        }
    }
}

/// Each basis once, whatever the report holds.
fn comparisons<'a>(view: &DataView<'a>) -> impl Iterator<Item = &'a Comparison> {
    let report = view.snapshot.report.as_deref();
    firsts(report.map_or(&[], |report| &report.comparisons), |c| {
        c.basis
    })
}

/// The first of each key: a label value may stand once.
fn firsts<T, K: PartialEq>(all: &[T], key: impl Fn(&T) -> K) -> impl Iterator<Item = &T> {
    all.iter().enumerate().filter_map(move |(place, item)| {
        let repeated = all.iter().take(place).any(|other| key(other) == key(item));
        (!repeated).then_some(item)
    })
}

/// Without a report it is unknown which controls are scored, and without a
/// catalogue the others are unknown: a zero would state that there are none.
pub(super) fn catalogue_controls(view: &DataView<'_>, samples: &mut Samples<'_>) {
    let snapshot = view.snapshot;
    if snapshot.report.is_none() {
        return;
    }
    let scored = snapshot.scored().count();
    samples.add(&["true"], scored as f64);
    if snapshot.catalogue_anomalies.is_some() {
        let others = snapshot.controls.len() - scored;
        samples.add(&["false"], others as f64);
    }
}

pub(super) fn unknown_values(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (api, anomalies) in anomalies(view) {
        for field in UnknownField::of(api) {
            let count = anomalies.count_unknown(*field);
            samples.add(&[api.as_str(), field.as_str()], count as f64);
        }
    }
}

/// A second score of a control already scored in another spelling is found
/// only when the lists are joined, and counts like any other second copy.
pub(super) fn skipped_elements(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for (api, anomalies) in anomalies(view) {
        for field in SkippedField::of(api) {
            let mut count = anomalies.count_skipped(*field);
            if (api, *field) == (Api::Scores, SkippedField::Duplicate) {
                count += view.snapshot.duplicate_scores;
            }
            samples.add(&[api.as_str(), field.as_str()], count as f64);
        }
    }
}

/// The anomalies of each list that is there.
fn anomalies<'a>(view: &DataView<'a>) -> impl Iterator<Item = (Api, &'a Anomalies)> {
    let report = view.snapshot.report.as_ref();
    let report = report.map(|report| (Api::Scores, &report.anomalies));
    let catalogue = view.snapshot.catalogue_anomalies.as_ref();
    let catalogue = catalogue.map(|anomalies| (Api::Profiles, anomalies));
    let recommendations = view.snapshot.recommendation_anomalies.as_ref();
    let recommendations = recommendations.map(|anomalies| (Api::Recommendations, anomalies));
    let identity = view.snapshot.identity_score.as_ref();
    let identity = identity.map(|score| (Api::IdentityScores, &score.anomalies));
    let secure_score = catalogue.into_iter().chain(report);
    secure_score.chain(recommendations).chain(identity)
}
