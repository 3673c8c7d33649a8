//! Numbers and durations in a configuration.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A whole number in this range.
pub(super) fn integer(text: &str, range: RangeInclusive<usize>) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.and_then(NonZeroUsize::new).ok_or_else(|| {
        let (least, most) = range.into_inner();
        format!("not a whole number from {least} to {most}; set one")
    })
}

/// A share between 0 and 1, written as `80%` or `0.8`.
pub(super) fn ratio(text: &str) -> Result<f64, String> {
    let ratio = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    Err(match ratio {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => return Ok(ratio),
        Ok(ratio) if ratio > 1.0 && ratio <= 100.0 && !text.ends_with('%') => {
            format!("above 1; write {ratio}% for a percentage")
        }
        Ok(_) => "out of range; write 0% to 100%, or 0 to 1".to_owned(),
        Err(_) => "not a share; write 80% or 0.8".to_owned(),
    })
}

/// A duration of any length, such as `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let error = "not a duration; write a number with its unit, such as 30s, 15m or 1h30m";
    humantime::parse_duration(text).map_err(|_| error.to_owned())
}

/// A duration in this range.
pub(super) fn timeout(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    let timeout = duration(text)?;
    if range.contains(&timeout) {
        return Ok(timeout);
    }
    let least = humantime::format_duration(*range.start());
    let most = humantime::format_duration(*range.end());
    Err(format!("out of range; set {least} to {most}"))
}
