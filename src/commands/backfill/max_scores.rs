//! The maximum scores of the controls on a day.

use secure_score_model::{Catalogue, CatalogueEntry, Pairing, Points, Report};
use std::sync::Arc;

/// Microsoft's totals have two decimals and hundreds of summands.
const ROUNDING_OF_TOTALS: f64 = 0.05;

/// The catalogue with the maximum scores of a day instead of today's.
///
/// A report has no maximum per control, and Microsoft changes them. Points and
/// percentage imply the maximum, except at zero per cent. For those controls
/// today's maximum is taken where the day's total then equals Microsoft's own,
/// which shows that it did not change; otherwise the maximum is unknown.
pub(super) fn of_day(catalogue: &Catalogue, report: &Report) -> Catalogue {
    let pairing = Pairing::new(&catalogue.entries, &report.scores);
    let trusted = adds_up(catalogue, report, &pairing);
    let entries = catalogue.entries.iter().zip(&pairing.of_entries);
    let entries = entries.map(|(entry, score)| {
        let max_score = score.as_ref().and_then(|score| {
            let todays = entry.max_score.filter(|_| trusted);
            score.implied_max(entry.max_score).or(todays)
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

/// Whether Microsoft's maximum of that day equals the sum of the maximums.
fn adds_up(catalogue: &Catalogue, report: &Report, pairing: &Pairing) -> bool {
    let listed = catalogue.entries.iter().zip(&pairing.of_entries);
    let listed = listed.filter_map(|(entry, score)| Some((entry.max_score, score.as_ref()?)));
    let unlisted = pairing.unlisted.iter().map(|score| (None, score));
    let max_scores = listed.chain(unlisted);
    let sum: Option<Vec<Points>> = max_scores
        .map(|(todays, score)| score.implied_max(todays).or(todays))
        .collect();
    let sum = sum.map(|all| all.into_iter().sum::<Points>());
    match (sum, report.max_score) {
        (Some(sum), Some(total)) => (sum.get() - total.get()).abs() <= ROUNDING_OF_TOTALS,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::{Category, ControlScore};

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
