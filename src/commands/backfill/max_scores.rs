//! The maximum scores of the controls on a day.

use secure_score_model::{Catalogue, CatalogueEntry, ControlScore, Points, Report};
use std::collections::HashMap;
use std::sync::Arc;

/// Points and percentages have two decimals.
const ROUNDING: f64 = 0.02;

/// Microsoft's totals have two decimals, too, and hundreds of summands.
const ROUNDING_OF_TOTALS: f64 = 0.05;

/// The catalogue with the maximum scores of a day instead of today's.
///
/// A report has no maximum per control, and Microsoft changes them. Points and
/// percentage imply the maximum, except at zero per cent. For those controls
/// today's maximum is taken where the day's total then equals Microsoft's own,
/// which shows that it did not change; otherwise the maximum is unknown.
pub(super) fn of_day(catalogue: &Catalogue, report: &Report) -> Catalogue {
    let scores: HashMap<String, &Arc<ControlScore>> = report
        .scores
        .iter()
        .map(|score| (score.id.to_ascii_lowercase(), score))
        .collect();
    let score_of = |entry: &CatalogueEntry| scores.get(&entry.id.to_ascii_lowercase()).copied();
    let trusted = adds_up(catalogue, report, &scores);
    let entries = catalogue.entries.iter().map(|entry| {
        let max_score = score_of(entry).and_then(|score| {
            let todays = entry.max_score.filter(|_| trusted);
            implied_max(entry, score).or(todays)
        });
        if max_score == entry.max_score {
            return Arc::clone(entry);
        }
        let mut entry = CatalogueEntry::clone(entry);
        entry.max_score = max_score;
        Arc::new(entry)
    });
    Catalogue {
        entries: entries.collect(),
        ..Catalogue::default()
    }
}

/// The maximum that the day's own figures imply.
fn implied_max(entry: &CatalogueEntry, score: &ControlScore) -> Option<Points> {
    let implied = score.implied_max()?;
    // 7.83 points at 97.9 % mean a maximum of 8 points, not of 7.998.
    let whole = Points::new(implied.get().round());
    let meant = [entry.max_score, whole].into_iter().flatten();
    let mut meant = meant.filter(|points| agrees(*points, score));
    Some(meant.next().unwrap_or(implied))
}

fn agrees(maximum: Points, score: &ControlScore) -> bool {
    let share = score.percentage.unwrap_or(0.0) / 100.0;
    (maximum.get() * share - score.score.get()).abs() <= ROUNDING
}

/// Whether Microsoft's maximum of that day equals the sum of the maximums.
fn adds_up(
    catalogue: &Catalogue,
    report: &Report,
    scores: &HashMap<String, &Arc<ControlScore>>,
) -> bool {
    let entries: HashMap<String, &Arc<CatalogueEntry>> = catalogue
        .entries
        .iter()
        .map(|entry| (entry.id.to_ascii_lowercase(), entry))
        .collect();
    let max_scores = scores.iter().map(|(id, score)| match entries.get(id) {
        None => score.implied_max(),
        Some(entry) => implied_max(entry, score).or(entry.max_score),
    });
    let sum: Option<Vec<Points>> = max_scores.collect();
    let sum = sum.map(|all| all.into_iter().sum::<Points>());
    match (sum, report.max_score) {
        (Some(sum), Some(total)) => (sum.get() - total.get()).abs() <= ROUNDING_OF_TOTALS,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::Category;

    fn entry(id: &str, max: f64) -> Arc<CatalogueEntry> {
        Arc::new(CatalogueEntry {
            max_score: Points::new(max),
            ..CatalogueEntry::new(id)
        })
    }

    fn day(max: f64, scores: &[(&str, f64, f64)]) -> Report {
        let score = |(id, score, percentage): &(&str, f64, f64)| {
            Arc::new(ControlScore {
                percentage: Some(*percentage),
                ..ControlScore::new(id, Category::Identity, Points::new(*score).unwrap())
            })
        };
        Report {
            max_score: Points::new(max),
            scores: scores.iter().map(score).collect(),
            ..Report::new("t")
        }
    }

    fn max_scores(report: &Report) -> Vec<Option<f64>> {
        let entries = vec![entry("A", 8.0), entry("B", 5.0), entry("C", 3.0)];
        let catalogue = Catalogue {
            entries,
            ..Catalogue::default()
        };
        let of_day = of_day(&catalogue, report);
        let max_scores = of_day.entries.iter().map(|it| it.max_score);
        max_scores.map(|max| max.map(Points::get)).collect()
    }

    #[test]
    fn todays_maximum_is_taken_where_the_total_of_the_day_adds_up() {
        let report = day(13.0, &[("a", 7.83, 97.9), ("B", 0.0, 0.0)]);
        assert_eq!(max_scores(&report), [Some(8.0), Some(5.0), None]);
    }

    #[test]
    fn another_total_leaves_a_maximum_unknown_that_no_figure_implies() {
        let report = day(18.0, &[("A", 7.83, 97.9), ("B", 0.0, 0.0)]);
        assert_eq!(max_scores(&report), [Some(8.0), None, None]);
    }

    #[test]
    fn a_maximum_that_changed_since_is_that_of_the_day() {
        let report = day(15.0, &[("A", 5.0, 50.0), ("B", 5.0, 100.0)]);
        assert_eq!(max_scores(&report), [Some(10.0), Some(5.0), None]);
    }
}
