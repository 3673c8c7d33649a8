//! Times and days in documents, for other programs and for people.

use secure_score_model::Timestamp;
use serde::{Serialize, Serializer};
use std::fmt;

/// A time as RFC 3339 in UTC, with every digit of its fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rfc3339(pub Timestamp);

/// A time for people, to the minute: `2026-11-23 08:15 UTC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute(pub Timestamp);

/// A day of UTC as year, month and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(Timestamp);

impl Day {
    /// The day of this time.
    pub const fn beginning(at: Timestamp) -> Self {
        Self(at)
    }

    /// The day that ends at this time.
    pub const fn ending(at: Timestamp) -> Self {
        Self(at.just_before())
    }
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", calendar(self.0))
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", calendar(self.0).strftime("%Y-%m-%d %H:%M UTC"))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", calendar(self.0).strftime("%Y-%m-%d"))
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A time in jiff's calendar. The range of a `Timestamp` is within jiff's, so the
/// default is never used.
pub(crate) fn calendar(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_nanosecond(i128::from(at.nanos())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_its_fraction() {
        let at = |nanos| Rfc3339(Timestamp::from_nanos(nanos)).to_string();
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(1_795_421_700_000_000_000), "2026-11-23T08:15:00Z");
        assert_eq!(
            at(1_795_421_700_123_456_700),
            "2026-11-23T08:15:00.1234567Z"
        );
        assert_eq!(at(-1), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn a_day_ends_at_the_midnight_after_it() {
        let midnight = Timestamp::from_seconds(1_806_537_600);
        assert_eq!(Day::beginning(midnight).to_string(), "2027-04-01");
        assert_eq!(Day::ending(midnight).to_string(), "2027-03-31");
    }

    #[test]
    fn every_timestamp_has_a_text() {
        for nanos in [i64::MIN, i64::MAX] {
            let at = Timestamp::from_nanos(nanos);
            assert_ne!(Rfc3339(at).to_string(), "1970-01-01T00:00:00Z");
            assert_ne!(Day::ending(at).to_string(), "1970-01-01");
        }
    }
}
