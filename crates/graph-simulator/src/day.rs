//! Days, as the reports count them.

use jiff::Timestamp;

const DAY: i64 = 24 * 60 * 60;

/// How far into the day Microsoft's daily run is done.
///
/// Before it the newest report is yesterday's, so its age lies between a
/// quarter of a day and one and a quarter, as with real tenants.
const RUN_DONE: i64 = 6 * 60 * 60;

/// The midnight the newest report is dated with.
pub(super) fn newest(now: Timestamp) -> Timestamp {
    let second = now.as_second() - RUN_DONE;
    midnight(second - second.rem_euclid(DAY))
}

/// The midnight so many days before another.
pub(super) fn before(day: Timestamp, days: usize) -> Timestamp {
    midnight(day.as_second() - days as i64 * DAY)
}

/// The whole days from one midnight to another.
pub(super) fn distance(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()) / DAY
}

fn midnight(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_report_is_dated_at_midnight_and_appears_in_the_morning() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(
            newest(at("2026-11-23T05:59:59Z")),
            at("2026-11-22T00:00:00Z")
        );
        assert_eq!(
            newest(at("2026-11-23T06:00:00Z")),
            at("2026-11-23T00:00:00Z")
        );
        assert_eq!(
            before(at("2026-11-23T00:00:00Z"), 2),
            at("2026-11-21T00:00:00Z")
        );
        assert_eq!(
            distance(at("2026-11-21T00:00:00Z"), at("2026-11-23T00:00:00Z")),
            2
        );
    }
}
