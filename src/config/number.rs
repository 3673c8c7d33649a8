//! Numbers as written in a configuration.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use strict_yaml::{Diagnostics, Text};

/// A whole number inside its range, or a fault that names the range.
pub(super) fn between(
    path: &str,
    text: Text,
    range: RangeInclusive<usize>,
    diagnostics: &mut Diagnostics,
) -> Option<NonZeroUsize> {
    let number = text.value.trim().parse().ok().filter(|n| range.contains(n));
    if number.is_none() {
        let (least, most) = range.into_inner();
        diagnostics.error(
            text.span,
            path,
            format!("not a whole number from {least} to {most}; set one"),
        );
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
            format!("above 1; write {ratio}% if a percentage was meant")
        }
        Ok(_) => "out of range; write 0% to 100%, or 0 to 1".to_owned(),
        Err(_) => "not a share; write 80% or 0.8".to_owned(),
    };
    diagnostics.error(text.span, path, message);
    None
}
