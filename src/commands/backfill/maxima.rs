//! The maxima of the controls as they were on a day.

use secure_score_model::{Catalogue, CatalogueEntry, ControlScore, Points, Report};
use std::collections::HashMap;
use std::sync::Arc;

/// Points are told with two decimals, and so are percentages.
const ROUNDING: f64 = 0.02;

/// Microsoft's totals carry two decimals, too, and hundreds of summands.
const ROUNDING_OF_TOTALS: f64 = 0.05;

/// The catalogue with the maxima of a day instead of today's.
///
/// A report does not tell the maximum of a control, and Microsoft changes
/// them. Points and percentage imply it, except at nought per cent. For those
/// controls today's maximum is taken where the day's total then adds up with
/// Microsoft's own, which shows that nothing has changed; else it is unknown.
pub(super) fn of_day(catalogue: &Catalogue, report: &Report) -> Catalogue {
    let scores: HashMap<String, &Arc<ControlScore>> = report
        .scores
        .iter()
        .map(|score| (score.id.to_ascii_lowercase(), score))
        .collect();
    let score_of = |entry: &CatalogueEntry| scores.get(&entry.id.to_ascii_lowercase()).copied();
    let trusted = adds_up(catalogue, report, &scores);
    let entries = catalogue.entries.iter().map(|entry| {
        let max_score = match score_of(entry).map(|score| maximum(entry, score)) {
            Some(Maximum::Implied(points)) => Some(points),
            Some(Maximum::Presumed(points)) if trusted => Some(points),
            _ => None,
        };
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

/// What can be told of a maximum.
enum Maximum {
    /// The day's own figures say so.
    Implied(Points),
    /// Today's, which the day's own figures do not contradict.
    Presumed(Points),
    /// Nothing.
    Unknown,
}

fn maximum(entry: &CatalogueEntry, score: &ControlScore) -> Maximum {
    let Some(implied) = score.implied_max() else {
        return entry.max_score.map_or(Maximum::Unknown, Maximum::Presumed);
    };
    // 7.83 points of 97.9 % are 8 points, and not 7.998.
    let whole = Points::new(implied.get().round());
    let meant = [entry.max_score, whole].into_iter().flatten();
    let mut meant = meant.filter(|points| agrees(*points, score));
    Maximum::Implied(meant.next().unwrap_or(implied))
}

fn agrees(maximum: Points, score: &ControlScore) -> bool {
    let share = score.percentage.unwrap_or(0.0) / 100.0;
    (maximum.get() * share - score.score.get()).abs() <= ROUNDING
}

/// Whether Microsoft's maximum of that day is the sum of what we would say.
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
    let maxima = scores.iter().map(|(id, score)| match entries.get(id) {
        None => score.implied_max(),
        Some(entry) => match maximum(entry, score) {
            Maximum::Implied(points) | Maximum::Presumed(points) => Some(points),
            Maximum::Unknown => None,
        },
    });
    let sum: Option<Vec<Points>> = maxima.collect();
    let sum = sum.map(|all| all.into_iter().sum::<Points>());
    match (sum, report.max_score) {
        (Some(sum), Some(told)) => (sum.get() - told.get()).abs() <= ROUNDING_OF_TOTALS,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::{ActionType, Anomalies, Category, History, Level, Tier};

    fn entry(id: &str, max: f64) -> Arc<CatalogueEntry> {
        Arc::new(CatalogueEntry {
            id: id.into(),
            title: id.into(),
            category: Category::Identity,
            product: "".into(),
            tier: Tier::Core,
            user_impact: Level::Low,
            implementation_cost: Level::Low,
            action_type: ActionType::Config,
            max_score: Points::new(max),
            deprecated: false,
            action_url: None,
            history: History::default(),
        })
    }

    fn day(max: f64, scores: &[(&str, f64, f64)]) -> Report {
        let score = |(id, score, percentage): &(&str, f64, f64)| {
            Arc::new(ControlScore {
                id: (*id).into(),
                category: Category::Identity,
                score: Points::new(*score).unwrap(),
                percentage: Some(*percentage),
                last_synced: None,
                implementation_status: None,
            })
        };
        Report {
            entra_tenant_id: "t".into(),
            as_of: None,
            current_score: None,
            max_score: Points::new(max),
            active_users: None,
            licensed_users: None,
            comparisons: Vec::new(),
            scores: scores.iter().map(score).collect(),
            anomalies: Anomalies::default(),
        }
    }

    fn maxima(report: &Report) -> Vec<Option<f64>> {
        let entries = vec![entry("A", 8.0), entry("B", 5.0), entry("C", 3.0)];
        let catalogue = Catalogue {
            entries,
            ..Catalogue::default()
        };
        let of_day = of_day(&catalogue, report);
        let maxima = of_day.entries.iter().map(|it| it.max_score);
        maxima.map(|max| max.map(Points::get)).collect()
    }

    #[test]
    fn todays_maxima_stand_where_the_total_of_the_day_adds_up() {
        let report = day(13.0, &[("a", 7.83, 97.9), ("B", 0.0, 0.0)]);
        assert_eq!(maxima(&report), [Some(8.0), Some(5.0), None]);
    }

    #[test]
    fn a_total_that_differs_leaves_unknown_what_nothing_implies() {
        let report = day(18.0, &[("A", 7.83, 97.9), ("B", 0.0, 0.0)]);
        assert_eq!(maxima(&report), [Some(8.0), None, None]);
    }

    #[test]
    fn a_maximum_that_was_another_is_that_days() {
        let report = day(15.0, &[("A", 5.0, 50.0), ("B", 5.0, 100.0)]);
        assert_eq!(maxima(&report), [Some(10.0), Some(5.0), None]);
    }
}
