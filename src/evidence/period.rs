//! The days that evidence covers.

use crate::config_values::day::{day, start_of_day};
use crate::serde_time::Day;
use secure_score_model::Timestamp;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// As many days as Graph keeps.
const DEFAULT_DAYS: i64 = 90;

/// Days in UTC, the first and the last one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    /// The midnight with which it begins.
    pub(crate) from: Timestamp,
    /// The midnight with which it ends.
    pub(crate) end: Timestamp,
    /// The last day that was asked for, where it is still to come.
    pub(crate) asked: Option<Day>,
}

/// Why two days are no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}; {}", self.problem(), self.remedy())]
pub(crate) enum PeriodError {
    /// One of the two is no day.
    NoDay {
        /// Which of the two.
        name: &'static str,
        /// As written.
        text: String,
    },
    /// They are in the wrong order.
    Reversed,
    /// Nothing can be known of it.
    Future,
}

impl PeriodError {
    /// What is wrong.
    pub(crate) fn problem(&self) -> String {
        match self {
            Self::NoDay { name, text } => format!("{name} {text:?} is not a day"),
            Self::Reversed => "until is before since".to_owned(),
            Self::Future => "since is in the future".to_owned(),
        }
    }

    /// What would be right.
    pub(crate) const fn remedy(&self) -> &'static str {
        match self {
            Self::NoDay { .. } => "write year, month and day, such as 2027-01-31",
            Self::Reversed => "exchange the two",
            Self::Future => "name a day until today",
        }
    }
}

impl Period {
    /// The days as written; without a last one until today, without a first one the
    /// ninety days that Graph keeps.
    pub(crate) fn parse(
        since: Option<&str>,
        until: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, PeriodError> {
        let parse = |name, text: &str| {
            day(text).map_err(|_| PeriodError::NoDay {
                name,
                text: text.to_owned(),
            })
        };
        // Nothing is known of days to come.
        let tomorrow = now.midnight().plus(DAY);
        let asked_end = match until {
            Some(until) => start_of_day(parse("until", until)?).plus(DAY),
            None => tomorrow,
        };
        let end = asked_end.min(tomorrow);
        let asked = (asked_end > end).then(|| Day::ending(asked_end));
        let from = match since {
            Some(since) => start_of_day(parse("since", since)?),
            None => Timestamp::of_day(end.day() - DEFAULT_DAYS),
        };
        if from > now {
            return Err(PeriodError::Future);
        }
        if end <= from {
            return Err(PeriodError::Reversed);
        }
        Ok(Self { from, end, asked })
    }

    /// The first day.
    pub(crate) const fn first(&self) -> Day {
        Day::beginning(self.from)
    }

    /// The last day.
    pub(crate) const fn last(&self) -> Day {
        Day::ending(self.end)
    }

    /// Why it ends before the day that was asked for, as a sentence.
    pub(crate) fn cut(&self) -> Option<String> {
        let asked = self.asked.as_ref()?;
        let last = self.last();
        Some(format!(
            "It was asked for until {asked}, and ends on {last}, the day it was made: nothing is known of days to come."
        ))
    }

    /// Whether a time is in it.
    pub(crate) fn contains(&self, at: Timestamp) -> bool {
        (self.from..self.end).contains(&at)
    }

    /// The last time in it that has come.
    pub(crate) fn last_time(&self, now: Timestamp) -> Timestamp {
        self.end.just_before().min(now)
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.end <= now
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
        assert_eq!(
            period.last_time(NOW).plus(Duration::from_nanos(1)),
            period.end
        );
        assert_eq!(today.last_time(NOW), NOW);
    }

    #[test]
    fn it_ends_today_at_the_latest_and_has_ninety_days_without_a_first_one() {
        let open = Period::parse(Some("2026-11-01"), Some("2199-12-31"), NOW).unwrap();
        assert_eq!(open.last().to_string(), "2026-11-29");
        let cut = open.cut().unwrap();
        assert!(
            cut.contains("until 2199-12-31, and ends on 2026-11-29"),
            "{cut}"
        );
        let last = Period::parse(None, None, NOW).unwrap();
        assert_eq!(last.first().to_string(), "2026-09-01");
        assert_eq!(last.cut(), None);
        let earlier = Period::parse(None, Some("2026-01-31"), NOW).unwrap();
        assert_eq!(earlier.first().to_string(), "2025-11-03");
    }

    #[test]
    fn each_error_names_the_day_and_the_remedy() {
        for (since, until, expected) in [
            (
                Some("2026-11-31"),
                None,
                "since \"2026-11-31\" is not a day; write",
            ),
            (
                Some("2026-11-01"),
                Some("today"),
                "until \"today\" is not a day",
            ),
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
