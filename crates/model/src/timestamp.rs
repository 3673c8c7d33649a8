//! A point in time.

use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds since the Unix epoch.
///
/// Graph sends changes of state with seven fractional digits: two changes in
/// the same millisecond have an order, which a coarser unit would lose.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub struct Timestamp(i64);

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const NANOS_PER_DAY: i64 = 24 * 60 * 60 * NANOS_PER_SECOND;
const NANOS_PER_MILLISECOND: i64 = 1_000_000;

impl Timestamp {
    /// From whole nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, exact to the millisecond.
    ///
    /// A double holds current times to about 0.2 µs; truncating to milliseconds
    /// keeps the printed value short.
    pub fn as_seconds(self) -> f64 {
        let millis = self.0.div_euclid(NANOS_PER_MILLISECOND);
        millis as f64 / 1_000.0
    }

    /// The beginning of its day, UTC.
    #[must_use]
    pub const fn midnight(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(NANOS_PER_DAY)))
    }

    /// The day in UTC, counted from the epoch.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(NANOS_PER_DAY)
    }

    /// The midnight with which a day begins, counted from the epoch; saturating.
    pub const fn of_day(day: i64) -> Self {
        Self(day.saturating_mul(NANOS_PER_DAY))
    }

    /// The last time before this one.
    pub const fn just_before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The time this much later, saturating.
    pub fn plus(self, duration: Duration) -> Self {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// The time since `earlier`, zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        let nanos = self.0.saturating_sub(earlier.0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(0).plus(after),
            Err(before) => {
                let nanos = i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX);
                Self(nanos.saturating_neg())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_truncated_to_milliseconds() {
        let t = Timestamp::from_nanos(1_763_626_530_123_456_700);
        assert_eq!(t.as_seconds(), 1_763_626_530.123);
        assert_eq!(t.nanos(), 1_763_626_530_123_456_700);
    }

    #[test]
    fn a_time_before_the_epoch_is_negative() {
        let t = Timestamp::from(UNIX_EPOCH - Duration::from_secs(2));
        assert_eq!(t.as_seconds(), -2.0);
        assert_eq!(t, Timestamp::from_nanos(-2_000_000_000));
        let later = Timestamp::from(UNIX_EPOCH + Duration::from_secs(3));
        assert_eq!(later, Timestamp::from_seconds(3));
    }

    #[test]
    fn the_age_of_a_future_time_is_zero() {
        let now = Timestamp::from_seconds(10);
        assert_eq!(now.since(Timestamp::from_seconds(11)), Duration::ZERO);
        assert_eq!(
            now.since(Timestamp::from_seconds(4)),
            Duration::from_secs(6)
        );
    }
}
