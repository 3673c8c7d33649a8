//! How complete a control is, in whole units so that sums are exact.

use serde_json::{Value, json};

use crate::catalogue::{CatalogueEntry, ScoreKind};

/// A share of 100 %, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Completion(u32);

impl Completion {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const FULL: Self = Self(10_000);

    /// Rounds to a hundredth of a percent; `None` outside 0 to 100.
    pub(crate) fn from_percentage(percentage: f64) -> Option<Self> {
        let is_valid = (0.0..=100.0).contains(&percentage);
        is_valid.then(|| Self((percentage * 100.0).round() as u32))
    }

    pub(crate) fn from_count(count: u64, total: u64) -> Self {
        Self((count * 10_000 / total.max(1)).min(10_000) as u32)
    }

    pub(crate) fn hundredths(self) -> u64 {
        u64::from(self.0)
    }

    pub(crate) fn percentage(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// The points of a control with this maximum, in ten-thousandths of a point.
    pub(crate) fn points(self, maximum: u32) -> u64 {
        u64::from(self.0) * u64::from(maximum)
    }

    /// How many of a population are covered.
    fn count(self, population: u64) -> u64 {
        population * self.hundredths() / 10_000
    }
}

/// A number of ten-thousandths as JSON.
///
/// `integers` writes whole numbers without a fraction. Graph's responses have
/// both spellings, and a reader that expects one of them fails on the other.
pub(crate) fn number(ten_thousandths: u64, integers: bool) -> Value {
    match ten_thousandths % 10_000 {
        0 if integers => json!(ten_thousandths / 10_000),
        _ => json!(ten_thousandths as f64 / 10_000.0),
    }
}

/// The fields that only the newest report has; Graph writes them as strings.
pub(crate) fn newest_report_fields(
    entry: &CatalogueEntry,
    completion: Completion,
    population: u64,
) -> Vec<(&'static str, String)> {
    let count = ("count", completion.count(population).to_string());
    match entry.score_kind {
        ScoreKind::Toggle => vec![("on", (completion == Completion::FULL).to_string())],
        ScoreKind::Users | ScoreKind::Devices => vec![count, ("total", population.to_string())],
        ScoreKind::Count => vec![count],
        ScoreKind::Plain => Vec::new(),
    }
}

/// The `implementationStatus`; Graph blanks its numbers in older reports.
pub(crate) fn implementation_status(
    entry: &CatalogueEntry,
    completion: Completion,
    population: u64,
    is_newest: bool,
) -> String {
    let population = if is_newest { population } else { 0 };
    let covered = completion.count(population);
    match entry.score_kind {
        ScoreKind::Toggle if completion == Completion::FULL => {
            "The setting is as it should be.".to_owned()
        }
        ScoreKind::Toggle => "The setting is not as it should be.".to_owned(),
        ScoreKind::Users => format!("{covered} of {population} users are covered."),
        ScoreKind::Devices => format!("{covered} of {population} devices are covered."),
        ScoreKind::Count if is_newest => format!("There are {covered}."),
        ScoreKind::Count => "There are .".to_owned(),
        ScoreKind::Plain => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_exact() {
        let completion = Completion::from_percentage(33.33).unwrap();
        assert_eq!(number(completion.points(7), false), json!(2.3331));
    }

    #[test]
    fn percentages_outside_0_to_100_are_rejected() {
        for percentage in [100.1, -1.0, f64::NAN] {
            assert_eq!(Completion::from_percentage(percentage), None);
        }
    }

    #[test]
    fn whole_numbers_lose_their_fraction_on_request_only() {
        assert_eq!(number(70_000, false).to_string(), "7.0");
        assert_eq!(number(70_000, true).to_string(), "7");
        assert_eq!(number(75_000, true).to_string(), "7.5");
    }
}
