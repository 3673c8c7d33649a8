//! Times for people.

use crate::serde_time::{Day, Minute, calendar};
use maud::{Markup, html};
use secure_score_model::Timestamp;
use std::time::Duration;

/// A time as a date in UTC, `2026-11-23 08:15 UTC`.
pub(super) fn date(at: Timestamp) -> String {
    Minute(at).to_string()
}

/// A day in UTC, `2026-11-23`.
pub(super) fn day(day: Day) -> Markup {
    html! { time datetime=(day) { (day) } }
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
    calendar(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
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

    #[test]
    fn a_date_is_to_the_minute_and_in_utc() {
        assert_eq!(date(NOW), "2026-11-23 08:15 UTC");
        assert_eq!(date(Timestamp::from_seconds(-1)), "1969-12-31 23:59 UTC");
    }

    #[test]
    fn an_age_has_one_unit() {
        for (seconds, words) in [
            (-90, "just now"),
            (59, "just now"),
            (60, "1 min ago"),
            (3 * 3_600 + 3_599, "3 h ago"),
            (47 * 3_600, "47 h ago"),
            (49 * 3_600, "2 d ago"),
        ] {
            let at = Timestamp::from_nanos(NOW.nanos() - seconds * 1_000_000_000);
            assert_eq!(age_in_words(NOW, at), words);
        }
    }

    #[test]
    fn a_duration_is_an_age_without_the_ago() {
        assert_eq!(duration(Duration::from_secs(7_200)), "2 h");
        assert_eq!(duration(Duration::ZERO), "less than a minute");
    }
}
