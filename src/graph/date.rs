//! Dates in Graph's responses.

use secure_score_model::Timestamp;
use std::time::SystemTime;

/// A date as Graph sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Date {
    /// A time.
    At(Timestamp),
    /// The zero date of .NET, which stands for no date.
    Never,
    /// Not a date.
    Invalid,
}

impl Date {
    pub(super) fn time(self) -> Option<Timestamp> {
        match self {
            Self::At(time) => Some(time),
            Self::Never | Self::Invalid => None,
        }
    }
}

/// Dates before this year are invalid: Secure Score began in 2017.
const FIRST_YEAR: i16 = 2010;

/// Later dates count as this one. They are in the future anyway.
const LAST: jiff::civil::DateTime = jiff::civil::date(2149, 12, 31).at(0, 0, 0, 0);

/// Parses an RFC 3339 date with any number of fractional digits. Without an
/// offset it is UTC.
pub(super) fn parse(text: &str) -> Date {
    if text.starts_with("0001-01-01") {
        return Date::Never;
    }
    // The last day of .NET is too late for the library.
    let text = match text.starts_with("9999-12-31T") {
        true => "9999-12-30T00:00:00",
        false => text,
    };
    let utc = jiff::tz::TimeZone::UTC;
    let time = text.parse::<jiff::Timestamp>().or_else(|_| {
        let civil: jiff::civil::DateTime = text.parse()?;
        Ok::<_, jiff::Error>(civil.to_zoned(utc.clone())?.timestamp())
    });
    let time = time.map(|time| time.to_zoned(utc).datetime().min(LAST));
    let valid = time.ok().filter(|time| time.year() >= FIRST_YEAR);
    let valid = valid.and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC).ok());
    valid.map_or(Date::Invalid, |time| {
        Date::At(SystemTime::from(time.timestamp()).into())
    })
}

/// The day of a time, in UTC.
pub(super) fn day(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_nanosecond(time.nanos().into());
    time.map_or_else(
        |_| "an unknown day".to_owned(),
        |time| time.strftime("%Y-%m-%d").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        match parse(text) {
            Date::At(time) => time.nanos(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn seven_fractional_digits_keep_their_order() {
        assert_eq!(
            at("2026-11-20T08:15:30.1234568Z") - at("2026-11-20T08:15:30.1234567Z"),
            100
        );
    }

    #[test]
    fn a_day_is_that_of_utc() {
        let time = Timestamp::from_nanos(at("2030-01-01T00:30:00+01:00"));
        assert_eq!(day(time), "2029-12-31");
    }

    #[test]
    fn a_date_without_an_offset_is_utc() {
        assert_eq!(at("2026-11-20T08:15:30"), at("2026-11-20T08:15:30Z"));
        assert_eq!(at("2026-11-20T10:15:30+02:00"), at("2026-11-20T08:15:30Z"));
    }

    #[test]
    fn the_zero_date_is_no_date_and_other_texts_are_invalid() {
        assert_eq!(parse("0001-01-01T00:00:00Z"), Date::Never);
        for invalid in ["", "yesterday", "1970-01-01T00:00:00Z"] {
            assert_eq!(parse(invalid), Date::Invalid, "{invalid}");
        }
    }

    #[test]
    fn a_date_in_a_far_future_is_in_the_future() {
        let last = at("2149-12-31T00:00:00Z");
        assert_eq!(at("2206-11-20T00:00:00Z"), last);
        assert_eq!(at("9999-12-31T23:59:59.9999999Z"), last);
        assert!(at("2149-12-30T00:00:00Z") < last);
    }
}
