//! The header `Retry-After`.

use std::time::Duration;

/// The longest delay that is honoured. A server that asks for a year is asked
/// again after this.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// Parses a `Retry-After` header: seconds, or a date compared with `now`.
pub fn retry_after(header: &str, now: jiff::Timestamp) -> Option<Duration> {
    let header = header.trim();
    let seconds = match header.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(header).ok()?.timestamp();
            u64::try_from(at.as_second() - now.as_second()).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_parsed() {
        let now: jiff::Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        assert_eq!(retry_after(" 17 ", now), Some(Duration::from_secs(17)));
        assert_eq!(
            retry_after("Mon, 23 Nov 2026 08:01:30 GMT", now),
            Some(Duration::from_secs(90))
        );
        assert_eq!(
            retry_after("Mon, 23 Nov 2026 07:00:00 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(retry_after("99999999999", now), Some(MAX_RETRY_AFTER));
        for invalid in ["", "soon", "-5", "1.5"] {
            assert_eq!(retry_after(invalid, now), None, "{invalid}");
        }
    }
}
