//! The samples of a tenant's score and of its answers as a whole.

use super::family::Samples;
use super::view::DataView;
use secure_score_model::{
    Anomalies, Api, CategoryComparison, CategoryTotal, Comparison, Field, Points, Report,
    SkippedField, UnknownField,
};

fn of_report(
    view: &DataView<'_>,
    samples: &mut Samples<'_>,
    value: impl Fn(&Report) -> Option<f64>,
) {
    samples.add_some(&[], view.snapshot.report.as_deref().and_then(value));
}

pub(super) fn report_timestamp(view: &DataView<'_>, samples: &mut Samples<'_>) {
    of_report(view, samples, |report| Some(report.as_of?.as_seconds()));
}

pub(super) fn score(view: &DataView<'_>, samples: &mut Samples<'_>) {
    of_report(view, samples, |report| Some(report.current_score?.get()));
}

pub(super) fn max_score(view: &DataView<'_>, samples: &mut Samples<'_>) {
    of_report(view, samples, |report| Some(report.max_score?.get()));
}

pub(super) fn active_users(view: &DataView<'_>, samples: &mut Samples<'_>) {
    of_report(view, samples, |report| Some(report.active_users? as f64));
}

pub(super) fn licensed_users(view: &DataView<'_>, samples: &mut Samples<'_>) {
    of_report(view, samples, |report| Some(report.licensed_users? as f64));
}

pub(super) fn category_score(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for total in category_totals(view) {
        samples.add(&[total.category.as_str()], total.score.get());
    }
}

pub(super) fn category_max_score(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for total in category_totals(view) {
        samples.add_some(&[total.category.as_str()], total.max_score.map(Points::get));
    }
}

fn category_totals(view: &DataView<'_>) -> impl Iterator<Item = CategoryTotal> {
    let totals = view.snapshot.category_totals().into_iter();
    totals.filter(|total| view.shows(total.category))
}

pub(super) fn unreconciled_score(view: &DataView<'_>, samples: &mut Samples<'_>) {
    samples.add_some(&[], view.snapshot.unreconciled_score());
}

pub(super) fn unreconciled_max_score(view: &DataView<'_>, samples: &mut Samples<'_>) {
    samples.add_some(&[], view.snapshot.unreconciled_max_score());
}

pub(super) fn comparison_ratio(view: &DataView<'_>, samples: &mut Samples<'_>) {
    for comparison in comparisons(view) {
        samples.add_some(&[comparison.basis.as_str()], comparison.ratio);
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

pub(super) fn comparison_category_score(view: &DataView<'_>, samples: &mut Samples<'_>) {
    comparison_categories(view, samples, |average| average.score);
}

pub(super) fn comparison_category_max_score(view: &DataView<'_>, samples: &mut Samples<'_>) {
    comparison_categories(view, samples, |average| average.max_score);
}

fn comparison_categories(
    view: &DataView<'_>,
    samples: &mut Samples<'_>,
    points: impl Fn(&CategoryComparison) -> Option<Points>,
) {
    for comparison in comparisons(view) {
        let averages = firsts(&comparison.categories, |average| average.category);
        for average in averages.filter(|average| view.shows(average.category)) {
            let labels = [comparison.basis.as_str(), average.category.as_str()];
            samples.add_some(&labels, points(average).map(Points::get));
        }
    }
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

pub(super) fn recategorised(view: &DataView<'_>, samples: &mut Samples<'_>) {
    if view.snapshot.catalogue_anomalies.is_some() {
        samples.add(&[], view.snapshot.recategorised as f64);
    }
}

pub(super) fn unknown_values(view: &DataView<'_>, samples: &mut Samples<'_>) {
    anomalies::<UnknownField>(view, samples, |_, anomalies, field| {
        anomalies.count_unknown(field)
    });
}

/// A second score of a control already scored in another spelling is found
/// only when the lists are joined, and counts like any other second copy.
pub(super) fn skipped_elements(view: &DataView<'_>, samples: &mut Samples<'_>) {
    anomalies::<SkippedField>(view, samples, |api, anomalies, field| {
        let joined = api == Api::Scores && field == SkippedField::Duplicate;
        let second_scores = if joined {
            view.snapshot.duplicate_scores
        } else {
            0
        };
        anomalies.count_skipped(field) + second_scores
    });
}

/// Every member of a closed set, zeros included, for each list that is there.
fn anomalies<F: Field>(
    view: &DataView<'_>,
    samples: &mut Samples<'_>,
    count: impl Fn(Api, &Anomalies, F) -> u64,
) {
    let snapshot = view.snapshot;
    let report = snapshot.report.as_ref().map(|report| &report.anomalies);
    for (api, anomalies, fields) in [
        (
            Api::Profiles,
            snapshot.catalogue_anomalies.as_ref(),
            F::PROFILES,
        ),
        (Api::Scores, report, F::SCORES),
    ] {
        let Some(anomalies) = anomalies else { continue };
        for field in fields {
            let count = count(api, anomalies, *field);
            samples.add(&[api.as_str(), field.as_str()], count as f64);
        }
    }
}
