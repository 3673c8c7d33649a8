//! Times as people read them.

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

/// The last day that is over before a moment: an exception expires with the
/// end of the day that was written.
pub(super) fn last_day(end: Timestamp) -> Timestamp {
    Timestamp::from_nanos(end.nanos().saturating_sub(1))
}

/// A time as its distance from now: `3 h ago`.
///
/// One unit, rounded down: whether a report is 26 or 27 hours old changes
/// nothing, whether it is one or four days old does.
pub(super) fn age(now: Timestamp, at: Timestamp) -> String {
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

/// The age with the date behind it, for machines and for a pointer's tip.
pub(super) fn ago(now: Timestamp, at: Timestamp) -> Markup {
    html! { time datetime=(machine(at)) title=(date(at)) { (age(now, at)) } }
}

/// A time to come as its distance from now: `in 12 min`.
pub(super) fn ahead(now: Timestamp, at: Timestamp) -> Markup {
    html! {
        time datetime=(machine(at)) title=(date(at)) {
            @if at > now { "in " (span(at.since(now))) } @else { "now" }
        }
    }
}

/// The date with the age behind it.
pub(super) fn since(now: Timestamp, at: Timestamp) -> Markup {
    html! {
        time datetime=(machine(at)) { (date(at)) }
        " " span.soft { "(" (age(now, at)) ")" }
    }
}

fn machine(at: Timestamp) -> String {
    formatted(at, "%Y-%m-%dT%H:%M:%SZ")
}

/// 64 bits of nanoseconds end long before jiff's calendar does, so the epoch
/// is never really shown instead.
fn formatted(at: Timestamp, format: &str) -> String {
    let time = jiff::Timestamp::from_nanosecond(i128::from(at.nanos())).unwrap_or_default();
    time.strftime(format).to_string()
}

/// How long something has run, in the largest unit.
pub(super) fn span(duration: Duration) -> String {
    let now = Timestamp::from_seconds(0).plus(duration);
    let words = age(now, Timestamp::from_seconds(0));
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
        age(
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
    fn a_clock_that_runs_ahead_of_ours_is_no_fault() {
        assert_eq!(before(-90), "just now");
    }

    #[test]
    fn every_time_we_can_hold_has_a_date() {
        for nanos in [i64::MIN, i64::MAX] {
            assert_ne!(
                date(Timestamp::from_nanos(nanos)),
                date(Timestamp::from_nanos(0))
            );
        }
    }

    #[test]
    fn a_span_is_an_age_without_the_ago() {
        assert_eq!(span(Duration::from_secs(7_200)), "2 h");
        assert_eq!(span(Duration::ZERO), "less than a minute");
    }
}
