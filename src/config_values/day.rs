//! Days in a configuration, all in UTC.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use secure_score_model::Timestamp;

/// A day, written as year, month and day.
pub(crate) fn day(text: &str) -> Result<Date, &'static str> {
    let day = Date::strptime("%Y-%m-%d", text).ok();
    // jiff also parses years of other lengths.
    day.filter(|day| day.to_string() == text && (2000..2200).contains(&day.year()))
        .ok_or("not a day; write year, month and day, such as 2027-03-31")
}

/// Midnight at the start of a day.
pub(crate) fn start_of_day(day: Date) -> Timestamp {
    let start = day.to_zoned(TimeZone::UTC);
    Timestamp::from_seconds(start.map_or(0, |start| start.timestamp().as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_starts_at_midnight_utc() {
        let day = start_of_day(Date::constant(2027, 4, 1));
        assert_eq!(day, Timestamp::from_seconds(1_806_537_600));
    }
}
