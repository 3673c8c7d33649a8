//! Times for people.

use maud::{Markup, html};
use secure_score_model::Timestamp;
use std::time::Duration;

/// A time as a date in UTC, `2026-11-23 08:15 UTC`.
pub(super) fn date(at: Timestamp) -> String {
    formatted(at, "%Y-%m-%d %H:%M UTC")
}

/// A time as its day in UTC, `2026-11-23`.
pub(super) fn day(at: Timestamp) -> Markup {
    let day = formatted(at, "%Y-%m-%d");
    html! { time datetime=(day) { (day) } }
}

/// The last whole day before a moment: an exception expires at the end of the
/// day that is configured.
pub(super) fn last_day(end: Timestamp) -> Timestamp {
    Timestamp::from_nanos(end.nanos().saturating_sub(1))
}

/// A time as its distance from now: `3 h ago`. One unit, rounded down: whether a
/// report is 26 or 27 hours old does not matter.
fn age_in_words(now: Timestamp, at: Timestamp) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match now.since(at).as_secs() {
        seconds if seconds < MINUTE => "just now".to_owned(),
        seconds if seconds < HOUR => format!("{} min ago", seconds / MINUTE),
        seconds if seconds < 2 * DAY => format!("{} h ago", seconds / HOUR),
        seconds => format!("{} d ago", seconds / DAY),
    }
}

/// The age, with the date for machines and as a tooltip.
pub(super) fn age(now: Timestamp, at: Timestamp) -> Markup {
    html! { time datetime=(machine(at)) title=(date(at)) { (age_in_words(now, at)) } }
}

/// A future time as its distance from now: `in 12 min`.
pub(super) fn until(now: Timestamp, at: Timestamp) -> Markup {
    html! {
        time datetime=(machine(at)) title=(date(at)) {
            @if at > now { "in " (duration(at.since(now))) } @else { "now" }
        }
    }
}

/// The date, followed by the age.
pub(super) fn date_and_age(now: Timestamp, at: Timestamp) -> Markup {
    html! {
        time datetime=(machine(at)) { (date(at)) }
        " " span.soft { "(" (age_in_words(now, at)) ")" }
    }
}

fn machine(at: Timestamp) -> String {
    formatted(at, "%Y-%m-%dT%H:%M:%SZ")
}

/// Every 64-bit number of nanoseconds is within jiff's calendar, so the default
/// is never used.
fn formatted(at: Timestamp, format: &str) -> String {
    let time = jiff::Timestamp::from_nanosecond(i128::from(at.nanos())).unwrap_or_default();
    time.strftime(format).to_string()
}

/// A duration in one unit.
pub(super) fn duration(duration: Duration) -> String {
    let now = Timestamp::from_seconds(0).plus(duration);
    let words = age_in_words(now, Timestamp::from_seconds(0));
    match words.strip_suffix(" ago") {
        Some(length) => length.to_owned(),
        None => "less than a minute".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_421_700);

    fn before(seconds: i64) -> String {
        age_in_words(
            NOW,
            Timestamp::from_nanos(NOW.nanos() - seconds * 1_000_000_000),
        )
    }

    #[test]
    fn a_date_is_to_the_minute_and_in_utc() {
        assert_eq!(date(NOW), "2026-11-23 08:15 UTC");
        assert_eq!(date(Timestamp::from_seconds(-1)), "1969-12-31 23:59 UTC");
    }

    #[test]
    fn an_age_has_one_unit() {
        assert_eq!(before(59), "just now");
        assert_eq!(before(60), "1 min ago");
        assert_eq!(before(3 * 3_600 + 3_599), "3 h ago");
        assert_eq!(before(47 * 3_600), "47 h ago");
        assert_eq!(before(49 * 3_600), "2 d ago");
    }

    #[test]
    fn a_time_in_the_future_is_just_now() {
        assert_eq!(before(-90), "just now");
    }

    #[test]
    fn every_timestamp_has_a_date() {
        for nanos in [i64::MIN, i64::MAX] {
            assert_ne!(
                date(Timestamp::from_nanos(nanos)),
                date(Timestamp::from_nanos(0))
            );
        }
    }

    #[test]
    fn a_duration_is_an_age_without_the_ago() {
        assert_eq!(duration(Duration::from_secs(7_200)), "2 h");
        assert_eq!(duration(Duration::ZERO), "less than a minute");
    }
}
