//! The days that evidence covers.

use crate::config_values::day::{day, start_of_day};
use crate::serde_time::Day;
use secure_score_model::Timestamp;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Days in UTC, the first and the last one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    /// The midnight with which it begins.
    pub(crate) from: Timestamp,
    /// The midnight with which it ends.
    pub(crate) end: Timestamp,
}

/// Why two days are no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}; {}", self.problem(), self.remedy())]
pub(crate) enum PeriodError {
    /// The first day is missing.
    Missing,
    /// One of the two is no day.
    NoDay(&'static str),
    /// They are in the wrong order.
    Reversed,
    /// Nothing can be known of it.
    Future,
}

impl PeriodError {
    /// What is wrong.
    pub(crate) fn problem(&self) -> String {
        match self {
            Self::Missing => "since is missing".to_owned(),
            Self::NoDay(name) => format!("{name} is not a day"),
            Self::Reversed => "until is before since".to_owned(),
            Self::Future => "since is in the future".to_owned(),
        }
    }

    /// What would be right.
    pub(crate) const fn remedy(&self) -> &'static str {
        match self {
            Self::Missing => "name the first day, such as 2027-01-31",
            Self::NoDay(_) => "write year, month and day, such as 2027-01-31",
            Self::Reversed => "exchange the two",
            Self::Future => "name a day until today",
        }
    }
}

impl Period {
    /// The days as written; without a last one, until today.
    pub(crate) fn parse(
        since: Option<&str>,
        until: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, PeriodError> {
        let parse = |name, text: &str| day(text).map_err(|_| PeriodError::NoDay(name));
        let since = parse("since", since.ok_or(PeriodError::Missing)?)?;
        let last = match until {
            Some(until) => {
                let until = parse("until", until)?;
                start_of_day(until.tomorrow().unwrap_or(until))
            }
            None => now.midnight().plus(DAY),
        };
        let from = start_of_day(since);
        if from > now {
            return Err(PeriodError::Future);
        }
        if last <= from {
            return Err(PeriodError::Reversed);
        }
        Ok(Self { from, end: last })
    }

    /// Today and so many days before.
    pub(crate) fn last_days(before: Duration, now: Timestamp) -> Self {
        let today = now.midnight();
        let nanos = i64::try_from(before.as_nanos()).unwrap_or_default();
        Self {
            from: Timestamp::from_nanos(today.nanos().saturating_sub(nanos)).midnight(),
            end: today.plus(DAY),
        }
    }

    /// The first day.
    pub(crate) const fn first(&self) -> Day {
        Day::beginning(self.from)
    }

    /// The last day.
    pub(crate) const fn last(&self) -> Day {
        Day::ending(self.end)
    }

    /// Whether a time is in it.
    pub(crate) fn contains(&self, at: Timestamp) -> bool {
        (self.from..self.end).contains(&at)
    }

    /// The last time in it that has come.
    pub(crate) fn end_or(&self, now: Timestamp) -> Timestamp {
        self.end.min(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-29 12:00 UTC.
    const NOW: Timestamp = Timestamp::from_seconds(1_795_953_600);

    #[test]
    fn both_days_are_included_and_today_is_the_last() {
        let period = Period::parse(Some("2026-11-01"), Some("2026-11-02"), NOW).unwrap();
        assert_eq!(period.end.since(period.from).as_secs(), 2 * 86_400);
        assert_eq!(period.last().to_string(), "2026-11-02");
        let today = Period::parse(Some("2026-11-29"), None, NOW).unwrap();
        assert_eq!(today.first().to_string(), today.last().to_string());
        assert!(today.contains(NOW) && !period.contains(NOW));
    }

    #[test]
    fn each_error_names_the_day_and_the_remedy() {
        for (since, until, expected) in [
            (None, None, "since is missing; name"),
            (Some("2026-11-31"), None, "since is not a day; write"),
            (Some("2026-11-01"), Some("today"), "until is not a day"),
            (
                Some("2026-11-02"),
                Some("2026-11-01"),
                "until is before since; exchange",
            ),
            (Some("2026-11-30"), None, "since is in the future"),
        ] {
            let error = Period::parse(since, until, NOW).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
