//! A point in time as Graph writes it and Prometheus wants it.

/// Nanoseconds since the Unix epoch.
///
/// Graph stamps changes of state with seven fractional digits, so two changes
/// of one millisecond still have an order; a coarser unit would lose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const NANOS_PER_SECOND: i64 = 1_000_000_000;
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
    /// A double holds today's seconds to about 0.2 µs; cutting at a
    /// millisecond keeps the printed value short.
    pub fn as_seconds(self) -> f64 {
        let millis = self.0.div_euclid(NANOS_PER_MILLISECOND);
        millis as f64 / 1_000.0
    }

    /// This moment moved by a duration, never past what the type can hold.
    pub fn plus(self, duration: std::time::Duration) -> Self {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// How long ago `earlier` was, zero when it is not earlier.
    pub fn since(self, earlier: Self) -> std::time::Duration {
        let nanos = self.0.saturating_sub(earlier.0);
        std::time::Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }
}

impl From<std::time::SystemTime> for Timestamp {
    fn from(time: std::time::SystemTime) -> Self {
        match time.duration_since(std::time::UNIX_EPOCH) {
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
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn seconds_are_cut_at_the_millisecond() {
        let t = Timestamp::from_nanos(1_763_626_530_123_456_700);
        assert_eq!(t.as_seconds(), 1_763_626_530.123);
    }

    #[test]
    fn a_time_before_the_epoch_is_negative() {
        let t = Timestamp::from(UNIX_EPOCH - Duration::from_secs(2));
        assert_eq!(t.as_seconds(), -2.0);
    }

    #[test]
    fn the_age_of_something_in_the_future_is_zero() {
        let now = Timestamp::from_seconds(10);
        assert_eq!(now.since(Timestamp::from_seconds(11)), Duration::ZERO);
        assert_eq!(
            now.since(Timestamp::from_seconds(4)),
            Duration::from_secs(6)
        );
    }
}
