//! Numbers and durations in a configuration.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::time::Duration;
use strict_yaml::{Diagnostics, Text};

/// A whole number in this range.
pub(super) fn integer(
    path: &str,
    text: &Option<Text>,
    range: RangeInclusive<usize>,
    diagnostics: &mut Diagnostics,
) -> Option<NonZeroUsize> {
    let text = text.as_ref()?;
    let number = text.value.trim().parse().ok().filter(|n| range.contains(n));
    if number.is_none() {
        let (least, most) = range.into_inner();
        let message = format!("not a whole number from {least} to {most}; set one");
        diagnostics.error(text.span, path, message);
    }
    number.and_then(NonZeroUsize::new)
}

/// A share between 0 and 1, written as `80%` or `0.8`.
pub(super) fn ratio(path: &str, text: &Text, diagnostics: &mut Diagnostics) -> Option<f64> {
    let written = text.value.trim();
    let parsed = match written.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => written.parse(),
    };
    let message = match parsed {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => return Some(ratio),
        Ok(ratio) if ratio > 1.0 && ratio <= 100.0 && !written.ends_with('%') => {
            format!("above 1; write {ratio}% for a percentage")
        }
        Ok(_) => "out of range; write 0% to 100%, or 0 to 1".to_owned(),
        Err(_) => "not a share; write 80% or 0.8".to_owned(),
    };
    diagnostics.error(text.span, path, message);
    None
}

/// A duration of any length, such as `1h30m`.
pub(super) fn duration(
    path: &str,
    text: &Option<Text>,
    diagnostics: &mut Diagnostics,
) -> Option<Duration> {
    let text = text.as_ref()?;
    let duration = humantime::parse_duration(text.value.trim()).ok();
    if duration.is_none() {
        diagnostics.error(
            text.span,
            path,
            "not a duration; write a number with its unit, such as 30s, 15m or 1h30m",
        );
    }
    duration
}

/// A duration in this range.
pub(super) fn timeout(
    path: &str,
    text: &Option<Text>,
    range: RangeInclusive<Duration>,
    diagnostics: &mut Diagnostics,
) -> Option<Duration> {
    let timeout = duration(path, text, diagnostics)?;
    if range.contains(&timeout) {
        return Some(timeout);
    }
    let least = humantime::format_duration(*range.start());
    let most = humantime::format_duration(*range.end());
    let message = format!("out of range; set {least} to {most}");
    diagnostics.error(text.as_ref()?.span, path, message);
    None
}
