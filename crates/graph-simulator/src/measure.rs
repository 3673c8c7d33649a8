//! How far a control is done, in whole units so that sums are exact.

use serde_json::{Value, json};

use super::catalogue::{Entry, Gauge};

/// A share of 100 %, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Share(u32);

impl Share {
    pub(super) const NONE: Self = Self(0);
    pub(super) const FULL: Self = Self(10_000);

    /// Rounded to a hundredth of a percent; `None` outside 0 to 100.
    pub(super) fn from_percentage(percentage: f64) -> Option<Self> {
        let within = (0.0..=100.0).contains(&percentage);
        within.then(|| Self((percentage * 100.0).round() as u32))
    }

    /// So many hundredths of a percent, at most all.
    pub(super) fn from_hundredths(hundredths: u64) -> Self {
        Self(hundredths.min(10_000) as u32)
    }

    pub(super) fn of_count(count: u64, total: u64) -> Self {
        Self::from_hundredths(count * 10_000 / total.max(1))
    }

    pub(super) fn hundredths(self) -> u64 {
        u64::from(self.0)
    }

    /// The points it brings, in ten-thousandths of a point.
    pub(super) fn points(self, maximum: u32) -> u64 {
        u64::from(self.0) * u64::from(maximum)
    }
}

/// A number of ten-thousandths as JSON; `bare` drops the fraction of whole ones.
///
/// Both spellings are met in real answers: what passed another serialiser
/// comes without, and a reader that insists on one of them breaks.
pub(super) fn number(ten_thousandths: u64, bare: bool) -> Value {
    match ten_thousandths % 10_000 {
        0 if bare => json!(ten_thousandths / 10_000),
        _ => json!(ten_thousandths as f64 / 10_000.0),
    }
}

/// The fields only the newest report has: strings, whatever they hold.
pub(super) fn extras(entry: &Entry, share: Share, population: u64) -> Vec<(&'static str, String)> {
    let count = population * share.hundredths() / 10_000;
    match entry.gauge {
        Gauge::Switch => vec![("on", (share == Share::FULL).to_string())],
        Gauge::Users | Gauge::Devices => {
            vec![
                ("count", count.to_string()),
                ("total", population.to_string()),
            ]
        }
        Gauge::Count => vec![("count", count.to_string())],
        Gauge::Plain => Vec::new(),
    }
}

/// The sentence for people; older reports have it with its numbers lost.
pub(super) fn sentence(entry: &Entry, share: Share, population: u64, newest: bool) -> String {
    let population = if newest { population } else { 0 };
    let covered = population * share.hundredths() / 10_000;
    match entry.gauge {
        Gauge::Switch if share == Share::FULL => "The setting is as it should be.".to_owned(),
        Gauge::Switch => "The setting is not as it should be.".to_owned(),
        Gauge::Users => format!("{covered} of {population} users are covered."),
        Gauge::Devices => format!("{covered} of {population} devices are covered."),
        Gauge::Count if newest => format!("There are {covered}."),
        Gauge::Count => "There are .".to_owned(),
        Gauge::Plain => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_points_is_exact() {
        let share = Share::from_percentage(33.33).unwrap();
        assert_eq!(number(share.points(7), false), json!(2.3331));
    }

    #[test]
    fn shares_outside_the_scale_are_refused() {
        assert_eq!(Share::from_percentage(100.1), None);
        assert_eq!(Share::from_percentage(-1.0), None);
        assert_eq!(Share::from_percentage(f64::NAN), None);
    }

    #[test]
    fn whole_numbers_lose_their_fraction_only_where_asked() {
        assert_eq!(number(70_000, false).to_string(), "7.0");
        assert_eq!(number(70_000, true).to_string(), "7");
        assert_eq!(number(75_000, true).to_string(), "7.5");
    }
}
